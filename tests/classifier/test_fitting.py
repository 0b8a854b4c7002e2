"""What BertClassifier makes of seeds, weights of samples and parameters."""

import numpy as np
import pandas as pd
import pytest
import torch

from classifier.weights import EXACT, assert_same_weights
from sklearn_bert.exceptions import TruncationWarning

# --- repeatable ------------------------------------------------------------------


def test_a_seed_gives_the_same_weights(make, fitted, texts, labels):
    assert_same_weights(make().fit(texts, labels), fitted)


def test_another_seed_gives_others(make, fitted, texts, labels):
    other = make(random_state=1).fit(texts, labels)
    assert not np.array_equal(other.coef_, fitted.coef_)


def test_no_seed_gives_others_each_time(make, texts, labels):
    first, second = (make(random_state=None).fit(texts, labels) for _ in range(2))
    assert not np.array_equal(first.coef_, second.coef_)


def test_a_refit_equals_a_fresh_fit(make, texts, labels, indicators):
    classifier = make(early_stopping=True).fit(texts[:30], indicators[:30])
    classifier.set_params(early_stopping=False)
    fresh = make().fit(texts, labels)
    refitted = classifier.fit(texts, labels)
    assert_same_weights(refitted, fresh)
    assert vars(refitted).keys() == vars(fresh).keys()
    assert refitted.validation_scores_ == []


def test_set_params_takes_effect_in_the_next_fit(make, texts, labels):
    classifier = make().fit(texts, labels)
    classifier.set_params(pooling="max", n_epochs=1, learning_rate=1e-4)
    expected = make(pooling="max", n_epochs=1, learning_rate=1e-4).fit(texts, labels)
    assert_same_weights(classifier.fit(texts, labels), expected)


def test_a_warning_points_at_the_callers_line(make, texts, labels):
    with pytest.warns(TruncationWarning) as caught:
        make(max_length=4).fit(texts, labels)
    assert {warning.filename for warning in caught} == {__file__}


@pytest.mark.parametrize("random_state", [0, None])
def test_global_generators_are_left_alone(make, texts, labels, random_state):
    def draw():
        return torch.rand(1).item(), np.random.rand()

    torch.manual_seed(3)
    np.random.seed(3)
    expected = draw()
    torch.manual_seed(3)
    np.random.seed(3)
    make(random_state=random_state, early_stopping=True).fit(texts, labels)
    assert draw() == expected


def test_fit_changes_no_parameter(make, texts, labels):
    classifier = make(early_stopping=True, class_weight="balanced")
    before = classifier.get_params()
    assert classifier.fit(texts, labels).get_params() == before


def test_predicting_changes_no_attribute(fitted, texts):
    before = dict(vars(fitted))
    fitted.predict(texts)
    assert vars(fitted) == before


# --- weights -----------------------------------------------------------------------


def test_weight_two_is_the_text_twice(make, texts, labels):
    weights = np.where(np.arange(40) < 10, 2, 1)
    weighted = make(**EXACT).fit(texts, labels, sample_weight=weights)
    twice = make(**EXACT).fit([*texts, *texts[:10]], [*labels, *labels[:10]])
    np.testing.assert_allclose(
        weighted.predict_proba(texts), twice.predict_proba(texts), rtol=0, atol=1e-5
    )


@pytest.mark.parametrize("class_weight", [None, "balanced", {"long": 3, "good": 0.5}])
def test_weights_are_exact_from_an_equal_start(make, texts, labels, class_weight):
    exact = {**EXACT, "init": "zeros", "class_weight": class_weight}
    weights = np.where(np.arange(40) < 10, 2, 1)
    weighted = make(**exact).fit(texts, labels, sample_weight=weights)
    twice = make(**exact).fit([*texts, *texts[:10]], [*labels, *labels[:10]])
    assert_same_weights(weighted, twice, 1e-9)


def test_weight_zero_leaves_the_text_out(make, texts, labels):
    weights = np.where(np.arange(40) < 10, 0, 1)
    without = make().fit(texts[10:], labels[10:])
    assert_same_weights(make().fit(texts, labels, sample_weight=weights), without)


def test_all_weights_alike_change_nothing(make, texts, labels):
    plain = make(init="zeros").fit(texts, labels)
    weighted = make(init="zeros").fit(texts, labels, sample_weight=np.full(40, 0.25))
    assert_same_weights(weighted, plain)


