"""BertClassifier: it learns, as scikit-learn expects it, and says what is wrong."""

import pickle
import re
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from scipy.special import expit, softmax
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import MultiLabelBinarizer

from sklearn_bert import BertClassifier
from sklearn_bert.exceptions import (
    CheckpointError,
    DivergenceError,
    InputError,
    InterruptedFitWarning,
    MemoryWarning,
    RareClassWarning,
    SklearnBertError,
    TruncationWarning,
)

EXACT = {"dtype": "float64", "dropout": 0.0, "batch_size": 999, "n_epochs": 2}


@pytest.fixture(scope="module")
def labels(texts):
    """Three labels that go by what stands in the texts."""
    return np.array(
        ["long" if len(t) > 80 else "good" if "good" in t else "other" for t in texts]
    )


@pytest.fixture(scope="module")
def indicators(texts):
    return np.array([[len(t) > 60, "a" in t.split(), "e" in t] for t in texts], int)


@pytest.fixture(scope="module")
def make(tiny_bert):
    """Return a function that makes a quick classifier."""

    def make(**changes):
        # In one number format everywhere, so that no test depends on the machine.
        options = {"n_epochs": 2, "learning_rate": 1e-3, "random_state": 0}
        options["dtype"] = "float32"
        return BertClassifier(tiny_bert, **{**options, **changes})

    return make


@pytest.fixture(scope="module")
def fitted(make, texts, labels):
    return make().fit(texts, labels)


@pytest.fixture(scope="module")
def fitted_multilabel(make, texts, indicators):
    return make().fit(texts, indicators)


def weights_of(classifier):
    return {
        **classifier.encoder_.weights,
        "coef": classifier.coef_,
        "intercept": classifier.intercept_,
    }


def assert_same_weights(first, second, tolerance=0.0):
    expected = weights_of(second)
    for name, value in weights_of(first).items():
        np.testing.assert_allclose(value, expected[name], rtol=0, atol=tolerance)


# --- what comes out ----------------------------------------------------------------


def test_learns_what_is_to_be_learnt(make, texts, labels):
    classifier = make(n_epochs=30, dropout=0.0).fit(texts, labels)
    assert classifier.score(texts, labels) > 0.9
    assert classifier.loss_curve_[-1] < classifier.loss_curve_[0]


