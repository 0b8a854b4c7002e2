"""The result of a method as a column, or as a table of named columns.

Every partition of a distributed table must have the same columns, which are known
before any of it is computed.
"""

from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError

from sklearn_bert._results import call


def call_as_table(estimator: Any, method: str, X: Any) -> Any:
    """Call a method, and return its result with names and the index of X.

    Parameters
    ----------
    estimator : object
        An estimator of this package, or a Pipeline with one.
    method : str
        One of METHODS.
    X : pandas Series or DataFrame

    Returns
    -------
    pandas Series or DataFrame
        A Series, named like the method, if there is one value for each row. The columns
        of a DataFrame are named by `get_feature_names_out` or by `classes_`.
    """
    import pandas as pd

    result = call(estimator, method, X)
    # By set_output.
    if hasattr(result, "to_pandas"):
        result = result.to_pandas()
    if isinstance(result, pd.DataFrame | pd.Series):
        return result.set_axis(X.index)
    if isinstance(result, np.ndarray) and result.ndim == 2:
        names = _name_columns(estimator, method, result.shape[1])
        return pd.DataFrame(result, index=X.index, columns=names)
    return pd.Series(result, index=X.index, name=method)


def empty_table(estimator: Any, method: str, example: Any) -> Any:
    """Return the columns of a result, with their dtypes and without rows.

    Parameters
    ----------
    estimator : object
    method : str
    example : pandas Series or DataFrame
        Like X, with at least one row. The method is called with it.
    """
    return call_as_table(estimator, method, example).iloc[:0]


def _name_columns(estimator: Any, method: str, n_columns: int) -> list[str]:
    """Return the names of columns: of features, of classes, or else numbers."""
    names = _feature_names(estimator) if method == "transform" else _classes(estimator)
    if len(names) != n_columns:
        return [f"{method}{k}" for k in range(n_columns)]
    # Parquet and Spark allow no other names than str.
    return [str(name) for name in names]


def _feature_names(estimator: Any) -> Any:
    try:
        return estimator.get_feature_names_out()
    # Steps that keep no state may have no names either.
    except (AttributeError, NotFittedError):
        return []


def _classes(estimator: Any) -> Any:
    return getattr(estimator, "classes_", [])
