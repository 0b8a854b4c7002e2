"""What callbacks may be."""

import pytest

from sklearn_bert._params.callbacks import check_callbacks


@pytest.mark.parametrize("callbacks", [None, [], (print,), [print, len]])
def test_functions_are_callbacks(callbacks):
    check_callbacks(callbacks)


def test_what_cannot_be_called_is_refused():
    with pytest.raises(TypeError, match=r"Got 1 in place 1\. Give functions"):
        check_callbacks([print, 1])
