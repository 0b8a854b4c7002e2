"""The step that a display reads, and the error without one."""

import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch

from sklearn_bert.inspection._fitted_step import find_step


def test_an_estimator_is_its_own_step():
    estimator = Bunch(loss_curve_=[1.0])
    assert find_step(estimator, "loss_curve_") is estimator


def test_a_search_over_a_pipeline_leads_to_its_last_step():
    last = LogisticRegression()
    last.loss_curve_ = [1.0]
    search = Bunch(best_estimator_=Pipeline([("first", "passthrough"), ("last", last)]))
    assert find_step(search, "loss_curve_") is last


def test_an_estimator_that_is_not_fitted_is_named():
    with pytest.raises(NotFittedError, match=r"loss_curve_.*LogisticRegression"):
        find_step(LogisticRegression(), "loss_curve_")
