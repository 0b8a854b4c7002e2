"""What callbacks may be."""

from typing import Any


def check_callbacks(callbacks: Any) -> None:
    """Refuse what cannot be called before the first epoch rather than after it."""
    for place, callback in enumerate(() if callbacks is None else callbacks):
        if not callable(callback):
            raise TypeError(
                "callbacks must contain only functions of a training state. Got "
                f"{callback!r} in place {place}. Give functions, such as print."
            )
