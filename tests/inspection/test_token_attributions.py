"""Contributions are those of the actual output, for every estimator and option."""

import pickle
import warnings

import numpy as np
import pytest
import torch
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from sklearn_bert import BertClassifier, load
from sklearn_bert.exceptions import InputError, TruncationWarning
from sklearn_bert.inspection import token_attributions

TEXTS = ["the film was very good", "a dull story and bad music"]
SENTENCES = [text.split() for text in TEXTS]
PAIRS = [(TEXTS[0], TEXTS[1]), ("a film", "not a film")]
FINE = {"n_steps": 200}


def check_complete(found, expected):
    for one, output in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.output, output, atol=2e-4, rtol=1e-5)
        change = one.output - one.baseline_output
        total = np.nansum(one.contributions, axis=-1)
        np.testing.assert_allclose(one.error, total - change, atol=1e-9)
        limit = 0.05 * np.nansum(np.abs(one.contributions), axis=-1).max()
        assert np.abs(one.error).max() <= limit


def test_two_classes_have_log_odds(binary):
    scores = binary.decision_function(TEXTS)
    check_complete(token_attributions(binary, TEXTS, "up", **FINE), scores)
    check_complete(token_attributions(binary, TEXTS, "down", **FINE), -scores)


def test_by_default_the_prediction_is_explained(binary, fit):
    for classifier in (binary, fit("classes")):
        found = token_attributions(classifier, TEXTS, method="occlusion")
        predicted = classifier.predict(TEXTS).tolist()
        assert [one.target for one in found] == predicted
    assert [one.output > 0 for one in token_attributions(binary, TEXTS)] == [True] * 2


def test_more_classes_have_scores(fit):
    classifier = fit("classes")
    scores = classifier.decision_function(TEXTS)[:, 1]
    check_complete(token_attributions(classifier, TEXTS, "b", **FINE), scores)


def test_labels_have_scores(fit):
    classifier = fit("labels")
    scores = classifier.decision_function(TEXTS)[:, 2]
    check_complete(token_attributions(classifier, TEXTS, 2, **FINE), scores)


def test_numbers_are_in_the_units_of_y(fit):
    regressor = fit("regressor")
    check_complete(
        token_attributions(regressor, TEXTS, **FINE), regressor.predict(TEXTS)
    )
    regressor = fit("outputs")
    found = token_attributions(regressor, TEXTS, 1, **FINE)
    check_complete(found, regressor.predict(TEXTS)[:, 1])


def test_tags_have_scores(tagger):
    found = token_attributions(tagger, SENTENCES, **FINE)
    scores = tagger.decision_function(SENTENCES)
    check_complete(found, [of_words.max(axis=1) for of_words in scores])
    assert [one.target.tolist() for one in found] == tagger.predict(SENTENCES).tolist()
    assert [one.contributions.shape for one in found] == [(5, 5), (6, 6)]
    assert [one.positions.tolist() for one in found] == [[*range(5)], [*range(6)]]
    assert "spans" not in found[0]


def test_the_tag_of_one_word_is_one_row(tagger):
    whole = token_attributions(tagger, SENTENCES)
    for one, all_words in zip(
        token_attributions(tagger, SENTENCES, position=2), whole, strict=True
    ):
        expected = all_words.contributions[2:3]
        np.testing.assert_allclose(one.contributions, expected, atol=1e-4)
        assert one.positions.tolist() == [2]
        assert one.target.tolist() == all_words.target[2:3].tolist()


def test_windows_of_a_sentence_have_their_own_words(fit):
    tagger = fit("tagger", max_length=8)
    sentence = (TEXTS[0] + " " + TEXTS[1]).split()
    found = token_attributions(tagger, [sentence], **FINE)
    scores = tagger.decision_function([sentence])
    check_complete(found, [scores[0].max(axis=1)])
    # The first word is in a window without the last one.
    assert found[0].contributions[0, -1] == 0
    assert found[0].contributions[-1, -1] != 0


@pytest.mark.parametrize(
    "options",
    [
        {"pooling": "cls"},
        {"pooling": "max"},
        {"pooling": "cls+mean"},
        {"long_text": "window", "max_length": 6},
        {"prompt": "the plot: "},
        {"prompt": "the plot: ", "long_text": "window", "max_length": 10},
        {"freeze": 2},
        {"freeze": "encoder"},
        {"dtype": "float64"},
        {"gradient_checkpointing": True},
    ],
    ids=str,
)
def test_every_option_is_that_of_predictions(fit, options):
    classifier = fit("binary", **options)
    scores = classifier.decision_function(TEXTS)
    found = token_attributions(classifier, TEXTS, "up", **FINE)
    check_complete(found, scores)
    assert np.isfinite(found[0].contributions).all()


