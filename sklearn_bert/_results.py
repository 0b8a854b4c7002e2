"""Calls of a method whose results go into tables."""

from typing import Any

from scipy import sparse

# Those that return one row for each text.
METHODS = {
    "transform",
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
}


def check_method(estimator: Any, method: str) -> None:
    """Refuse an estimator without a method.

    Raises
    ------
    ValueError
    """
    if hasattr(estimator, method):
        return
    others = [repr(name) for name in sorted(METHODS) if hasattr(estimator, name)]
    remedy = f"Pass method={' or '.join(others)}, or another" if others else "Pass an"
    raise ValueError(
        f"estimator must have the method {method!r}. Got {type(estimator).__name__}, "
        f"which does not. {remedy} estimator."
    )


def call(estimator: Any, method: str, X: Any) -> Any:
    """Call a method whose result has one entry for each row of X.

    Parameters
    ----------
    estimator : object
        An estimator of this package, or a Pipeline with one.
    method : str
        One of METHODS.
    X : list, table, pandas Series or DataFrame

    Returns
    -------
    ndarray, frame or list

    Raises
    ------
    TypeError, ValueError
        If it returns something else.
    """
    result = getattr(estimator, method)(X)
    _check_rows(result, len(X), f"{type(estimator).__name__}.{method}")
    return result


def _check_rows(result: Any, n_rows: int, name: str) -> None:
    """Refuse what has no value for each row, or too many to be columns."""
    if sparse.issparse(result):
        raise TypeError(
            f"The result of {name} must be dense. Got a sparse matrix of shape "
            f"{result.shape}. End the Pipeline with a step that returns an array, such "
            "as TruncatedSVD."
        )
    if len(result) != n_rows:
        raise ValueError(
            f"The result of {name} must have one entry for each row of X. Got "
            f"{len(result)} entries for {n_rows} rows. Choose another method."
        )