def test_class_weight_is_a_sample_weight_by_label(make, texts, labels):
    by_label = {"long": 3.0, "good": 0.5}
    weights = np.array([by_label.get(label, 1.0) for label in labels])
    by_class = make(**EXACT, class_weight=by_label).fit(texts, labels)
    by_sample = make(**EXACT).fit(texts, labels, sample_weight=weights)
    assert_same_weights(by_class, by_sample)


def test_balanced_classes_weigh_alike(make, texts, labels):
    counts = pd.Series(labels).value_counts()
    by_label = {label: 40 / (3 * count) for label, count in counts.items()}
    balanced = make(**EXACT, class_weight="balanced").fit(texts, labels)
    assert_same_weights(
        balanced, make(**EXACT, class_weight=by_label).fit(texts, labels), 1e-5
    )


def test_a_heavy_label_becomes_more_probable(
    make, texts, indicators, fitted_multilabel
):
    heavy = make(class_weight={1: 50}).fit(texts, indicators)
    gain = heavy.predict_proba(texts) - fitted_multilabel.predict_proba(texts)
    assert gain[:, 1].mean() > 0.1


def test_balanced_labels_weigh_on_and_off_alike(make, texts, indicators):
    on = indicators.sum(axis=0)
    by_label = dict(enumerate((40 - on) / on))
    balanced = make(class_weight="balanced").fit(texts, indicators)
    assert_same_weights(balanced, make(class_weight=by_label).fit(texts, indicators))


# --- parameters --------------------------------------------------------------------


def test_the_probe_is_where_training_starts(make, texts, labels):
    tuned = make(learning_rate=1e-12).fit(texts, labels)
    frozen = make(learning_rate=1e-12, init="zeros").fit(texts, labels)
    assert tuned.score(texts, labels) > frozen.score(texts, labels)
    assert abs(frozen.coef_).max() < 1e-9


@pytest.mark.parametrize(
    ("freeze", "frozen", "trained"),
    [
        (None, [], ["embeddings.word", "layer.0.", "layer.2."]),
        ("embeddings", ["embeddings."], ["layer.0.", "layer.2."]),
        (2, ["embeddings.", "layer.0.", "layer.1."], ["layer.2."]),
        ("encoder", ["embeddings.", "layer."], []),
    ],
)
def test_frozen_weights_stay(make, texts, labels, freeze, frozen, trained):
    start = make(freeze="encoder", init="zeros", n_epochs=1).fit(texts, labels)
    classifier = make(freeze=freeze).fit(texts, labels)
    assert not np.array_equal(classifier.coef_, start.coef_)
    for name, before in start.encoder_.weights.items():
        after = classifier.encoder_.weights[name]
        if any(part in name for part in frozen):
            assert np.array_equal(before, after)
        elif any(part in name for part in trained):
            assert not np.array_equal(before, after)


@pytest.mark.parametrize(
    "change",
    [
        {"dropout": 0.5},
        {"label_smoothing": 0.2},
        {"layer_decay": 0.5},
        {"schedule": "cosine"},
        {"schedule": "constant"},
        {"warmup": 0.5},
        {"weight_decay": 0.5},
        {"batch_size": 7},
        {"pooling": "max"},
        {"init": "zeros"},
    ],
    ids=str,
)
def test_every_parameter_of_training_has_an_effect(fitted, make, texts, labels, change):
    assert not np.array_equal(make(**change).fit(texts, labels).coef_, fitted.coef_)


@pytest.mark.parametrize(
    "options", [{}, {"freeze": 1}, {"long_text": "window", "max_length": 12}], ids=str
)
def test_gradient_checkpointing_gives_the_same_weights(make, texts, labels, options):
    expected = make(**options).fit(texts, labels)
    found = make(gradient_checkpointing=True, **options).fit(texts, labels)
    assert_same_weights(found, expected, tolerance=1e-6)


def test_bfloat16_autocast_learns_what_float32_learns(make, texts, labels, monkeypatch):
    in_float32 = make(dropout=0.0, dtype="float32").fit(texts, labels)
    expected = in_float32.predict_proba(texts)
    # On any CPU.
    monkeypatch.setattr(
        torch.cpu, "_is_avx512_bf16_supported", lambda: True, raising=False
    )
    options = {"dropout": 0.0, "dtype": "bfloat16"}
    make(**options, pooling="mean").fit(texts, labels)
    classifier = make(**options).fit(texts, labels).set_params(dtype="float32")
    chances = classifier.predict_proba(texts)
    assert 0 < abs(chances - expected).max() < 0.1