def test_probabilities_are_the_softmax_of_the_decisions(fitted, texts):
    scores = fitted.decision_function(texts)
    assert scores.shape == (40, 3)
    chances = fitted.predict_proba(texts)
    np.testing.assert_allclose(chances, softmax(scores, axis=1), atol=1e-6)
    np.testing.assert_allclose(chances.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(np.log(chances), fitted.predict_log_proba(texts), 1e-3)


def test_the_most_probable_class_is_predicted(fitted, texts):
    chances = fitted.predict_proba(texts)
    expected = fitted.classes_[chances.argmax(axis=1)]
    assert fitted.predict(texts).tolist() == expected.tolist()


def test_two_classes_have_one_decision(make, texts, labels):
    classifier = make().fit(texts, labels == "long")
    scores = classifier.decision_function(texts)
    assert scores.shape == (40,)
    np.testing.assert_allclose(
        classifier.predict_proba(texts)[:, 1], expit(scores), atol=1e-6
    )
    assert (classifier.predict(texts) == (scores > 0)).all()


def test_the_linear_layer_reads_what_transform_gives(fitted, texts):
    features = fitted.transform(texts)
    assert features.shape == (40, 32)
    scores = features @ fitted.coef_.T + fitted.intercept_
    np.testing.assert_allclose(fitted.decision_function(texts), scores, atol=1e-5)
    names = fitted.get_feature_names_out()
    assert list(names[:2]) == ["bertclassifier0", "bertclassifier1"]
    assert len(names) == 32


def test_set_output_gives_named_features(fitted, texts):
    frame = (
        clone(fitted).set_output(transform="pandas").fit_transform(texts, [0, 1] * 20)
    )
    assert frame.shape == (40, 32)
    assert frame.columns[0] == "bertclassifier0"


def test_several_labels_have_a_probability_each(fitted_multilabel, texts, indicators):
    chances = fitted_multilabel.predict_proba(texts)
    scores = fitted_multilabel.decision_function(texts)
    np.testing.assert_allclose(chances, expit(scores), atol=1e-6)
    np.testing.assert_allclose(
        np.log(chances), fitted_multilabel.predict_log_proba(texts), 1e-3
    )
    predicted = fitted_multilabel.predict(texts)
    assert predicted.shape == indicators.shape
    assert (predicted == (chances > 0.5)).all()
    assert fitted_multilabel.classes_.tolist() == [0, 1, 2]


def test_sparse_labels_come_back_sparse(make, fitted_multilabel, texts, indicators):
    classifier = make().fit(texts, sparse.csr_matrix(indicators))
    predicted = classifier.predict(texts)
    assert sparse.issparse(predicted)
    assert (predicted.toarray() == fitted_multilabel.predict(texts)).all()


@pytest.mark.parametrize(
    "values",
    [
        ["a", "b", "c"],
        [3, 7, -1],
        np.array(["x", "y", "z"], dtype=object),
        [2.0, 5.0, 9.0],
        [True, False, True],
    ],
    ids=["str", "int", "object", "float", "bool"],
)
def test_labels_come_back_as_they_were(make, texts, values):
    y = np.array([values[i % 3] for i in range(40)], dtype=np.asarray(values).dtype)
    classifier = make(n_epochs=1).fit(texts, y)
    assert classifier.classes_.tolist() == sorted(set(y.tolist()))
    assert classifier.predict(texts).dtype == y.dtype
    assert set(classifier.predict(texts).tolist()) <= set(y.tolist())


def test_y_may_be_any_column(make, fitted, texts, labels):
    for y in (labels.tolist(), pd.Series(labels, index=range(40, 0, -1))):
        assert_same_weights(make().fit(texts, y), fitted)
    assert_same_weights(make().fit(texts, pd.Categorical(labels)), fitted)


def test_pairs_are_classified(make, texts):
    pairs = list(zip(texts[:20], texts[20:], strict=True))
    classifier = make().fit(pairs, [0, 1] * 10)
    assert classifier.n_features_in_ == 2
    assert classifier.predict(pairs).shape == (20,)
    with pytest.raises(InputError, match="expecting 2 features"):
        classifier.predict(texts)


# --- one text, one result ----------------------------------------------------------


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 5e-6), ("float64", 1e-9)])
def test_batch_composition_does_not_matter(make, texts, labels, dtype, tolerance):
    classifier = make(dtype=dtype).fit(texts, labels)
    expected = classifier.predict_proba(texts)
    alone = np.vstack([classifier.predict_proba([text]) for text in texts])
    np.testing.assert_allclose(alone, expected, rtol=0, atol=tolerance)
    order = np.random.RandomState(0).permutation(len(texts))
    shuffled = classifier.predict_proba([texts[i] for i in order])
    np.testing.assert_allclose(shuffled, expected[order], rtol=0, atol=tolerance)


def test_long_texts_are_read_in_windows(make, texts):
    y = [len(text) > 60 for text in texts]
    classifier = make(max_length=6, long_text="window")
    with warnings.catch_warnings():
        warnings.simplefilter("error", TruncationWarning)
        classifier.fit(texts, y)
        whole = classifier.decision_function(["good film with a dull plot"])
    windows = classifier.decision_function(["good film with a", "with a dull plot"])
    np.testing.assert_allclose(whole[0], windows.mean(), atol=1e-5)
    assert classifier.n_truncated_ == 0


def test_cutting_is_never_silent(make, texts, labels):
    with pytest.warns(TruncationWarning, match="of 40 texts") as caught:
        classifier = make(max_length=8, early_stopping=True).fit(texts, labels)
    assert len(caught) == 1
    assert classifier.n_truncated_ > 0
    with pytest.warns(TruncationWarning):
        classifier.predict(texts)


