"""NaN and infinity are errors wherever a model computes, and never an answer."""

import shutil
import warnings

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from sklearn_bert import (
    BertClassifier,
    BertMaskedLM,
    BertRegressor,
    BertTokenClassifier,
    BertVectorizer,
)
from sklearn_bert.exceptions import DivergenceError, NonFiniteError

QUICK = {"n_epochs": 1, "random_state": 0, "dtype": "float32"}
SOUND = ["a good film", "the bad plot", "good music", "bad and dull"]
# The vector of this word is so large that its length overflows.
HUGE = "music"
UNSOUND = [text.replace("music", "story") for text in SOUND]
ROWS = [*UNSOUND[:3], f"a {HUGE}", UNSOUND[3]]
MESSAGE = r"must be finite numbers\. Got NaN or infinity for 1 of 5 rows of X, row 3\."


@pytest.fixture(scope="module")
def overflowing(tiny_bert, vocabulary, tmp_path_factory):
    """A checkpoint of finite weights that overflow for one word."""
    folder = tmp_path_factory.mktemp("models") / "overflowing"
    shutil.copytree(tiny_bert, folder)
    weights = load_file(folder / "model.safetensors")
    name = next(x for x in weights if x.endswith("word_embeddings.weight"))
    weights[name][vocabulary.index(HUGE)] = 3e38
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    return folder


@pytest.mark.parametrize("method", ["transform", "fit_transform"])
def test_features_are_finite_or_an_error_names_the_row(overflowing, method):
    with pytest.raises(NonFiniteError, match="Features of texts " + MESSAGE):
        getattr(BertVectorizer(overflowing), method)(ROWS)


def test_the_remedy_helps(overflowing):
    with pytest.raises(NonFiniteError, match="Set dtype='float64', since"):
        BertVectorizer(overflowing).transform(ROWS)
    features = BertVectorizer(overflowing, dtype="float64").transform(ROWS)
    assert np.isfinite(features).all()


def test_features_of_overflowing_length_do_not_become_zeros(own_bert):
    weights = load_file(own_bert / "model.safetensors")
    for name in weights:
        if name.endswith("layer.2.output.LayerNorm.weight"):
            weights[name] *= 1e30
    save_file(weights, own_bert / "model.safetensors", {"format": "pt"})
    with warnings.catch_warnings():
        # NumPy's warning about the length.
        warnings.simplefilter("ignore", RuntimeWarning)
        with pytest.raises(NonFiniteError, match="5 of 5 rows of X, rows 0, 1, 2 fi"):
            BertVectorizer(own_bert, normalize=True).transform(ROWS)


FITS = {
    BertClassifier: [0, 1, 0, 1, 0],
    BertRegressor: [0.5, 1.5, 2.5, 3.5, 4.5],
}


@pytest.mark.parametrize("kind", FITS)
def test_the_linear_probe_does_not_learn_from_features_that_overflow(overflowing, kind):
    estimator = kind(overflowing, **QUICK)
    with pytest.raises(NonFiniteError, match="Features of texts " + MESSAGE):
        estimator.fit(ROWS, FITS[kind])


def test_rows_are_those_of_x_if_samples_have_no_weight(overflowing):
    with pytest.raises(NonFiniteError, match="1 of 4 rows of X, row 3"):
        BertClassifier(overflowing, **QUICK).fit(
            ROWS, FITS[BertClassifier], sample_weight=[0, 1, 1, 1, 1]
        )


METHODS = {
    BertClassifier: [
        "predict",
        "predict_proba",
        "predict_log_proba",
        "decision_function",
        "transform",
    ],
    BertRegressor: ["predict", "transform"],
}


@pytest.mark.parametrize(
    ("kind", "method"), [(kind, name) for kind in METHODS for name in METHODS[kind]]
)
def test_no_prediction_is_made_from_outputs_that_overflow(overflowing, kind, method):
    estimator = kind(overflowing, **QUICK).fit(UNSOUND, FITS[kind][:4])
    with pytest.raises(NonFiniteError, match=MESSAGE):
        getattr(estimator, method)(ROWS)
    assert len(estimator.predict(UNSOUND)) == 4


@pytest.mark.parametrize("kind", FITS)
def test_no_score_is_made_from_outputs_that_overflow(overflowing, kind):
    estimator = kind(overflowing, **QUICK).fit(UNSOUND, FITS[kind][:4])
    with pytest.raises(NonFiniteError, match=MESSAGE):
        estimator.score(ROWS, FITS[kind])


def words(texts):
    return [text.split() for text in texts]


def test_a_tagger_names_the_sentence(overflowing):
    tags = [["A", *["B"] * (len(text) - 1)] for text in words(ROWS)]
    tagger = BertTokenClassifier(overflowing, **QUICK)
    with pytest.raises(NonFiniteError, match="Features of texts " + MESSAGE):
        tagger.fit(words(ROWS), tags)
    tagger.fit(words(UNSOUND), [tags[row] for row in (0, 1, 2, 4)])
    for method in ("predict", "predict_proba", "decision_function"):
        with pytest.raises(NonFiniteError, match="Outputs of the model " + MESSAGE):
            getattr(tagger, method)(words(ROWS))


def test_a_validation_split_that_overflows_is_an_error(overflowing):
    options = {**QUICK, "early_stopping": True, "validation_fraction": 0.5}
    texts, y = [*UNSOUND, f"a {HUGE}"], [0, 1, 0, 1, 0]
    messages = []
    for seed in range(4):
        classifier = BertClassifier(overflowing, **{**options, "random_state": seed})
        with pytest.raises(NonFiniteError, match="must be finite") as caught:
            classifier.fit(texts, y)
        messages.append(str(caught.value))
    # In one seed or another the row is in the validation split.
    of_split = "Within the 3 samples of the validation split: Outputs of the model"
    assert any(message.startswith(of_split) for message in messages)


def test_a_masked_language_model_names_the_text(own_bert):
    weights = load_file(own_bert / "model.safetensors")
    name = next(x for x in weights if x.endswith("position_embeddings.weight"))
    weights[name][20] = 3e38
    save_file(weights, own_bert / "model.safetensors", {"format": "pt"})
    model = BertMaskedLM(own_bert, max_steps=1, dtype="float32", random_state=0)
    model.fit(UNSOUND)
    texts = [*UNSOUND[:3], "film " * 30, UNSOUND[3]]
    message = "Probabilities of masked tokens " + MESSAGE
    for method in (model.score, model.perplexity):
        with pytest.raises(NonFiniteError, match=message):
            method(texts)
    with pytest.raises(NonFiniteError, match=message):
        model.fill_mask([f"{text} [MASK]" for text in texts])


def test_a_divergence_is_such_an_error():
    assert issubclass(DivergenceError, NonFiniteError)


def test_validation_outputs_that_overflow_in_training_are_a_divergence(tiny_bert):
    calls = []

    def score(estimator, X, y):
        calls.append(len(X))
        if len(calls) == 3:
            # As predict would raise it.
            raise NonFiniteError("Outputs of the model must be finite numbers.")
        return float(len(calls))

    classifier = BertClassifier(
        tiny_bert,
        early_stopping=True,
        validation_fraction=0.5,
        scoring=score,
        **{**QUICK, "n_epochs": 3},
    )
    match = "outputs for the validation split became NaN or infinite after step 2 of 3"
    with pytest.raises(DivergenceError, match=match):
        classifier.fit(SOUND, [0, 1, 0, 1])
    assert len(classifier.predict(SOUND)) == 4
