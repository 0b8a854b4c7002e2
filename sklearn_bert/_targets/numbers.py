"""What estimators accept as numbers for texts."""

from typing import Any

import numpy as np
from sklearn.utils.validation import check_array, check_consistent_length

from sklearn_bert._engine.text.inputs import Texts
from sklearn_bert._targets.checks import as_array, check_no_missing, check_y_given


def check_numbers(y: Any, texts: Texts, estimator: Any) -> np.ndarray:
    """Read y as one number per text, or as several.

    Parameters
    ----------
    y : array-like
    texts : Texts
        What y belongs to.
    estimator : object
        Named in errors.

    Returns
    -------
    ndarray of shape (n_samples,) or (n_samples, n_targets), float64

    Raises
    ------
    ValueError
        If y is of another length, or holds anything but finite numbers.
    """
    check_y_given(y, estimator, "number")
    y = as_array(y)
    check_no_missing(y, "number")
    y = check_array(
        y, ensure_2d=False, dtype="numeric", input_name="y", estimator=estimator
    )
    check_consistent_length(texts.first, y)
    return y.astype(np.float64)
