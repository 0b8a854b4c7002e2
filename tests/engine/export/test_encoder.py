"""A folder without a task model gives the outputs as scores of its modules."""

import json
import warnings

import numpy as np
import pytest
from families.layouts import dense
from safetensors.numpy import load_file

from sklearn_bert import (
    BertClassifier,
    BertMaskedLM,
    BertRegressor,
    BertTokenClassifier,
    BertVectorizer,
)
from sklearn_bert._sharing.pretrained import write_pretrained

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from sentence_transformers import CrossEncoder, SentenceTransformer
    from sentence_transformers.sentence_transformer import modules as st

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::sklearn_bert.exceptions.TruncationWarning"),
]
OPTIONS = {"n_epochs": 1, "random_state": 0}
NOT_PASSED_ON = {
    "mean": {"pooling": "mean"},
    "max": {"pooling": "max"},
    "prompt": {"pooling": "cls", "prompt": "this is a "},
}


def write(estimator, folder):
    folder.mkdir()
    return write_pretrained(estimator._export(), folder)


@pytest.fixture(scope="module")
def labels(texts):
    return [["bad", "good", "none"][len(text) % 3] for text in texts]


def scores_of(folder, texts):
    whole = SentenceTransformer(str(folder), device="cpu")
    return np.stack([row["scores"] for row in whole.encode(texts, output_value=None)])


@pytest.mark.parametrize("parameters", NOT_PASSED_ON.values(), ids=list(NOT_PASSED_ON))
def test_sentence_transformers_computes_the_scores(
    tiny_bert, texts, labels, tmp_path, parameters
):
    classifier = BertClassifier(tiny_bert, **parameters, **OPTIONS).fit(texts, labels)
    exported = write(classifier, tmp_path / "saved")
    assert exported.task == "text-classification"
    assert exported.auto_class == "AutoModel"
    assert exported.has_scores
    assert not exported.not_reproduced
    expected = classifier.decision_function(texts)
    found = scores_of(tmp_path / "saved", texts)
    np.testing.assert_allclose(found, expected, atol=1e-5, rtol=1e-5)
    config = json.loads((tmp_path / "saved" / "config.json").read_text())
    assert config["architectures"] == ["BertModel"]
    assert config["id2label"] == {"0": "bad", "1": "good", "2": "none"}


def test_a_cross_encoder_of_its_modules_predicts(tiny_bert, texts, labels, tmp_path):
    classifier = BertClassifier(tiny_bert, pooling="mean", **OPTIONS)
    pairs = list(zip(texts, texts[::-1], strict=True))
    classifier.fit(pairs, labels)
    write(classifier, tmp_path / "saved")
    modules = [*SentenceTransformer(str(tmp_path / "saved"), device="cpu")]
    cross = CrossEncoder(modules=modules, device="cpu")
    found = cross.predict(pairs, apply_softmax=True)
    np.testing.assert_allclose(found, classifier.predict_proba(pairs), atol=1e-5)


def test_the_head_file_and_the_features_give_the_outputs(
    tiny_bert, texts, labels, tmp_path
):
    classifier = BertClassifier(tiny_bert, pooling="mean", **OPTIONS).fit(texts, labels)
    exported = write(classifier, tmp_path / "saved")
    head = load_file(tmp_path / "saved" / exported.head_file)
    features = SentenceTransformer(str(tmp_path / "saved"), device="cpu").encode(texts)
    found = features @ head["weight"].T + head["bias"]
    np.testing.assert_allclose(found, classifier.decision_function(texts), atol=1e-5)


def test_the_scores_of_a_comparison_are_not_declared(tiny_bert, texts, tmp_path):
    pairs = list(zip(texts, texts[::-1], strict=True))
    numbers = [float(len(text)) for text in texts]
    regressor = BertRegressor(tiny_bert, pooling="compare", **OPTIONS)
    exported = write(regressor.fit(pairs, numbers), tmp_path / "saved")
    assert exported.not_reproduced == (
        "the comparison of the two texts of a pair",
        "the linear layer on the features, which is in head.safetensors",
    )
    assert (exported.has_scores, exported.has_sentence_transformer) == (False, True)
    head = load_file(tmp_path / "saved" / exported.head_file)
    features = BertVectorizer(tmp_path / "saved").transform(pairs)
    found = features @ head["weight"].T + head["bias"]
    np.testing.assert_allclose(found[:, 0], regressor.predict(pairs), rtol=1e-5)


def test_texts_that_are_read_in_windows_are_told(tiny_bert, texts, labels, tmp_path):
    classifier = BertClassifier(tiny_bert, pooling="cls", long_text="window", **OPTIONS)
    exported = write(classifier.fit(texts, labels), tmp_path / "saved")
    assert exported.auto_class == "AutoModel"
    (why,) = exported.not_reproduced
    assert why.startswith("long_text='window': ")


def test_declared_modules_come_before_the_scores(tiny_bert, texts, labels, tmp_path):
    parts = [st.Transformer(str(tiny_bert)), st.Pooling(32, "mean"), dense(32, 16)()]
    whole = SentenceTransformer(modules=parts, device="cpu", truncate_dim=8)
    whole.save(str(tmp_path / "declared"), create_model_card=False)
    classifier = BertClassifier(tmp_path / "declared", **OPTIONS).fit(texts, labels)
    assert classifier.coef_.shape == (3, 8)
    assert not write(classifier, tmp_path / "saved").not_reproduced
    found = scores_of(tmp_path / "saved", texts)
    np.testing.assert_allclose(found, classifier.decision_function(texts), atol=1e-5)


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_the_folder_is_a_model_of_every_estimator(
    tiny_bert, texts, labels, tmp_path, pooling
):
    classifier = BertClassifier(tiny_bert, pooling=pooling, **OPTIONS)
    classifier.fit(texts, labels)
    write(classifier, tmp_path / "saved")
    expected = BertVectorizer(classifier).fit_transform(texts)
    vectorizer = BertVectorizer(tmp_path / "saved")
    np.testing.assert_allclose(vectorizer.fit_transform(texts), expected, atol=1e-5)
    assert vectorizer.pooling_ == pooling
    encode = SentenceTransformer(str(tmp_path / "saved"), device="cpu").encode
    np.testing.assert_allclose(encode(texts), expected, atol=1e-5)
    words = [["a", "film"], ["the", "plot"]] * 2
    still = {"learning_rate": 1e-12, "n_epochs": 1, "random_state": 0}
    for estimator in (
        BertClassifier(tmp_path / "saved", **still).fit(texts, labels),
        BertTokenClassifier(tmp_path / "saved", **still).fit(words, [["X", "O"]] * 4),
        BertMaskedLM(tmp_path / "saved", max_steps=1).fit(texts),
    ):
        assert estimator.encoder_.weights.keys() == classifier.encoder_.weights.keys()
    assert BertRegressor(tmp_path / "saved", **still).fit(texts, range(40)).n_iter_ == 1
