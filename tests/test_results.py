"""Calls of a method whose results go into tables."""

import numpy as np
import pytest
from scipy import sparse

from sklearn_bert._results import call, check_method


class Estimator:
    """Returns from a method what it was made with."""

    def __init__(self, result):
        self.result = result

    def predict(self, X):
        return self.result


def test_a_missing_method_is_refused_and_those_that_exist_are_named():
    with pytest.raises(ValueError, match="must have the method 'transform'") as caught:
        check_method(Estimator(None), "transform")
    assert "Pass method='predict', or another estimator." in str(caught.value)


def test_what_is_no_estimator_is_refused():
    with pytest.raises(ValueError, match=r"Got int, which does not\. Pass an est"):
        check_method(5, "transform")


def test_a_sparse_result_is_refused():
    with pytest.raises(TypeError, match=r"of Estimator\.predict must be dense"):
        call(Estimator(sparse.eye(2, format="csr")), "predict", ["a", "b"])


def test_another_number_of_rows_is_refused():
    with pytest.raises(ValueError, match="Got 3 entries for 2 rows"):
        call(Estimator(np.zeros(3)), "predict", ["a", "b"])


def test_one_entry_for_each_row_is_returned():
    result = np.zeros((2, 3))
    assert call(Estimator(result), "predict", ["a", "b"]) is result
