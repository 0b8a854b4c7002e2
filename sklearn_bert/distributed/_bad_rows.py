"""Errors about X that say in which part of the data the bad rows are."""

from collections.abc import Iterator
from contextlib import contextmanager

from sklearn_bert.exceptions import SklearnBertError


@contextmanager
def naming_partition(place: str) -> Iterator[None]:
    """Name the part of the data in errors, which name only the row in it.

    Parameters
    ----------
    place : str
        Such as "partition 3".

    Raises
    ------
    SklearnBertError
        Of the same class, with the place in front of the message.
    Exception
        Any other error has the place in a note, since its class may have no message.
        Both are kept if the error is pickled.
    """
    try:
        yield
    except SklearnBertError as error:
        raise type(error)(f"In {place}: {error}") from error
    except Exception as error:
        error.add_note(f"This happened in {place}.")
        raise
