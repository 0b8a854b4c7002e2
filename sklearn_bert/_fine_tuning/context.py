"""Properties of a fit that its steps need."""

from dataclasses import dataclass
from typing import Any

from sklearn_bert._engine.runtime.ranks import ALONE, Ranks
from sklearn_bert._params.random_state import draw_seed, make_generator


@dataclass(frozen=True)
class FitContext:
    """The kind of a fit.

    Attributes
    ----------
    label : str
        Label of progress bars.
    is_partial : bool
        Whether it is a call of ``partial_fit``: one epoch, constant learning rate.
    continues : bool
        Whether training starts from the weights of the previous fit.
    classes : ndarray of shape (n_classes,) or None
        All classes, in ``partial_fit``.
    groups : array-like of shape (n_samples,) or None
        As passed by the user.
    X_val, y_val : array-like or None
        The validation set, as passed by the user.
    ranks : Ranks
        The processes that train together.
    """

    label: str
    is_partial: bool
    continues: bool
    classes: Any = None
    groups: Any = None
    X_val: Any = None
    y_val: Any = None
    ranks: Ranks = ALONE


@dataclass(frozen=True)
class Seeds:
    """The seeds of the random steps of a fit."""

    split: int
    order: int
    dropout: int


def draw_seeds(random_state: Any, n_before: int) -> Seeds:
    """Return the seeds of a fit.

    Parameters
    ----------
    random_state : int, RandomState instance or None
    n_before : int
        Number of previous calls of ``partial_fit``, which used different numbers.

    Returns
    -------
    Seeds
    """
    generator = make_generator(random_state)
    return Seeds(*(draw_seed(generator) + n_before for _ in range(3)))
