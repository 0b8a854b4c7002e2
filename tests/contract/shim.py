"""Estimators of texts that take rows of numbers, as scikit-learn's checks give them.

Each number becomes a word: that of its column and of the interval it lies in. The
estimator underneath is the one that users have, and sees nothing but texts. What is
said about X is said by the shim, so its checks prove nothing about X: see checks_*.py.
"""

from contextlib import contextmanager
from functools import wraps

import numpy as np
from sklearn.utils.validation import validate_data

from contract.checkpoint import N_COLUMNS, N_INTERVALS

# The intervals of a column repeat every 6 units, so that no number is outside.
_PERIOD = 6.0
_METHODS_OF_X = (
    "fit",
    "partial_fit",
    "fit_transform",
    "transform",
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "score",
)
_ABOUT_COLUMNS = ("n_features_in_", "feature_names_in_")


def as_texts(rows):
    """Turn (n_samples, n_columns) numbers into n_samples texts."""
    intervals = np.floor((rows + _PERIOD / 2) / _PERIOD * N_INTERVALS).astype(int)
    intervals %= N_INTERVALS
    return [
        " ".join(f"f{i % N_COLUMNS}v{interval}" for i, interval in enumerate(row))
        for row in intervals
    ]


class RowsAsTexts:
    """What is put before an estimator of texts."""

    @contextmanager
    def _knowing_texts_only(self):
        """Hide the columns of the rows from the estimator underneath."""
        columns = {x: vars(self).pop(x) for x in _ABOUT_COLUMNS if x in vars(self)}
        try:
            yield
        finally:
            for name in _ABOUT_COLUMNS:
                vars(self).pop(name, None)
            vars(self).update(columns)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = False
        tags.input_tags.two_d_array = True
        return tags


def on_rows(estimator):
    """Return the class of the estimator with the shim before it."""
    name = f"{estimator.__name__}OnRows"
    methods = {
        method: _on_rows(method, getattr(estimator, method))
        for method in _METHODS_OF_X
        if hasattr(estimator, method)
    }
    # In this module's namespace, where pickle looks for it.
    cls = type(name, (RowsAsTexts, estimator), {**methods, "__module__": __name__})
    globals()[name] = cls
    return cls


def _on_rows(name, method):
    is_fit = name.startswith("fit")

    @wraps(method)
    def call(self, X, *args, **kwargs):
        if _is_texts(X):
            # One method of the estimator called another.
            return method(self, X, *args, **kwargs)
        reset = is_fit or (name == "partial_fit" and not hasattr(self, "encoder_"))
        rows = validate_data(self, X, reset=reset)
        with self._knowing_texts_only():
            return method(self, as_texts(rows), *args, **kwargs)

    return call


def _is_texts(X):
    return isinstance(X, list) and all(isinstance(text, str) for text in X)
