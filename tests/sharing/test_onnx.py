"""export_onnx writes what onnxruntime and tokenizers alone need for equal outputs."""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from sklearn_bert import (
    BertClassifier,
    BertRegressor,
    BertTokenClassifier,
    BertVectorizer,
)

pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

TEXTS = ["the film was good", "a bad plot", "slow and long", "it was fun"] * 3
# Texts of other lengths than the one that was traced, of any content.
NEW = ["", "good", "not [SEP] dull, but “funny” 你好", "a very long film " * 30, *TEXTS]
PAIRS = [(a, b) for a in NEW[:5] for b in NEW[:5]]
LABELS = ["good", "bad", "slow", "fun"] * 3
QUICK = {"n_epochs": 1, "random_state": 0, "dtype": "float32", "learning_rate": 1e-3}
EXACT = {"rtol": 0, "atol": 1e-5}


class Served:
    """What a program without this package makes of the folder."""

    def __init__(self, folder):
        from tokenizers import Tokenizer

        self.session = onnxruntime.InferenceSession(folder / "model.onnx")
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.metadata = self.session.get_modelmeta().custom_metadata_map
        self.outputs = [one.name for one in self.session.get_outputs()]

    def encode(self, texts, **options):
        encodings = self.tokenizer.encode_batch(texts, **options)
        inputs = {
            "input_ids": [one.ids for one in encodings],
            "attention_mask": [one.attention_mask for one in encodings],
            "token_type_ids": [one.type_ids for one in encodings],
        }
        names = [one.name for one in self.session.get_inputs()]
        return encodings, {name: np.array(inputs[name]) for name in names}

    def __call__(self, texts):
        _, inputs = self.encode(texts)
        outputs = self.session.run(self.outputs, inputs)
        return dict(zip(self.outputs, outputs, strict=True))


@pytest.fixture
def serve(tmp_path):
    """Return a function that exports an estimator and opens the folder."""

    def make(estimator):
        estimator.export_onnx(tmp_path / "exported")
        return Served(tmp_path / "exported")

    return make


def test_a_batch_has_any_number_of_texts_and_tokens(tiny_bert, serve):
    vectorizer = BertVectorizer(tiny_bert, pooling="mean")
    served = serve(vectorizer)
    for n_texts in (1, 2, 7):
        for n_words in (0, 1, 5, 30, 62):
            texts = [" ".join(["film"] * (n_words - k)) for k in range(n_texts)]
            np.testing.assert_allclose(
                served(texts)["features"], vectorizer.transform(texts), **EXACT
            )


@pytest.mark.filterwarnings("ignore:.*were truncated")
@pytest.mark.parametrize(
    "changes",
    [
        {"pooling": "max"},
        {"pooling": "cls", "layers": [0, -1]},
        {"pooling": "mean", "layers": 1, "normalize": True},
        {"pooling": "mean", "truncate_dim": 5, "normalize": True},
        {"pooling": "mean", "max_length": 12, "prompt": "watch the film "},
    ],
    ids=lambda changes: "-".join(changes),
)
def test_every_parameter_of_the_vectorizer_is_exported(tiny_bert, serve, changes):
    vectorizer = BertVectorizer(tiny_bert, **changes).fit(TEXTS)
    served = serve(vectorizer)
    found = served([served.metadata["prompt"] + text for text in NEW])["features"]
    np.testing.assert_allclose(found, vectorizer.transform(NEW), **EXACT)


@pytest.mark.filterwarnings("ignore:.*were truncated")
def test_declared_modules_are_exported(own_bert, declare, serve):
    import torch

    generator = torch.Generator().manual_seed(0)
    pooling = {
        "word_embedding_dimension": 32,
        "pooling_mode": ["cls", "weightedmean", "lasttoken"],
        "include_prompt": False,
    }
    dense = {
        "in_features": 96,
        "out_features": 8,
        "bias": False,
        "activation_function": "torch.nn.modules.activation.Tanh",
    }
    weight = torch.randn(8, 96, generator=generator)
    declare(own_bert, pooling, ("Dense", dense, {"linear.weight": weight}))
    vectorizer = BertVectorizer(own_bert, prompt="watch: ", normalize="auto").fit(TEXTS)
    served = serve(vectorizer)
    found = served(["watch: " + text for text in NEW])["features"]
    np.testing.assert_allclose(found, vectorizer.transform(NEW), **EXACT)


