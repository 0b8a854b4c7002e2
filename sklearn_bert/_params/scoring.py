"""Validation of the names of scorers."""

from difflib import get_close_matches
from typing import Any

from sklearn.metrics import get_scorer_names

from sklearn_bert._sklearn_compat import InvalidParameterError


def check_scorer_name(scoring: Any) -> None:
    """Refuse a str that is not the name of a scorer, and name the closest ones.

    A constraint would list more than sixty names.
    """
    # The names are sorted on every call, and this runs before every prediction.
    if not isinstance(scoring, str) or scoring in (names := get_scorer_names()):
        return
    close = get_close_matches(scoring.lower(), names, n=3)
    # Parts of names count too: "log" is not similar to "neg_log_loss".
    close = close or [name for name in names if scoring and scoring.lower() in name][:3]
    hint = f"The closest names are {', '.join(map(repr, close))}; " if close else ""
    raise InvalidParameterError(
        "The 'scoring' parameter must be the name of a scikit-learn scorer, a callable "
        f"or None. Got {scoring!r}. {hint}sklearn.metrics.get_scorer_names() lists all "
        "names."
    )
