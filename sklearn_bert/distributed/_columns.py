"""From columns to what an estimator was fitted to, and from its result to a column."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from sklearn_bert.distributed._engines import import_engine


def read_columns(estimator: Any, columns: Sequence[Any], user: str) -> Any:
    """Return columns as X: with the names of those of `fit`, if it had names.

    Parameters
    ----------
    estimator : object
    columns : sequence of sequence
        One column of texts, two for pairs, or those of `fit` in their order.
    user : str
        The function that needs pandas, if there are names.

    Returns
    -------
    sequence, list of tuple, or pandas DataFrame
    """
    names = getattr(estimator, "feature_names_in_", ())
    if len(names) == len(columns):
        pd = import_engine("pandas", user)
        return pd.DataFrame(dict(zip(names, columns, strict=True)))
    # A frame has names, about which scikit-learn would warn.
    return columns[0] if len(columns) == 1 else list(zip(*columns, strict=True))


def to_arrow(result: Any, user: str) -> Any:
    """Return the result of a method as an Arrow array with one value for each row.

    Parameters
    ----------
    result : ndarray or frame
        Vectors become lists of fixed size, with the dtype of the result.
    user : str
        The function that needs pyarrow.

    Returns
    -------
    pyarrow.Array
    """
    pa = import_engine("pyarrow", user)
    values = np.asarray(result)
    if values.ndim == 1:
        return pa.array(values.tolist() if values.dtype.kind == "O" else values)
    numbers = pa.array(np.ascontiguousarray(values).ravel())
    return pa.FixedSizeListArray.from_arrays(numbers, values.shape[1])
