"""Parameters in a model card are code, and say nothing about the machine."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator

from sklearn_bert import (
    BertClassifier,
    BertMaskedLM,
    BertTokenizer,
    BertVectorizer,
)
from sklearn_bert._sharing.parameters import name_of, show_call, show_reading


class Derived(BertVectorizer):
    pass


def callback(state):
    pass


def test_only_changed_parameters_are_shown():
    classifier = BertClassifier(
        n_epochs="auto", batch_size=8, class_weight={"good": 2.0}
    )
    assert show_call(classifier, "'base'") == [
        "BertClassifier(",
        "    batch_size=8,",
        "    class_weight={'good': 2.0},",
        ")",
    ]
    assert show_call(BertTokenizer(), "'base'") == ["BertTokenizer()"]


def test_the_model_is_what_the_caller_knows_of_it():
    for model in ("/srv/models/base", Path("/srv/models/base"), BertMaskedLM()):
        assert show_call(BertVectorizer(model), "'base'") == [
            "BertVectorizer(",
            "    model='base',",
            ")",
        ]


@pytest.mark.parametrize(
    ("params", "shown"),
    [
        ({"callbacks": [callback]}, "callbacks=[<callback>]"),
        ({"scoring": callback}, "scoring=<callback>"),
        ({"random_state": np.random.RandomState(0)}, "random_state=<RandomState>"),
        ({"batch_size": np.int64(8)}, "batch_size=8"),
        ({"prompt": "a\n```\nb"}, r"prompt='a\n```\nb'"),
        ({"class_weight": dict.fromkeys(range(51), 1.0)}, "class_weight=<dict>"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_values_are_code_or_a_name(params, shown):
    assert show_call(BertClassifier(**params), "")[1] == f"    {shown},"


def test_containers_of_builtin_values_are_code():
    assert show_reading(BertVectorizer(layers=(-1, 0), normalize=True)) == [
        "layers=(-1, 0)",
        "normalize=True",
    ]
    assert show_reading(BertVectorizer(layers=(-1,))) == ["layers=(-1,)"]
    assert show_reading(BertVectorizer(layers=[-1])) == ["layers=[-1]"]


@pytest.mark.parametrize(
    "folder", ["/srv/models/run", Path("/srv/models/run/"), r"C:\run"]
)
def test_of_a_path_only_its_end_is_shown(folder):
    masked = BertMaskedLM(checkpoint_dir=folder)
    assert show_call(masked, "")[1] == "    checkpoint_dir='run',"
    vectorizer = BertVectorizer(cache=folder)
    assert show_call(vectorizer, "")[1] == "    cache='run',"


def test_another_estimator_is_its_class():
    other = FrozenEstimator(BertMaskedLM("/srv/models/base"))
    shown = "\n".join(show_call(BertClassifier(callbacks=[other]), ""))
    assert "callbacks=[FrozenEstimator(...)]" in shown
    assert "ann" not in shown


def test_only_what_changes_the_reading_of_texts_is_repeated():
    vectorizer = BertVectorizer("base", pooling="max", device="cpu", prompt="query: ")
    assert show_reading(vectorizer) == ["pooling='max'", "prompt='query: '"]


def test_a_derived_estimator_has_the_name_of_the_public_one():
    assert name_of(Derived()) == "BertVectorizer"
    assert show_call(Derived(), "") == ["BertVectorizer()"]