@pytest.mark.filterwarnings("ignore:.*were truncated")
@pytest.mark.parametrize("pooling", ["cls", "compare"])
def test_pairs_are_exported(tiny_bert, serve, pooling):
    vectorizer = BertVectorizer(tiny_bert, pooling=pooling, max_length=33).fit(PAIRS)
    served = serve(vectorizer)
    np.testing.assert_allclose(
        served(PAIRS)["features"], vectorizer.transform(PAIRS), **EXACT
    )


@pytest.mark.filterwarnings("ignore:.*were truncated")
def test_probabilities_and_labels_are_those_of_the_classifier(tiny_bert, serve):
    classifier = BertClassifier(tiny_bert, **QUICK).fit(TEXTS, LABELS)
    served = serve(classifier)
    outputs = served(NEW)
    np.testing.assert_allclose(
        outputs["probabilities"], classifier.predict_proba(NEW), **EXACT
    )
    np.testing.assert_allclose(
        outputs["logits"], classifier.decision_function(NEW), **EXACT
    )
    labels = np.array(json.loads(served.metadata["classes"]))
    np.testing.assert_array_equal(
        labels[outputs["logits"].argmax(1)], classifier.predict(NEW)
    )


@pytest.mark.filterwarnings("ignore:.*were truncated")
def test_several_labels_have_probabilities_of_their_own(tiny_bert, serve):
    y = np.array([[0, 1], [1, 0], [1, 1], [0, 0]] * 3)
    classifier = BertClassifier(tiny_bert, **QUICK).fit(TEXTS, y)
    np.testing.assert_allclose(
        serve(classifier)(NEW)["probabilities"], classifier.predict_proba(NEW), **EXACT
    )


@pytest.mark.filterwarnings("ignore:.*were truncated")
@pytest.mark.parametrize("n_targets", [0, 2])
def test_predictions_of_the_regressor_are_in_the_units_of_y(
    tiny_bert, serve, n_targets
):
    y = np.arange(12.0) * 1000
    y = np.stack([y, -y], axis=1) if n_targets else y
    regressor = BertRegressor(tiny_bert, **{**QUICK, "dtype": "float64"}).fit(TEXTS, y)
    found = serve(regressor)(NEW)["predictions"]
    expected = regressor.predict(NEW).reshape(len(NEW), -1)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-2)


def test_the_first_token_of_a_word_has_its_tags(tiny_bert, serve):
    words = [text.split() for text in TEXTS]
    tags = [["noun" if len(w) > 3 else "other" for w in one] for one in words]
    tagger = BertTokenClassifier(tiny_bert, **QUICK).fit(words, tags)
    new = [["the", "unfilmed", "story"], ["good"], "what a very long old plot".split()]
    served = serve(tagger)
    encodings, inputs = served.encode(new, is_pretokenized=True)
    probabilities = served.session.run(["probabilities"], inputs)[0]
    for row, expected in enumerate(tagger.predict_proba(new)):
        of_words = encodings[row].word_ids
        firsts = [of_words.index(k) for k in range(len(new[row]))]
        np.testing.assert_allclose(probabilities[row, firsts], expected, **EXACT)


def test_the_metadata_say_what_was_exported(tiny_bert, serve):
    classifier = BertClassifier(tiny_bert, max_length=20, **QUICK).fit(TEXTS, LABELS)
    metadata = serve(classifier).metadata
    assert metadata.pop("sklearn_bert_version", "unknown")
    assert metadata == {
        "estimator": "BertClassifier",
        "model": tiny_bert.name,
        "classes": '["bad", "fun", "good", "slow"]',
        "pooling": "cls",
        "layers": "[3]",
        "normalize": "false",
        "max_length": "20",
        "prompt": "",
    }


def test_the_metadata_of_a_vectorizer_need_no_fit(tiny_bert, serve):
    metadata = serve(BertVectorizer(tiny_bert, pooling="max")).metadata
    assert (metadata["model"], metadata["pooling"]) == (tiny_bert.name, "max")


