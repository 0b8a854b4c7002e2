"""Every public signature is documented, constrained and shown at work."""

import doctest
import inspect
import sys

import pytest
from numpydoc.validate import validate
from sklearn.base import BaseEstimator

import sklearn_bert
from sklearn_bert import (
    cache_info,
    clear_cache,
    config_context,
    convert_checkpoint,
    datasets,
    distributed,
    exceptions,
    get_config,
    inspection,
    load,
    metrics,
    model_selection,
    set_config,
    streaming,
)

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


# What the examples of these functions need.
ENGINES = {
    "dask_transform": "dask.dataframe",
    "ray_transform": "ray.data",
    "spark_udf": "pyspark.sql",
}
# What numpydoc would ask for and a reader would not miss.
UNASKED = {
    "ES01",  # an extended summary only where there is more to say
    "EX01",  # examples are in classes and functions, not in every method
    "GL01",  # the summary begins on the line of the quotes
    "RT02",  # scikit-learn names what it returns
    "SA01",  # likewise See Also
    "SA04",
}


DISPLAYS = [
    getattr(inspection, name) for name in inspection.__all__ if name.endswith("Display")
]


def own_methods(estimator):
    """Return its public methods that this package wrote, inherited ones included."""
    return [
        name
        for name, method in inspect.getmembers(estimator, callable)
        if not name.startswith("_")
        and getattr(method, "__module__", "").startswith("sklearn_bert")
    ]


def public_functions():
    fetchers = [getattr(datasets, name) for name in datasets.__all__]
    functions = [metrics.entity_f1_score, load, convert_checkpoint]
    functions += [cache_info, clear_cache, model_selection.search_space]
    of_inspection = [getattr(inspection, name) for name in inspection.__all__]
    functions += [getattr(streaming, name) for name in streaming.__all__]
    functions += [one for one in of_inspection if inspect.isfunction(one)]
    functions += [getattr(distributed, name) for name in distributed.__all__]
    return [*fetchers, *functions, config_context, get_config, set_config]


def public_names():
    """Return the import path of every public class, function and method."""
    names = [f"sklearn_bert.exceptions.{x}" for x in exceptions.__all__]
    names += [f"sklearn_bert.datasets.{x}" for x in datasets.__all__]
    names += [f"sklearn_bert.distributed.{x}" for x in distributed.__all__]
    names += [f"sklearn_bert.inspection.{x}" for x in inspection.__all__]
    for display in DISPLAYS:
        path = f"sklearn_bert.inspection.{display.__name__}"
        names += [f"{path}.{method}" for method in own_methods(display)]
    names.append("sklearn_bert.metrics.entity_f1_score")
    names.append("sklearn_bert.model_selection.search_space")
    names += [f"sklearn_bert.streaming.{x}" for x in streaming.__all__]
    names.append("sklearn_bert.convert_checkpoint")
    names += [
        "sklearn_bert.load",
        "sklearn_bert.cache_info",
        "sklearn_bert.clear_cache",
    ]
    names += [f"sklearn_bert.{x}_config" for x in ("get", "set")]
    names.append("sklearn_bert.config_context")
    for estimator in ESTIMATORS:
        path = f"sklearn_bert.{estimator.__name__}"
        names += [path, *(f"{path}.{method}" for method in own_methods(estimator))]
    return names


def test_everything_public_is_looked_at():
    assert set(sklearn_bert.__all__) == {
        *(estimator.__name__ for estimator in ESTIMATORS),
        *("__version__", "convert_checkpoint", "datasets", "exceptions", "load"),
        *("metrics", "config_context", "get_config", "set_config"),
        *("cache_info", "clear_cache", "inspection", "model_selection"),
        "distributed",
        "streaming",
    }
    assert "sklearn_bert.BertClassifier.transform" in public_names()


@pytest.mark.parametrize("name", public_names())
def test_numpydoc_finds_nothing(name):
    found = [error for error in validate(name)["errors"] if error[0] not in UNASKED]
    assert found == []


@pytest.mark.parametrize("function", public_functions())
def test_every_parameter_of_a_function_is_constrained(function):
    constrained = set(getattr(function, "_skl_parameter_constraints", ()))
    assert constrained == set(inspect.signature(function).parameters)


def test_every_error_is_of_the_tree():
    for name in exceptions.__all__:
        error = getattr(exceptions, name)
        assert issubclass(error, exceptions.SklearnBertError | UserWarning)
        if error is not exceptions.SklearnBertError:
            assert issubclass(error, ValueError | RuntimeError | UserWarning)


@pytest.mark.parametrize("shown", [*ESTIMATORS, *DISPLAYS, *public_functions()])
def test_everything_has_an_example(shown):
    assert "\nExamples\n--------\n" in inspect.cleandoc(shown.__doc__)


def needing_their_engines(functions):
    """Mark functions that need Dask, Ray or Spark."""
    return [
        pytest.param(one, marks=pytest.mark.distributed)
        if one.__name__ in ENGINES
        else one
        for one in functions
    ]


@pytest.mark.real
@pytest.mark.parametrize(
    "shown", [*ESTIMATORS, *DISPLAYS, *needing_their_engines(public_functions())]
)
def test_examples_run(shown):
    if shown.__name__ in ENGINES:
        pytest.importorskip(ENGINES[shown.__name__])
    finder, runner = (
        doctest.DocTestFinder(),
        doctest.DocTestRunner(optionflags=doctest.ELLIPSIS),
    )
    module = sys.modules[shown.__module__]
    for example in finder.find(shown, globs=vars(module).copy()):
        runner.run(example)
    assert runner.summarize().failed == 0
    assert runner.tries > 0


@pytest.mark.network
@pytest.mark.parametrize("function", public_functions())
def test_examples_that_download_run(function, monkeypatch, tmp_path):
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    skip = doctest.OPTIONFLAGS_BY_NAME["SKIP"]
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for example in doctest.DocTestFinder().find(function, globs={}):
        for line in example.examples:
            line.options.pop(skip, None)
        runner.run(example)
    assert runner.summarize().failed == 0
    assert runner.tries > 0
