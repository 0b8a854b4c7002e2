"""What the steps of one fit must know of the fit as a whole."""

from dataclasses import dataclass
from typing import Any

from sklearn_bert._params.random_state import draw_seed, make_generator


@dataclass(frozen=True)
class FitContext:
    """What kind of fit is under way.

    Attributes
    ----------
    label : str
        What progress bars call the fit.
    is_partial : bool
        Whether it is a call of ``partial_fit``: one epoch at a constant rate.
    continues : bool
        Whether training starts from the weights of the previous fit.
    classes : ndarray of shape (n_classes,) or None
        In ``partial_fit``, all classes that there may be.
    """

    label: str
    is_partial: bool
    continues: bool
    classes: Any = None


@dataclass(frozen=True)
class Seeds:
    """The seeds of all that is random in a fit."""

    split: int
    order: int
    dropout: int


def draw_seeds(random_state: Any, n_before: int) -> Seeds:
    """Return the seeds of a fit.

    Parameters
    ----------
    random_state : int, RandomState instance or None
    n_before : int
        Number of calls of ``partial_fit`` before, each of which draws other numbers.

    Returns
    -------
    Seeds
    """
    generator = make_generator(random_state)
    return Seeds(*(draw_seed(generator) + n_before for _ in range(3)))
