"""The numbers of rows in messages, where X is a part of something larger."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# The number of the first row, and what it is a row of, such as " of part.parquet".
_START: ContextVar[tuple[int, str]] = ContextVar("start", default=(0, ""))


@contextmanager
def rows_counted_from(first: int, n_rows: int, of: str = "") -> Iterator[None]:
    """Let messages number the rows of X as those of what X is a part of.

    Any error gets a note with the rows in question, since most say nothing about them.

    Parameters
    ----------
    first : int
        Number of the first row of X.
    n_rows : int
    of : str
        Name of the whole, such as that of a file.
    """
    suffix = f" of {of}" if of else ""
    token = _START.set((first, suffix))
    try:
        yield
    # Also what the steps of a Pipeline raise, which know nothing of other rows.
    except Exception as error:
        error.add_note(f"In rows {first} to {first + n_rows - 1}{suffix}.")
        raise
    finally:
        _START.reset(token)


def number_row(row: int) -> int:
    """Return the number of a row of X in messages."""
    return _START.get()[0] + row


def name_whole() -> str:
    """Return what the rows of X are rows of, to be put after their numbers, or ''."""
    return _START.get()[1]


def name_row(row: int) -> str:
    """Return "row 3", or what X is a part of with it."""
    return f"row {number_row(row)}{name_whole()}"
