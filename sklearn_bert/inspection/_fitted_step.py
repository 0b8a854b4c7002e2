"""The estimator of this package in a Pipeline or a search."""

from typing import Any

from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline


def find_step(estimator: Any, attribute: str) -> Any:
    """Return the last step, of the best estimator of a search if it is one.

    Parameters
    ----------
    estimator : object
    attribute : str
        A fitted attribute that the step must have.
    """
    step = getattr(estimator, "best_estimator_", estimator)
    if isinstance(step, Pipeline):
        step = step[-1]
    if not hasattr(step, attribute):
        raise NotFittedError(
            f"The estimator must have the fitted attribute {attribute}. Got a "
            f"{type(step).__name__} without it. Pass a fitted estimator of this "
            "package, or a Pipeline that ends with one."
        )
    return step
