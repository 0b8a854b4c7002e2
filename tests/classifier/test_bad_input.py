"""What BertClassifier refuses, and what it says."""

import copy
import re

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from sklearn_bert import BertClassifier
from sklearn_bert.exceptions import (
    CheckpointError,
    SklearnBertError,
)

NAN = float("nan")


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (None, "requires y to be passed, but the target y is None"),
        ([0, 1], "inconsistent numbers of samples: [4, 2]"),
        (
            [1, 1, 1, 1],
            "more than one class of positive weight. Got only one class: 1. Add",
        ),
        ([0, 1, NAN, 1], "contains NaN"),
        (["a", "b", NAN, "b"], "1 of 4 labels are missing, in row 2"),
        ([0, 1, float("inf"), 1], "Input y contains infinity"),
        ([0.5, 1.5, 2.5, 1.0], "Unknown label type: continuous"),
        ([[0, 2], [1, 1], [3, 4], [0, 1]], "be a label indicator matrix of zeros"),
        (2 * np.eye(4, 2, dtype=int) - 1, "zeros and ones if it has several"),
        (np.eye(4, 2, dtype=int) + 1, "Got the values [1, 2]"),
        (sparse.csr_array(5 * np.eye(4, 2, dtype=int)), "Got the values [5]"),
        ([["a", "b"], ["b"], [], ["a"]], "MultiLabelBinarizer"),
        ([["a", "b"], ["b", "c"], ["a", "c"], ["b", "a"]], "MultiLabelBinarizer"),
        ([["a"], ["b"], ["a"], ["b"]], "Got ['a'] (list). If texts may have"),
        ([("a",), ("b",), ("a",), ("b",)], "('a',) (tuple)"),
        ([{"a"}, {"a", "b"}, {"b"}, set()], "MultiLabelBinarizer"),
        ([None, "a", "b", "a"], "Input y contains NaN"),
        (pd.DataFrame({"y": ["a", None, "b", "a"]}), "missing, in row 1"),
        (np.array([[0, 1], [1, NAN], [0, 0], [1, 1]]), "in row 1"),
        ([{}, {}, {}, {}], "Unknown label type"),
    ],
)
def test_bad_targets_are_refused_in_scikit_learns_words(make, y, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        make().fit(["a", "b", "c", "d"], y)


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ([1, 1, 1], "sample_weight.shape == (3,), expected (4,)!"),
        ([[1], [1], [1], [1]], "Sample weights must be 1D array or scalar"),
        ([1, -1, 1, 1], "Negative values in data passed to `sample_weight`"),
        ([1, NAN, 1, 1], "Input sample_weight contains NaN"),
        ([0, 0, 0, 0], "Sample weights must contain at least one non-zero number."),
        ([0, 1, 0, 1], "Got only one class: 1. Add samples of another"),
    ],
)
def test_bad_weights_are_refused_in_scikit_learns_words(make, weights, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        make().fit(["a", "b", "c", "d"], [0, 1, 0, 1], sample_weight=weights)


@pytest.mark.parametrize("weight", [-1, NAN, float("inf")])
def test_bad_class_weights_are_refused(make, texts, labels, indicators, weight):
    for key, y in (("long", labels), (1, indicators)):
        with pytest.raises(ValueError, match="finite weights that are not negative"):
            make(class_weight={key: weight}).fit(texts, y)


def test_class_weights_that_leave_nothing_are_refused(make, texts, labels):
    with pytest.raises(ValueError, match="give some samples a positive weight"):
        make(class_weight=dict.fromkeys(labels, 0)).fit(texts, labels)


def test_class_weights_that_leave_one_class_name_it(make, texts, labels):
    with pytest.raises(ValueError, match=r"Got only one class: 'good'\. Add"):
        make(class_weight={"long": 0, "other": 0}).fit(texts, labels)


def test_class_weights_of_unknown_classes_name_the_classes(make, texts, labels):
    with pytest.raises(
        ValueError, match=r"Got the keys 'z' for the labels 'good', .*Correct"
    ):
        make(class_weight={"z": 2}).fit(texts, labels)


@pytest.mark.parametrize("class_weight", [{"good": 1}, {5: 2.0}])
def test_class_weights_of_unknown_labels_are_refused(
    make, texts, indicators, class_weight
):
    with pytest.raises(ValueError, match="column indices of y"):
        make(class_weight=class_weight).fit(texts, indicators)


@pytest.mark.parametrize("callbacks", [[print, 1], print, {}])
def test_other_callbacks_than_functions_are_refused(make, texts, labels, callbacks):
    with pytest.raises(ValueError, match=r"must be a list of functions.*\[print\], or"):
        make(callbacks=callbacks).fit(texts, labels)


@pytest.mark.parametrize("method", ["fit", "partial_fit", "predict"])
def test_the_closest_scorers_are_named(fitted, texts, labels, method):
    classifier = copy.copy(fitted).set_params(scoring="accurate")
    arguments = [texts] if method == "predict" else [texts, labels]
    with pytest.raises(ValueError, match=r"names are 'accuracy'.*get_scorer_names"):
        getattr(classifier, method)(*arguments)


def test_freezing_more_layers_than_there_are_is_refused(make, texts, labels):
    with pytest.raises(ValueError, match=r"freeze must be at most 3.*Got 9"):
        make(freeze=9).fit(texts, labels)


@pytest.mark.parametrize(
    "change",
    [
        {"n_epochs": 0},
        {"learning_rate": 0},
        {"batch_size": "auto"},
        {"dtype": "float16"},
        {"dropout": 1.0},
        {"freeze": "layers"},
        {"gradient_checkpointing": 2},
        {"scoring": 5},
        {"class_weight": "balance"},
        {"learning_rate": True},
        {"n_epochs": True},
        {"freeze": True},
    ],
    ids=str,
)
def test_bad_parameters_are_refused_in_scikit_learns_words(make, texts, labels, change):
    (name,) = change
    with pytest.raises(ValueError, match=f"The '{name}' parameter of BertClassifier"):
        make(**change).fit(texts, labels)


def test_errors_of_the_checkpoint_are_the_vectorizers(tmp_path, texts, labels):
    tmp_path.joinpath("config.json").write_text("{}")
    with pytest.raises(CheckpointError) as error:
        BertClassifier(tmp_path).fit(texts, labels)
    assert isinstance(error.value, SklearnBertError)


def test_a_label_about_memory_is_not_an_error_about_memory(make):
    with pytest.raises(ValueError, match="y must contain one label per text"):
        make().fit(["a", "b", "c", "d"], [["out of memory"]] * 4)
