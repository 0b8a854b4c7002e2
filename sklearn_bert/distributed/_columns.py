"""From columns without names to what an estimator was fitted to."""

from collections.abc import Sequence
from typing import Any

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