def test_an_adapter_is_part_of_the_model(fit):
    pytest.importorskip("peft")
    classifier = fit("binary", adapter="lora")
    scores = classifier.decision_function(TEXTS)
    check_complete(token_attributions(classifier, TEXTS, "up", **FINE), scores)


def test_modules_of_a_checkpoint_are_part_of_the_model(own_bert, declare, texts):
    weights = {"linear.weight": torch.eye(32)[:9], "linear.bias": torch.ones(9)}
    dense = ("Dense", {"in_features": 32, "out_features": 9}, weights)
    declare(own_bert, {"pooling_mode": "mean"}, dense, ("Normalize", {}, {}))
    classifier = BertClassifier(own_bert, n_epochs=1, device="cpu", random_state=0)
    classifier.fit(texts, np.arange(len(texts)) % 2)
    scores = classifier.decision_function(TEXTS)
    check_complete(token_attributions(classifier, TEXTS, 1, **FINE), scores)


def test_weights_in_bfloat16_are_explained_as_they_are(binary, tmp_path):
    binary.save(tmp_path / "half.bert", dtype="bfloat16")
    half = load(tmp_path / "half.bert")
    scores = half.decision_function(TEXTS)
    check_complete(token_attributions(half, TEXTS, "up", **FINE), scores)


@pytest.mark.parametrize("options", [{}, {"pooling": "compare"}], ids=str)
def test_both_texts_of_a_pair_contribute(fit, texts, options):
    classifier = fit("binary", list(zip(texts, texts[::-1], strict=True)), **options)
    found = token_attributions(classifier, PAIRS, "up", **FINE)
    check_complete(found, classifier.decision_function(PAIRS))
    assert found[1].words == ["a", "film", "not", "a", "film"]
    assert found[1].columns.tolist() == [0, 0, 1, 1, 1]
    assert (found[1].contributions != 0).all()


def test_words_that_the_model_does_not_see_are_nan(fit):
    classifier = fit("binary", ["a film", "not good"] * 4, max_length=5)
    with pytest.warns(TruncationWarning, match="2 of 2 texts"):
        found = token_attributions(classifier, TEXTS, "up", **FINE)
    assert np.isnan(found[0].contributions).tolist() == [False] * 3 + [True] * 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TruncationWarning)
        check_complete(found, classifier.decision_function(TEXTS))


@pytest.mark.parametrize(
    "method", ["integrated_gradients", "gradient_x_input", "occlusion"]
)
def test_a_text_does_not_depend_on_the_others(binary, method):
    together = token_attributions(binary, TEXTS, method=method)
    for text, one in zip(TEXTS, together, strict=True):
        (alone,) = token_attributions(binary, [text], method=method)
        np.testing.assert_array_equal(one.contributions, alone.contributions)
        assert one.words == text.split()
        assert one.spans.tolist() == alone.spans.tolist()


@pytest.mark.parametrize("kind", ["binary", "tagger"])
def test_nothing_else_changes(fit, kind):
    estimator, X = fit(kind), SENTENCES if kind == "tagger" else TEXTS
    before, state = pickle.dumps(estimator), torch.random.get_rng_state()
    with torch.inference_mode():
        token_attributions(estimator, X)
    assert pickle.dumps(estimator) == before
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize("kind", ["binary", "tagger"])
def test_contexts_of_the_caller_change_nothing(fit, kind):
    estimator, X = fit(kind), SENTENCES if kind == "tagger" else TEXTS
    expected = token_attributions(estimator, X)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        found = token_attributions(estimator, X)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a.contributions, b.contributions)


def test_texts_without_words_have_no_contributions(binary, tagger):
    for estimator, X in ((binary, ["", " "]), (tagger, [[], ["film"]])):
        first, _ = token_attributions(estimator, X)
        assert (first.words, first.contributions.size) == ([], 0)


def test_estimators_that_are_not_fitted_are_refused(tiny_bert):
    with pytest.raises(NotFittedError):
        token_attributions(BertClassifier(tiny_bert), TEXTS)


def test_other_estimators_are_refused(binary):
    message = r"estimator must be a BertClassifier.* Got a Pipeline"
    with pytest.raises(ValueError, match=message):
        token_attributions(make_pipeline(binary), TEXTS)


def test_inputs_are_those_of_predict(binary):
    with pytest.raises(InputError, match="string object received"):
        token_attributions(binary, TEXTS[0])
    with pytest.raises(InputError, match="2 features"):
        token_attributions(binary, PAIRS)


@pytest.mark.parametrize(
    "options", [{"method": "lime"}, {"n_steps": 0}, {"position": -1}], ids=str
)
def test_other_parameters_are_refused(binary, options):
    (name,) = options
    with pytest.raises(ValueError, match=f"'{name}' parameter of token_attributions"):
        token_attributions(binary, TEXTS, **options)
