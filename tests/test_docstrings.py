"""Every public signature is documented, constrained and shown at work."""

import doctest
import inspect

import pytest
from sklearn.base import BaseEstimator

import sklearn_bert
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


def test_every_error_is_of_the_tree():
    module = sklearn_bert.exceptions
    for name in module.__all__:
        error = getattr(module, name)
        assert issubclass(error, module.SklearnBertError | UserWarning)
        if error is not module.SklearnBertError:
            assert issubclass(error, ValueError | RuntimeError | UserWarning)


@pytest.mark.real
@pytest.mark.parametrize("module", [sklearn_bert._vectorizer])
def test_examples_in_docstrings_run(module):
    failed, attempted = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert (failed, attempted > 0) == (0, True)
