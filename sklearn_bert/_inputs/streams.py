"""Validation of texts that need not fit into memory."""

from collections.abc import Iterable, Iterator, Sized
from os import PathLike
from pathlib import Path
from typing import Any

from sklearn_bert._inputs.texts import check_column
from sklearn_bert._inputs.values import (
    TEXTS,
    is_missing,
    show,
    warn_if_repaired,
    without_surrogates,
)
from sklearn_bert.exceptions import InputError


def check_stream(X: Any, *, missing: str = "error") -> Iterable[str]:
    """Validate X as texts that need not fit into memory.

    Parameters
    ----------
    X : array-like of str, path or iterable of str
        A path is that of a UTF-8 text file with one text per line. An iterable without
        a length is read lazily.
    missing : {"error", "empty"}
        Whether missing values are refused, or read as empty texts.

    Returns
    -------
    iterable of str
        It can be read as often as X can.

    Raises
    ------
    InputError
        If X contains anything but one column of texts. For a file or an iterable the
        error is raised when it is read.
    """
    if isinstance(X, PathLike):
        return _Lines(Path(X))
    if isinstance(X, str):
        raise InputError(
            "Iterable over raw text documents expected, string object received. Put "
            "the text into a list, [text], or pass the path of a file as a "
            "pathlib.Path."
        )
    if isinstance(X, Iterable) and not isinstance(X, Sized):
        return _Stream(X, missing)
    return check_column(X, missing=missing)


class _Lines:
    """The lines of a file that are not blank."""

    def __init__(self, path: Path) -> None:
        self._path = path
        if not path.is_file():
            raise InputError(
                "X must be texts, or the path of a file of texts. Got "
                f"{str(path)!r}, which is not a file. Correct the path."
            )

    def __iter__(self) -> Iterator[str]:
        with self._path.open(encoding="utf-8") as file:
            try:
                for line in file:
                    if text := line.strip():
                        yield text
                return
            except UnicodeDecodeError as error:
                reason = error.reason
        # Raised here, since the other error holds a part of the file.
        raise InputError(
            f"A file of texts must be encoded in UTF-8. Got {str(self._path)!r}, which "
            f"is not ({reason}). Convert it, or pass an iterable of its texts."
        )


class _Stream:
    """The texts of an iterable, checked when they are read."""

    def __init__(self, texts: Iterable[Any], missing: str) -> None:
        self._texts, self._missing = texts, missing
        # An iterator can be read only once.
        self.is_consumed_by_reading = isinstance(texts, Iterator)
        self._has_warned = False

    def __iter__(self) -> Iterator[str]:
        n_repaired = n_texts = 0
        for row, text in enumerate(self._texts):
            if self._missing == "empty" and is_missing(text):
                text = ""
            if not isinstance(text, str):
                raise InputError(
                    f"X must contain only texts (str). Got {show(text)} in row {row}. "
                    f"{TEXTS.remedy([text])}"
                )
            repaired = without_surrogates(text)
            n_repaired, n_texts = n_repaired + (repaired != text), n_texts + 1
            yield repaired
        if not n_texts:
            raise InputError(
                "X must contain at least one word. Got an iterable without texts. A "
                "generator can be read only once: create it again, or pass a list."
            )
        if not self._has_warned:
            self._has_warned = n_repaired > 0
            warn_if_repaired(n_repaired, n_texts, TEXTS)