# --- repeatable --------------------------------------------------------------------


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


# --- early stopping ----------------------------------------------------------------


def test_early_stopping_keeps_the_best_weights(make, texts, labels):
    seen = []

    def scorer(estimator, X, y):
        seen.append((estimator.coef_.copy(), len(X), sorted(set(y))))
        # The first call comes before the training.
        return [0.0, 0.1, 0.8, 0.3, 0.2][len(seen) - 1]

    classifier = make(
        n_epochs=9, early_stopping=True, scoring=scorer, validation_fraction=0.25
    ).fit(texts, labels)
    assert classifier.validation_scores_ == [0.1, 0.8, 0.3, 0.2]
    assert classifier.n_iter_ == 4
    assert np.array_equal(classifier.coef_, seen[2][0])
    assert seen[0][1:] == (10, ["good", "long", "other"])


@pytest.mark.parametrize("scoring", [None, "neg_log_loss", "f1_macro"])
def test_any_scorer_will_do(make, texts, labels, scoring):
    classifier = make(early_stopping=True, scoring=scoring, validation_fraction=0.25)
    classifier.fit(texts, labels)
    assert len(classifier.validation_scores_) == 2
    assert np.isfinite(classifier.validation_scores_).all()


def test_several_labels_are_scored(make, texts, indicators):
    classifier = make(early_stopping=True, scoring="f1_micro").fit(texts, indicators)
    assert all(0 <= score <= 1 for score in classifier.validation_scores_)


def test_a_class_too_rare_to_split_stays_in_training(make, texts, labels):
    y = labels.copy()
    y[3] = "rare"
    with pytest.warns(RareClassWarning, match="1 of 4 classes") as caught:
        classifier = make(early_stopping=True).fit(texts, y)
    assert len(caught) == 1
    assert "rare" in classifier.classes_


def test_nothing_is_held_out_without_early_stopping(make, texts, labels):
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sklearn_bert._fine_tuner.hold_out", lambda *a: seen.append(a))
        make().fit(texts, labels)
    assert seen == []


def test_too_small_a_validation_set_is_refused(make, texts, labels):
    with pytest.raises(ValueError, match="The validation set is too small"):
        make(early_stopping=True, validation_fraction=0.01).fit(texts, labels)


# --- going on ----------------------------------------------------------------------


def test_a_warm_start_goes_on_from_the_weights(make, texts, labels):
    first = make(learning_rate=1e-12, n_epochs=1, warm_start=True)
    first.set_params(learning_rate=1e-3).fit(texts, labels)
    before = first.predict_proba(texts)
    first.set_params(learning_rate=1e-12).fit(texts, labels)
    np.testing.assert_allclose(first.predict_proba(texts), before, atol=1e-5)


def test_a_warm_start_refuses_other_classes(make, texts, labels):
    classifier = make(warm_start=True, n_epochs=1).fit(texts, labels)
    with pytest.raises(ValueError, match="same classes as in the previous call"):
        classifier.fit(texts, [0, 1] * 20)


def test_partial_fit_learns_bit_by_bit(make, texts, labels):
    classifier = make()
    for _ in range(30):
        for half in (slice(0, 20), slice(20, 40)):
            classifier.partial_fit(
                texts[half], labels[half], classes=["good", "long", "other"]
            )
    assert classifier.score(texts, labels) > 0.9
    assert classifier.n_iter_ == 60


def test_partial_fit_goes_on_where_a_pickle_left_off(make, texts, labels):
    classifier = make().partial_fit(texts, labels, classes=np.unique(labels))
    thawed = pickle.loads(pickle.dumps(classifier))
    assert_same_weights(
        classifier.partial_fit(texts, labels), thawed.partial_fit(texts, labels)
    )


