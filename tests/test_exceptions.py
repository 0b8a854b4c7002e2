"""The errors that a user can catch."""

import pytest

from sklearn_bert import exceptions
from sklearn_bert.exceptions import InputError


@pytest.mark.parametrize("name", exceptions.__all__)
def test_every_exception_has_a_public_base(name):
    kind = getattr(exceptions, name)
    if name == "SklearnBertError":
        assert issubclass(kind, Exception)
    elif name.endswith("Warning"):
        assert issubclass(kind, UserWarning)
    else:
        assert issubclass(kind, exceptions.SklearnBertError)
        assert issubclass(kind, ValueError | RuntimeError)


def test_every_exception_is_listed_in_the_overview():
    missing = [name for name in exceptions.__all__ if name not in exceptions.__doc__]
    assert missing == []


def test_input_error_is_a_value_error():
    assert issubclass(InputError, ValueError)
