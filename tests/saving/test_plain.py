"""Fitted attributes as builtins and arrays."""

import copy
import json
import pickle
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from saving.cases import Case, as_list
from sklearn_bert import BertClassifier
from sklearn_bert._saving.plain import from_plain, to_plain
from sklearn_bert._saving.schema import RECORDS
from sklearn_bert.exceptions import SavedFileError

ONE_OF_EACH = [
    "a number",
    "classes, in parts",
    "counts of a learned vocabulary",
    "features",
    "a new model",
    "tags",
]
SOME = [
    *ONE_OF_EACH,
    "classes of objects",
    "several labels",
    "features of a classifier",
]


def is_plain(value):
    if isinstance(value, dict):
        return all(type(key) is str and is_plain(x) for key, x in value.items())
    if type(value) in (list, tuple):
        return all(map(is_plain, value))
    if type(value) is np.ndarray:
        return value.dtype.hasobject is False
    return value is None or type(value) in (bool, int, float, str)


@pytest.mark.parametrize("name", SOME)
def test_the_state_is_builtins_and_arrays(name, case):
    estimator = case(name).estimator
    parameters = estimator.get_params(deep=False)
    state = estimator.__getstate__()
    odd = [key for key in state if key not in parameters and not is_plain(state[key])]
    # An array of objects has the dtype of the labels of the user.
    assert odd == (["classes_"] if name == "classes of objects" else [])


@pytest.mark.parametrize("name", SOME)
def test_a_pickle_gives_the_same_answers(name, case):
    one = case(name)
    again = pickle.loads(pickle.dumps(one.estimator))
    assert one.answers(again) == one.answers()
    assert vars(again).keys() == vars(one.estimator).keys()
    for key, value in vars(one.estimator).items():
        assert type(vars(again)[key]) is type(value) or isinstance(value, Path)


def test_no_array_is_copied(case):
    packed = case("a number").estimator.encoder_
    again = from_plain(to_plain(packed))
    assert type(again) is type(packed)
    assert again.weights is packed.weights


def test_other_values_are_returned_as_they_are():
    for value in ({"fields": {}}, [1], np.ones(2), {1: 2}, object()):
        assert to_plain(value) is value
        assert from_plain(value) is value


def test_paths_become_texts():
    assert to_plain(Path("a") / "b") == str(Path("a/b"))


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_every_record_can_be_written_as_json_apart_from_arrays(name, case):
    state = case(name).estimator.__getstate__()
    text = json.dumps(state, default=lambda value: as_list(value))
    assert "sklearn_bert record" in text


@pytest.mark.parametrize(
    ("plain", "named"),
    [
        ({"sklearn_bert record": "Later", "fields": {}}, "'Later'"),
        ({"sklearn_bert record": "Prompts", "fields": {"later": 1}}, "'Prompts'"),
        ({"sklearn_bert record": ["a"], "fields": {}}, r"\['a'\]"),
        ({"sklearn_bert record": "TextTokenizer", "fields": {}}, "'TextTokenizer'"),
    ],
    ids=["class", "field", "name", "tokenizer"],
)
def test_records_of_later_versions_are_refused(plain, named):
    with pytest.raises(SavedFileError, match=f"{named}.*Upgrade sklearn_bert"):
        from_plain(plain)


def test_fields_with_defaults_may_be_missing_in_older_pickles(case):
    plain = to_plain(case("a number").estimator.encoder_.architecture)
    kind = RECORDS[plain["sklearn_bert record"]]
    del plain["fields"]["layer_weights"], plain["fields"]["prompts"]
    again = from_plain(plain)
    defaults = {field.name: field.default for field in fields(kind)}
    assert again.prompts == defaults["prompts"]
    assert again.layer_weights is None


def test_a_pickle_with_records_in_it_loads(case):
    """As those of earlier versions, which also had attributes that are properties."""
    one = case("a new model")
    older = object.__new__(type(one.estimator))
    state = {**vars(one.estimator), "encoder_": one.estimator.encoder_}
    older.__setstate__({**state, "vocabulary_": {"a": 0}})
    assert one.answers(older) == one.answers()
    assert "vocabulary_" not in vars(older)
    assert older.vocabulary_ == one.estimator.vocabulary_


def test_a_copy_shares_the_weights_and_is_as_independent_as_any(case):
    one = case("classes of texts")
    copied = copy.copy(one.estimator)
    assert copied.encoder_ is one.estimator.encoder_
    copied.set_params(batch_size=7)
    assert one.estimator.batch_size != 7


def test_a_deep_copy_shares_nothing(case):
    one = case("classes of texts")
    copied = copy.deepcopy(one.estimator)
    assert one.answers(copied) == one.answers()
    for name, array in one.estimator.encoder_.weights.items():
        assert not np.shares_memory(array, copied.encoder_.weights[name])


class Wider(BertClassifier):
    """A subclass of a user, with more parameters and attributes."""

    def __init__(self, model=None, *, n_epochs=1, random_state=0, more=()):
        super().__init__(model, n_epochs=n_epochs, random_state=random_state)
        self.more = more

    def fit(self, X, y):
        super().fit(X, y)
        self.first_encoder_ = (self.encoder_, {"note": Path("a")})
        self.lambda_ = {1, 2}
        return self


def test_a_subclass_with_more_attributes_can_be_pickled(tiny_bert, texts):
    fitted = Wider(str(tiny_bert), more={"x": 1}).fit(texts, [0, 1] * (len(texts) // 2))
    again = pickle.loads(pickle.dumps(fitted))
    assert (again.more, again.lambda_) == ({"x": 1}, {1, 2})
    assert type(again.first_encoder_[0]) is type(again.encoder_)
    assert Case(fitted, texts).answers(again) == Case(fitted, texts).answers()