def test_partial_fit_goes_on_from_a_fit(make, texts, labels):
    classifier = make().fit(texts, labels)
    before = classifier.predict_proba(texts)
    classifier.set_params(learning_rate=1e-12).partial_fit(texts, labels)
    np.testing.assert_allclose(classifier.predict_proba(texts), before, atol=1e-5)


def test_partial_fit_may_freeze_other_parts_later(make, texts, labels):
    classifier = make().partial_fit(texts, labels, classes=np.unique(labels))
    frozen = classifier.encoder_.weights["encoder.layer.0.output.dense.weight"].copy()
    classifier.set_params(freeze=1).partial_fit(texts, labels)
    weights = classifier.encoder_.weights
    assert np.array_equal(weights["encoder.layer.0.output.dense.weight"], frozen)


def test_a_fit_drops_what_partial_fit_kept(make, fitted, texts, labels):
    classifier = make().partial_fit(texts, labels, classes=np.unique(labels))
    assert_same_weights(classifier.fit(texts, labels), fitted)
    assert len(pickle.dumps(classifier)) < 1.1 * len(pickle.dumps(fitted))


def test_partial_fit_takes_several_labels(make, texts, indicators):
    classifier = make().partial_fit(texts, indicators, classes=[0, 1, 2])
    assert classifier.predict(texts).shape == (40, 3)


# --- pickles -----------------------------------------------------------------------


def test_a_pickle_needs_no_checkpoint(own_bert, texts, labels):
    classifier = BertClassifier(own_bert, n_epochs=1).fit(texts, labels)
    saved, expected = pickle.dumps(classifier), classifier.predict_proba(texts)
    for file in own_bert.iterdir():
        file.unlink()
    assert np.array_equal(pickle.loads(saved).predict_proba(texts), expected)


def test_a_pickle_holds_nothing_of_torch(fitted):
    saved = pickle.dumps(fitted)
    assert b"torch" not in saved
    assert b"cuda" not in saved


def test_a_fit_on_a_gpu_loads_where_there_is_none(fitted, texts, monkeypatch):
    thawed = pickle.loads(pickle.dumps(fitted))
    thawed.device_ = "cuda:0"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert np.array_equal(thawed.predict(texts), fitted.predict(texts))


def test_clones_are_not_fitted(fitted, texts):
    with pytest.raises(NotFittedError):
        clone(fitted).predict(texts)


@pytest.mark.parametrize("method", ["predict", "predict_proba", "transform"])
def test_not_fitted_is_told_before_the_input_is_looked_at(make, method):
    with pytest.raises(NotFittedError):
        getattr(make(), method)(None)


# --- when something goes wrong -----------------------------------------------------


def test_short_memory_is_told_once_and_changes_nothing(
    make, fitted, texts, labels, monkeypatch
):
    from sklearn_bert._engine.training import FineTuning

    forward, calls = FineTuning._forward, iter(range(10**6))

    def failing(self, part):
        if next(calls) == 1:
            raise torch.OutOfMemoryError("out of memory")
        return forward(self, part)

    monkeypatch.setattr(FineTuning, "_forward", failing)
    classifier = make(dropout=0.0, dtype="float64")
    with pytest.warns(MemoryWarning, match="in parts of 16") as caught:
        classifier.fit(texts, labels)
    assert len(caught) == 1
    assert classifier.batch_size == 32
    monkeypatch.undo()
    expected = make(dropout=0.0, dtype="float64").fit(texts, labels)
    np.testing.assert_allclose(
        classifier.predict_proba(texts), expected.predict_proba(texts), atol=1e-5
    )


@pytest.mark.parametrize("call", range(4))
def test_prediction_halves_batches_that_do_not_fit(fitted, texts, monkeypatch, call):
    from sklearn_bert._engine import encoding

    expected = fitted.predict_proba(texts)
    forward, calls = encoding._forward, iter(range(10**6))

    def failing(*args):
        if next(calls) == call:
            raise torch.OutOfMemoryError("out of memory")
        return forward(*args)

    monkeypatch.setattr(encoding, "_forward", failing)
    monkeypatch.setattr(encoding, "_TOKENS_ON_CPU", 200)
    np.testing.assert_allclose(fitted.predict_proba(texts), expected, atol=1e-6)


