"""Private names of scikit-learn, each with a fallback where public names allow one.

scikit-learn 1.6.1 to 1.9 have all of them.
"""

from numbers import Real
from typing import Any

import numpy as np
import sklearn
from sklearn.utils import assert_all_finite, check_array, column_or_1d, validation

# Without a fallback: BaseEstimator validates its parameters with the same module, and
# nothing public makes a constraint.
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    Options,
    StrOptions,
    validate_parameter_constraints,
    validate_params,
)
from sklearn.utils.validation import check_non_negative

__all__ = [
    "HasMethods",
    "Interval",
    "Options",
    "StrOptions",
    "check_feature_names_in",
    "check_label_column",
    "check_sample_weight",
    "output_container",
    "validate_parameter_constraints",
    "validate_params",
]


def check_feature_names_in(estimator: Any, input_features: Any) -> None:
    """Refuse other names than those of the columns that the fit saw.

    Parameters
    ----------
    estimator : object
    input_features : array-like of str or None
    """
    if check := getattr(validation, "_check_feature_names_in", None):
        check(estimator, input_features, generate_names=False)
        return
    if input_features is None:
        return
    names = getattr(estimator, "feature_names_in_", input_features)
    if list(names) != list(input_features):
        raise ValueError("input_features is not equal to feature_names_in_")
    n_names = len(input_features)
    if n_names != getattr(estimator, "n_features_in_", n_names):
        raise ValueError(
            "input_features should have length equal to number of features "
            f"({estimator.n_features_in_}), got {n_names}"
        )


def check_label_column(y: Any, estimator: Any) -> np.ndarray:
    """Return y as one finite value per sample.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, 1)
    estimator : object
        Named in errors.

    Returns
    -------
    ndarray of shape (n_samples,)
    """
    if check := getattr(validation, "_check_y", None):
        return check(y, estimator=estimator)
    y = column_or_1d(y, warn=True)
    assert_all_finite(y, input_name="y")
    return y


def check_sample_weight(sample_weight: Any, n_samples: int) -> np.ndarray:
    """Return one weight per sample that is not negative.

    Parameters
    ----------
    sample_weight : array-like of shape (n_samples,), float or None
    n_samples : int

    Returns
    -------
    ndarray of shape (n_samples,), float64
    """
    if check := getattr(validation, "_check_sample_weight", None):
        return check(
            sample_weight, range(n_samples), dtype=np.float64, ensure_non_negative=True
        )
    if sample_weight is None:
        sample_weight = 1.0
    if isinstance(sample_weight, Real):
        sample_weight = np.full(n_samples, sample_weight)
    weights = check_array(
        sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight"
    )
    if weights.shape != (n_samples,):
        raise ValueError(
            f"sample_weight.shape == {weights.shape}, expected {(n_samples,)}!"
        )
    check_non_negative(weights, "`sample_weight`")
    return weights


def output_container(estimator: Any) -> str:
    """Return what ``transform`` gives by ``set_output``: "default", "pandas", ...

    Without the private name, return what scikit-learn's configuration says.
    """
    own = getattr(estimator, "_sklearn_output_config", {})
    return own.get("transform") or sklearn.get_config()["transform_output"]