def test_the_metadata_of_a_vectorizer_are_of_its_current_model(
    tiny_bert, own_bert, serve
):
    vectorizer = BertVectorizer(own_bert, pooling="max").fit(TEXTS)
    metadata = serve(vectorizer.set_params(model=tiny_bert, pooling="cls")).metadata
    assert (metadata["model"], metadata["pooling"]) == (tiny_bert.name, "cls")


def test_of_a_path_of_another_system_only_its_end_is_in_the_metadata(tiny_bert, serve):
    classifier = BertClassifier(tiny_bert, **QUICK).fit(TEXTS, LABELS)
    path = r"C:\Users\name\base"
    classifier.checkpoint_ = replace(classifier.checkpoint_, model=path)
    assert serve(classifier).metadata["model"] == "base"


def test_the_files_name_nothing_of_this_machine(tiny_bert, serve, tmp_path):
    serve(BertVectorizer(tiny_bert, pooling="mean").fit(TEXTS))
    folder = tmp_path / "exported"
    assert sorted(os.listdir(folder)) == [
        "model.onnx",
        "sklearn_bert.json",
        "tokenizer.json",
    ]
    package = Path(sys.modules["sklearn_bert"].__file__).parent
    places = [tmp_path, tiny_bert.parent, Path.cwd(), Path.home(), sys.prefix, package]
    for path in folder.iterdir():
        content = path.read_bytes()
        for place in [*map(str, places), ".py", "site-packages", 'File "']:
            assert place.encode() not in content


def test_exporting_says_and_changes_nothing(tiny_bert, tmp_path, capfd, caplog):
    vectorizer = BertVectorizer(tiny_bert, pooling="mean").fit(TEXTS)
    before, features = dict(vars(vectorizer)), vectorizer.transform(TEXTS)
    vectorizer.export_onnx(tmp_path / "exported")
    assert vars(vectorizer) == before
    np.testing.assert_array_equal(vectorizer.transform(TEXTS), features)
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def test_an_earlier_export_is_replaced(tiny_bert, tmp_path):
    for pooling in ("max", "cls"):
        vectorizer = BertVectorizer(tiny_bert, pooling=pooling)
        vectorizer.export_onnx(tmp_path / "exported")
    assert Served(tmp_path / "exported").metadata["pooling"] == "cls"
    assert os.listdir(tmp_path) == ["exported"]


def test_a_folder_of_save_pretrained_is_not_replaced(tiny_bert, tmp_path):
    vectorizer = BertVectorizer(tiny_bert)
    vectorizer.save_pretrained(tmp_path / "model")
    with pytest.raises(ValueError, match=r"only what export_onnx has written. Got"):
        vectorizer.export_onnx(tmp_path / "model")
    assert (tmp_path / "model" / "config.json").exists()


def test_a_folder_of_export_onnx_is_not_replaced(tiny_bert, tmp_path):
    vectorizer = BertVectorizer(tiny_bert)
    vectorizer.export_onnx(tmp_path / "model")
    with pytest.raises(ValueError, match=r"only what save_pretrained has written. Got"):
        vectorizer.save_pretrained(tmp_path / "model")
    assert (tmp_path / "model" / "model.onnx").exists()


def test_an_unfitted_estimator_is_refused(tiny_bert, tmp_path):
    with pytest.raises(NotFittedError):
        BertClassifier(tiny_bert).export_onnx(tmp_path / "exported")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("long_text", ["window", "head_tail"])
def test_texts_of_several_parts_are_refused(tiny_bert, tmp_path, long_text):
    vectorizer = BertVectorizer(tiny_bert, long_text=long_text)
    with pytest.raises(ValueError, match=f"must be 'truncate' .* Got '{long_text}'"):
        vectorizer.export_onnx(tmp_path / "exported")
    assert os.listdir(tmp_path) == []


def test_without_the_libraries_nothing_is_written(tiny_bert, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"pip install onnx onnxruntime$"):
        BertVectorizer(tiny_bert).export_onnx(tmp_path / "exported")
    assert os.listdir(tmp_path) == []
