"""Validation of single texts and words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Number
from typing import Any

from sklearn_bert._warnings import warn_user
from sklearn_bert.exceptions import InputError, TextRepairWarning

_N_SHOWN = 3
_N_CHARACTERS_SHOWN = 40
_SURROGATES = range(0xD800, 0xE000)


@dataclass(frozen=True)
class Kind:
    """The terms for texts, or for words, in error messages.

    Attributes
    ----------
    name : str
    place : str
        Position of a value, a format string with ``row`` and ``place``.
    if_missing, if_numbers : str
        Remedies for missing values, and for numbers.
    """

    name: str
    place: str
    if_missing: str
    if_numbers: str

    def remedy(self, values: Sequence[Any]) -> str:
        """Return the remedy for values that are not str."""
        if any(is_missing(value) for value in values):
            return self.if_missing
        if any(isinstance(value, complex) for value in values):
            return f"Complex data not supported. Convert the values to {self.name}."
        if any(isinstance(value, bytes) for value in values):
            return "Decode bytes first: value.decode('utf-8')."
        if any(isinstance(value, Number) for value in values):
            return self.if_numbers
        if any(hasattr(value, "as_py") for value in values):
            return "Convert pyarrow scalars first: value.as_py()."
        keys = [key for value in values if isinstance(value, Mapping) for key in value]
        if keys:
            return f"Select the field of the texts: [row[{keys[0]!r}] for row in X]."
        return f"Convert these values to {self.name}, or drop them."


TEXTS = Kind(
    "texts",
    "row {row}",
    "Drop these rows, or replace missing values with '': X.fillna('') in pandas, "
    "X.fill_null('') in polars.",
    "Select the text column, or convert numbers to texts if that is intended: "
    "X.astype(str), or [str(x) for x in X].",
)
WORDS = Kind(
    "words",
    "sentence {row}, word {place}",
    "Drop the missing words and their tags, or replace them with ''.",
    "Drop numbers and their tags, or convert them to texts if that is intended: "
    "[[str(word) for word in words] for words in X].",
)


def check_all_str(rows: Iterable[Iterable[Any]], n_rows: int, kind: Kind) -> None:
    """Raise an error if rows, or sentences, contain values that are not str."""
    bad = [
        (row, place, value)
        for row, values in enumerate(rows)
        for place, value in enumerate(values)
        if not isinstance(value, str)
    ]
    if not bad:
        return
    shown = show_some(
        f"{show(value)} in {kind.place.format(row=row, place=place)}"
        for row, place, value in bad
    )
    n_bad = len({row for row, _, _ in bad})
    raise InputError(
        f"X must contain only {kind.name} (str). Got {shown}: {n_bad} of {n_rows} rows "
        f"contain other values. {kind.remedy([value for _, _, value in bad])}"
    )


def is_missing(value: Any) -> bool:
    """Return whether a value is None, NaN or the like."""
    # NaN and NaT differ from themselves; pandas' NA is known by its name alone, so
    # that pandas stays optional.
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float) and value != value


def show(value: Any) -> str:
    """Format a value and its type for an error message."""
    text = repr(value)
    if len(text) > _N_CHARACTERS_SHOWN:
        text = text[:_N_CHARACTERS_SHOWN] + "..."
    return f"{text} ({type(value).__name__})"


def show_some(values: Iterable[Any]) -> str:
    """Format the first values for an error message, and the number of others."""
    shown = [str(value) for value in values]
    more = len(shown) - _N_SHOWN
    return ", ".join(shown[:_N_SHOWN]) + (f" and {more} more" if more > 0 else "")


def repair(values: Sequence[str], kind: Kind) -> list[str]:
    """Return plain str without lone surrogates, which are not valid characters."""
    repaired = [without_surrogates(value) for value in values]
    n_repaired = sum(old != new for old, new in zip(values, repaired, strict=True))
    warn_if_repaired(n_repaired, len(values), kind)
    return repaired


def warn_if_repaired(n_repaired: int, n_all: int, kind: Kind) -> None:
    """Warn about replaced characters, if there are any."""
    if n_repaired:
        warn_user(
            f"{n_repaired} of {n_all} {kind.name} contained lone surrogates, which are "
            "not valid characters and were replaced by U+FFFD. They occur in files "
            "read with errors='surrogateescape'; use the encoding of the file instead.",
            TextRepairWarning,
        )


def without_surrogates(text: str) -> str:
    """Return a plain str in which U+FFFD replaces lone surrogates."""
    # Tokenizers do not accept subclasses such as numpy's str_, and str() would return
    # the name of an Enum member.
    text = str.__str__(text)
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join("\ufffd" if ord(c) in _SURROGATES else c for c in text)
    return text
