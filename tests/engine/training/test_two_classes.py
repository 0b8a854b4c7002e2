"""The coefficients of two classes."""

import numpy as np
import pytest

from sklearn_bert._engine.training.two_classes import merge_rows_of_two_classes

COEF, INTERCEPT = np.array([[1.0, 2.0], [5.0, 4.0]]), np.array([1.0, -1.0])


def attributes(is_multilabel=False, n_classes=2):
    return {
        "classes_": np.arange(n_classes),
        "is_multilabel_": is_multilabel,
        "coef_": COEF,
        "intercept_": INTERCEPT,
    }


def test_the_row_of_two_classes_is_their_difference():
    merge_rows_of_two_classes(found := attributes())
    assert found["coef_"].tolist() == [[4.0, 2.0]]
    assert found["intercept_"].tolist() == [-2.0]


@pytest.mark.parametrize(
    "others", [attributes(is_multilabel=True), attributes(n_classes=3), {}]
)
def test_other_attributes_stay(others):
    merge_rows_of_two_classes(found := dict(others))
    assert found == others
