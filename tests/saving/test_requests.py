"""Requests of metadata as dicts."""

import pickle

import pytest
from sklearn import config_context
from sklearn.base import clone

from sklearn_bert import BertClassifier, BertVectorizer
from sklearn_bert._saving.requests import METHODS, make_requests, plain_requests


@pytest.fixture
def asking():
    with config_context(enable_metadata_routing=True):
        classifier = BertClassifier().set_fit_request(sample_weight="mine")
        return classifier.set_score_request(sample_weight=False)


def test_requests_are_dicts_by_method_and_parameter(asking):
    plain = plain_requests(asking.get_metadata_routing())
    others = dict.fromkeys(["groups", "X_val", "y_val"])
    assert plain["fit"] == {"sample_weight": "mine", **others}
    assert plain["score"] == {"sample_weight": False}
    assert "transform" not in plain


def test_requests_are_made_again(asking):
    plain = plain_requests(asking.get_metadata_routing())
    made = make_requests(BertClassifier(), plain)
    assert str(made) == str(asking.get_metadata_routing())


def test_methods_are_all_that_can_have_requests():
    found = vars(BertClassifier().get_metadata_routing())
    simple = {name for name, value in found.items() if hasattr(value, "requests")}
    assert simple == {*METHODS}


def test_a_pickle_and_its_clone_ask_for_the_same(asking):
    again = pickle.loads(pickle.dumps(asking))
    assert str(again.get_metadata_routing()) == str(asking.get_metadata_routing())
    assert str(clone(again).get_metadata_routing()) == str(
        asking.get_metadata_routing()
    )


def test_requests_in_older_pickles_are_kept(asking):
    older = object.__new__(BertClassifier)
    older.__setstate__(dict(vars(asking)))
    assert str(older.get_metadata_routing()) == str(asking.get_metadata_routing())


class Weighted(BertVectorizer):
    def transform(self, X, weights=None):
        return super().transform(X)


def test_requests_of_a_method_of_a_subclass_are_kept():
    with config_context(enable_metadata_routing=True):
        asking = Weighted().set_transform_request(weights=True)
    again = pickle.loads(pickle.dumps(asking))
    assert plain_requests(again.get_metadata_routing())["transform"] == {
        "weights": True
    }
