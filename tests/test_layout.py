"""Every module has a test file of its own, at the same place under tests."""

from pathlib import Path

import pytest

import sklearn_bert

PACKAGE = Path(sklearn_bert.__file__).parent
TESTS = Path(__file__).parent
# Modules without behavior of their own, or that cannot be tested alone.
EXCEPTIONS = {
    # Dataclasses without behavior.
    "_engine/embedding_cache/store.py",
    "_engine/export/contents.py",
    "_engine/masked_lm/config.py",
    # Loading for predictions: tests/engine/masked_lm/test_predict.py.
    "_engine/masked_lm/loaded.py",
    # Only a GPU records: tests/engine/training/test_cuda_graphs.py.
    "_engine/training/graph_recorder.py",
    # Documentation, which tests/test_docstrings.py reads.
    "_params/attributes.py",
}
MODULES = sorted(
    path.relative_to(PACKAGE).as_posix()
    for path in PACKAGE.rglob("*.py")
    if path.name != "__init__.py"
)


def place_of_tests(module):
    """Return where the tests of a module are: without the underscores, in a file.

    An estimator may have a folder instead.
    """
    *folders, name = (part.removeprefix("_") for part in Path(module).parts)
    folder = TESTS.joinpath(*folders)
    whole = folder / name.removesuffix(".py")
    return whole if whole.is_dir() else folder / f"test_{name}"


@pytest.mark.parametrize("module", MODULES)
def test_every_module_has_its_tests(module):
    assert place_of_tests(module).exists() == (module not in EXCEPTIONS)


def test_exceptions_are_modules():
    assert set(MODULES) >= EXCEPTIONS