def test_divergence_is_an_error_that_leaves_a_usable_estimator(make, texts, labels):
    def spoil(state):
        if state.epoch == 1:
            raise DivergenceError("as the loop raises it")

    classifier = make(callbacks=[spoil])
    with pytest.raises(DivergenceError):
        classifier.fit(texts, labels)
    assert np.isfinite(classifier.predict_proba(texts)).all()


def test_an_interrupt_leaves_a_usable_estimator_and_warns(make, texts, labels):
    def interrupt(state):
        if state.epoch == 2:
            raise KeyboardInterrupt

    classifier = make(n_epochs=5, callbacks=[interrupt])
    with pytest.warns(InterruptedFitWarning, match="after 4 steps"):
        classifier.fit(texts, labels)
    assert classifier.n_iter_ == 2
    assert classifier.predict(texts).shape == (40,)


def test_a_failing_fit_leaves_the_estimator_as_it_was(make, texts, labels):
    classifier = make().fit(texts, labels)
    before = vars(classifier).copy()

    def fail(state):
        raise RuntimeError("mine")

    classifier.set_params(callbacks=[fail])
    with pytest.raises(RuntimeError, match="mine"):
        classifier.fit(texts, labels)
    assert vars(classifier) == {**before, "callbacks": [fail]}


# --- bad input ---------------------------------------------------------------------

NAN = float("nan")


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (None, "requires y to be passed, but the target y is None"),
        ([0, 1], "inconsistent numbers of samples: [4, 2]"),
        (
            [1, 1, 1, 1],
            "at least 2 classes in the data, but the data contains only one",
        ),
        ([0, 1, NAN, 1], "contains NaN"),
        (["a", "b", NAN, "b"], "1 of 4 labels are missing, in row 2"),
        ([0.5, 1.5, 2.5, 1.0], "Unknown label type: continuous"),
        ([[0, 2], [1, 1], [3, 4], [0, 1]], "be a label indicator matrix of zeros"),
        ([["a", "b"], ["b"], [], ["a"]], "MultiLabelBinarizer"),
        ([["a", "b"], ["b", "c"], ["a", "c"], ["b", "a"]], "MultiLabelBinarizer"),
        ([None, "a", "b", "a"], "Input y contains NaN"),
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
        ([0, 1, 0, 1], "contains only one class: "),
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
    with pytest.raises(ValueError, match="leave some samples a weight over 0"):
        make(class_weight=dict.fromkeys(labels, 0)).fit(texts, labels)


def test_class_weights_that_leave_one_class_name_it(make, texts, labels):
    with pytest.raises(ValueError, match=r"only one class: .*good"):
        make(class_weight={"long": 0, "other": 0}).fit(texts, labels)


def test_classes_may_be_a_set(make, texts, labels):
    classifier = make().partial_fit(texts, labels, classes=set(labels))
    assert classifier.classes_.tolist() == ["good", "long", "other"]


def test_one_class_is_refused_by_partial_fit_too(make):
    with pytest.raises(ValueError, match="at least 2 labels"):
        make().partial_fit(["a", "b"], ["x", "x"], classes=["x"])


def test_going_on_with_another_kind_of_labels_is_refused(make, texts, indicators):
    y = np.arange(40) % 3
    classifier = make(warm_start=True).fit(texts, indicators)
    for method in (classifier.fit, classifier.partial_fit):
        with pytest.raises(ValueError, match="of the kind of the fit before"):
            method(texts, y)


def test_a_warm_start_takes_new_lengths_and_refuses_another_model(make, texts, labels):
    classifier = make(warm_start=True, n_epochs=1).fit(texts, labels)
    classifier.set_params(max_length=32, pooling="max").fit(texts, labels)
    assert (classifier.max_length_, classifier.pooling_) == (32, "max")
    with pytest.raises(ValueError, match="must be those of the fit before"):
        classifier.set_params(model="other").fit(texts, labels)


