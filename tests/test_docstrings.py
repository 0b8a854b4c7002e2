"""Every public signature is documented, constrained and shown at work."""

import doctest
import inspect

import pytest
from numpydoc.validate import validate
from sklearn.base import BaseEstimator

import sklearn_bert
import sklearn_bert._classifier
import sklearn_bert._vectorizer
import sklearn_bert.datasets
import sklearn_bert.exceptions

ESTIMATORS = [
    value
    for value in vars(sklearn_bert).values()
    if inspect.isclass(value) and issubclass(value, BaseEstimator)
]


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_every_parameter_is_documented_in_order(estimator):
    lines = inspect.cleandoc(estimator.__doc__).splitlines()
    start, stop = lines.index("Parameters"), lines.index("Attributes")
    documented = [
        line.split(" : ")[0]
        for line in lines[start:stop]
        if " : " in line and not line.startswith(" ")
    ]
    assert documented == list(inspect.signature(estimator).parameters)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_every_parameter_is_constrained(estimator):
    parameters = set(inspect.signature(estimator).parameters)
    assert set(estimator._parameter_constraints) == parameters


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_documented_defaults_are_the_signatures(estimator):
    doc = inspect.cleandoc(estimator.__doc__)
    for name, parameter in inspect.signature(estimator).parameters.items():
        line = next(x for x in doc.splitlines() if x.startswith(f"{name} : "))
        default = repr(parameter.default).replace("'", '"')
        assert line.endswith(f"default={default}")


# What numpydoc would ask for and a reader would not miss.
UNASKED = {
    "ES01",  # an extended summary only where there is more to say
    "EX01",  # examples stand at classes and functions, not at every method
    "GL01",  # the summary begins on the line of the quotes
    "RT02",  # scikit-learn names what it returns
    "SA01",  # likewise See Also
    "SA04",
}


def public_names():
    """Return the import path of every public class, function and method."""
    names = [f"sklearn_bert.exceptions.{x}" for x in sklearn_bert.exceptions.__all__]
    names += [f"sklearn_bert.datasets.{x}" for x in sklearn_bert.datasets.__all__]
    for estimator in ESTIMATORS:
        names.append(f"sklearn_bert.{estimator.__name__}")
        own = [x for x in vars(estimator) if not x.startswith("_")]
        names += [f"sklearn_bert.{estimator.__name__}.{method}" for method in own]
    return names


@pytest.mark.parametrize("name", public_names())
def test_numpydoc_finds_nothing(name):
    found = [error for error in validate(name)["errors"] if error[0] not in UNASKED]
    assert found == []


def test_every_error_is_of_the_tree():
    module = sklearn_bert.exceptions
    for name in module.__all__:
        error = getattr(module, name)
        assert issubclass(error, module.SklearnBertError | UserWarning)
        if error is not module.SklearnBertError:
            assert issubclass(error, ValueError | RuntimeError | UserWarning)


@pytest.mark.real
@pytest.mark.parametrize("module", [sklearn_bert._classifier, sklearn_bert._vectorizer])
def test_examples_in_docstrings_run(module):
    failed, attempted = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert (failed, attempted > 0) == (0, True)
