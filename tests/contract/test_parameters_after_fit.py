"""A wrong value that a parameter gets after ``fit`` is refused by every method."""

import copy
import functools
import inspect
import os

import pytest
from sklearn.utils._param_validation import (
    InvalidParameterError,
    generate_invalid_param_val,
    make_constraint,
)

from contract.registry import CROSS_FITTED, SUBJECTS
from sklearn_bert import BertTokenClassifier
from sklearn_bert.exceptions import DeviceError

# Nothing that they do depends on a parameter.
FREE = {"get_feature_names_out"}
# These do depend on some.
BOUND = {("BertVectorizer", "get_feature_names_out")}
BOUND |= {("BertTokenizer", "get_feature_names_out")}

ALL = [*SUBJECTS, CROSS_FITTED]


class NoValue:
    """Not a value of any parameter."""


@functools.cache
def _fit(name):
    return next(subject for subject in ALL if str(subject) == name).fit()


def fit(subject):
    """Return a subject's estimator, fitted once for all tests."""
    return _fit(str(subject))


def wrong_values(constraints):
    """Return values that a parameter must not have, the nearest ones included."""
    constraints = [make_constraint(constraint) for constraint in constraints]
    values = [NoValue()]
    for constraint in constraints:
        try:
            values.append(generate_invalid_param_val(constraint))
        except NotImplementedError:
            continue
    return [
        value
        for value in values
        if not any(constraint.is_satisfied_by(value) for constraint in constraints)
    ]


def methods_of(subject):
    """Return the names of its own public methods that depend on parameters."""
    name = subject.estimator.__name__
    return [
        method
        for method, function in inspect.getmembers(subject.estimator, callable)
        if not method.startswith(("_", "get_metadata", "get_params", "set_"))
        and (method not in FREE or (name, method) in BOUND)
        and not inspect.isclass(function)
    ]


def call(estimator, method, subject):
    """Call a method with arguments that suit it."""
    known = {"X": subject.X, "y": subject.y, "path": os.devnull, "folder": os.devnull}
    known["repo_id"] = "user/name"
    if method == "inverse_transform":
        known["X"] = fit(subject).transform(subject.X)
    elif method == "fill_mask":
        known["X"] = ["the [MASK]"]
    function = getattr(estimator, method)
    names = inspect.signature(function).parameters
    return function(**{name: known[name] for name in names if name in known})


CASES = [
    pytest.param(subject, method, id=f"{subject}-{method}")
    for subject in ALL
    if not subject.name
    for method in methods_of(subject)
]


@pytest.mark.parametrize(("subject", "method"), CASES)
def test_every_wrong_parameter_is_refused(subject, method):
    for name, constraints in subject.estimator._parameter_constraints.items():
        for value in wrong_values(constraints):
            changed = copy.copy(fit(subject)).set_params(**{name: value})
            with pytest.raises(InvalidParameterError, match=f"The '{name}' parameter"):
                call(changed, method, subject)


def test_the_methods_that_depend_on_parameters_are_found():
    (subject,) = [x for x in SUBJECTS if x.estimator is BertTokenClassifier]
    assert methods_of(subject) == [
        "decision_function",
        "export_onnx",
        "fit",
        "predict",
        "predict_proba",
        "push_to_hub",
        "save",
        "save_pretrained",
        "score",
        "split_words",
        "summary",
    ]


RUNS = {
    *("transform", "fit_transform", "predict", "predict_proba", "predict_log_proba"),
    *("decision_function", "score", "perplexity", "fill_mask", "fit", "partial_fit"),
}


@pytest.mark.parametrize(
    ("subject", "method"),
    [
        case
        for case in CASES
        if case.values[1] in RUNS
        and "device" in case.values[0].estimator._parameter_constraints
    ],
)
def test_a_device_that_is_none_is_refused(subject, method):
    changed = copy.copy(fit(subject)).set_params(device="gpu")
    with pytest.raises(DeviceError, match="device must be 'auto' or a"):
        call(changed, method, subject)