def test_bfloat16_autocast_learns_what_float32_learns(make, texts, labels, monkeypatch):
    formats = torch.float32, torch.bfloat16
    plain = make(dropout=0.0, dtype="float32").fit(texts, labels)
    expected = plain.predict_proba(texts)
    monkeypatch.setattr(
        "sklearn_bert._fine_tuner.resolve_training_dtypes", lambda *args: formats
    )
    for pooling in ("cls", "mean"):
        make(dropout=0.0, pooling=pooling).fit(texts, labels)
    chances = make(dropout=0.0).fit(texts, labels).predict_proba(texts)
    assert 0 < abs(chances - expected).max() < 0.1


def test_partial_fit_keeps_the_scale_of_the_weights(make, texts, labels):
    classes = np.unique(labels)
    plain, light = make(), make()
    plain.partial_fit(texts, labels, classes)
    light.partial_fit(texts, labels, classes, sample_weight=np.full(40, 1e-12))
    assert abs(light.coef_).max() < abs(plain.coef_).max()


def test_partial_fit_wants_the_classes_first(make, texts, labels):
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        make().partial_fit(texts, labels)


def test_partial_fit_refuses_labels_and_classes_that_are_new(make, texts, labels):
    classifier = make().partial_fit(texts, labels, classes=["good", "long", "other"])
    with pytest.raises(ValueError, match="`y` has classes not in"):
        classifier.partial_fit(texts[:2], ["good", "new"])
    with pytest.raises(ValueError, match="is not the same as on last call"):
        classifier.partial_fit(texts, labels, classes=["good", "other"])


def test_partial_fit_refuses_balancing(make, texts, labels):
    with pytest.raises(ValueError, match="'balanced' is not supported for partial_fit"):
        make(class_weight="balanced").partial_fit(texts, labels, np.unique(labels))


@pytest.mark.parametrize("class_weight", [{"good": 1}, {5: 2.0}])
def test_class_weights_of_unknown_labels_are_refused(
    make, texts, indicators, class_weight
):
    with pytest.raises(ValueError, match="numbers of y's columns as keys"):
        make(class_weight=class_weight).fit(texts, indicators)


def test_a_callback_that_cannot_be_called_is_refused_at_once(make, texts, labels):
    with pytest.raises(TypeError, match="only functions of a training state"):
        make(callbacks=[print, 1]).fit(texts, labels)


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
        {"scoring": "fastness"},
        {"class_weight": "balance"},
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


def test_lists_of_labels_become_an_indicator_matrix(make, texts):
    lists = [["a"] if i % 2 else ["a", "b"] for i in range(40)]
    y = MultiLabelBinarizer().fit_transform(lists)
    assert make(n_epochs=1).fit(texts, y).predict(texts).shape == (40, 2)


# --- on a GPU ----------------------------------------------------------------------


@pytest.mark.gpu
def test_a_fit_on_the_gpu_gives_results_on_the_cpu(make, texts, labels):
    classifier = make(n_epochs=30, dropout=0.0).fit(texts, labels)
    assert classifier.device_.startswith("cuda")
    assert classifier.score(texts, labels) > 0.8
    assert isinstance(classifier.transform(texts), np.ndarray)
    assert b"cuda" not in pickle.dumps(classifier.encoder_)


@pytest.mark.gpu
def test_the_gpu_learns_what_the_cpu_learns(make, texts, labels):
    options = {"dtype": "float64", "dropout": 0.0}
    on_gpu = make(**options).fit(texts, labels)
    on_cpu = make(**options, device="cpu").fit(texts, labels)
    np.testing.assert_allclose(
        on_gpu.set_params(device="cpu").predict_proba(texts),
        on_cpu.predict_proba(texts),
        atol=1e-5,
    )
