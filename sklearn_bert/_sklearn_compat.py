"""Private names of scikit-learn.

scikit-learn 1.6.1 to 1.9 have all of them.
"""

from typing import Any

import sklearn
from sklearn.utils._optional_dependencies import check_matplotlib_support

# Without a fallback: BaseEstimator validates its parameters with the same module, and
# nothing public makes a constraint.
from sklearn.utils._param_validation import (
    HasMethods,
    InvalidParameterError,
    Options,
    StrOptions,
    validate_parameter_constraints,
    validate_params,
)
from sklearn.utils._param_validation import Interval as _Interval

__all__ = [
    "HasMethods",
    "Interval",
    "InvalidParameterError",
    "Options",
    "StrOptions",
    "check_matplotlib_support",
    "output_container",
    "validate_parameter_constraints",
    "validate_params",
]


class Interval(_Interval):
    """scikit-learn's interval of numbers, without bools."""

    def is_satisfied_by(self, val: Any) -> bool:
        return not isinstance(val, bool) and bool(super().is_satisfied_by(val))


def output_container(estimator: Any) -> str:
    """Return what ``transform`` gives by ``set_output``: "default", "pandas", ...

    Without the private attribute, return what scikit-learn's configuration says.
    """
    own = getattr(estimator, "_sklearn_output_config", {})
    return own.get("transform") or sklearn.get_config()["transform_output"]
