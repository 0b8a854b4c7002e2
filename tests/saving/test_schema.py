"""The schema names what estimators have."""

from typing import get_args, get_type_hints

import pytest
from sklearn.utils import get_tags

import sklearn_bert
from saving.cases import CASES
from sklearn_bert._saving.schema import KINDS, OPTIONAL, RECORDS


def test_every_estimator_is_known():
    assert {*KINDS} == {x for x in sklearn_bert.__all__ if x.startswith("Bert")}


@pytest.mark.parametrize("name", CASES)
def test_a_fit_sets_all_attributes_and_no_others(name, case):
    estimator = case(name).estimator
    types = KINDS[type(estimator).__name__]
    found = {*vars(estimator)} - {*estimator.get_params(deep=False), *OPTIONAL}
    is_fitted = "n_features_in_" in found
    assert is_fitted or not get_tags(estimator).requires_fit
    assert found == ({*types} if is_fitted else set())


def test_records_are_dataclasses_without_functions():
    assert all(hasattr(record, "__dataclass_fields__") for record in RECORDS.values())


def test_records_in_records_and_attributes_are_known():
    """A dataclass that becomes a part of an estimator must be listed, too."""
    known, waiting = {*RECORDS.values()}, []
    for types in KINDS.values():
        waiting += types.values()
    for record in RECORDS.values():
        waiting += get_type_hints(record).values()
    while waiting:
        hint = waiting.pop()
        waiting += get_args(hint)
        assert hint in known or not hasattr(hint, "__dataclass_fields__"), hint
