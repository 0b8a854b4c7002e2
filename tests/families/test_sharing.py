"""transformers computes the outputs of a fine-tuned model of each family."""

import numpy as np
import pytest
import torch

from sklearn_bert import BertClassifier, BertTokenClassifier, BertVectorizer
from sklearn_bert._sharing.pretrained import write_pretrained

# transformers puts an activation and a norm in front of its linear layer, which cannot
# pass on what they read.
WITHOUT_TASK_MODELS = ("ModernBERT",)


@pytest.fixture
def options():
    return {"n_epochs": 1, "random_state": 0, "learning_rate": 1e-3, "layer_decay": 1.0}


def open_model(name, folder):
    import transformers

    kind = getattr(transformers, name)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    return kind.from_pretrained(folder).eval(), tokenizer


def write(estimator, folder):
    folder.mkdir()
    return write_pretrained(estimator._export(), folder)


@pytest.mark.filterwarnings("ignore::sklearn_bert.exceptions.TruncationWarning")
def test_a_classifier_is_a_task_model(family, texts, options, tmp_path):
    labels = [["bad", "good", "none"][len(text) % 3] for text in texts]
    classifier = BertClassifier(family.folder, pooling="cls", **options)
    classifier.fit(texts, labels)
    exported = write(classifier, tmp_path / "saved")
    assert not exported.not_reproduced
    if family.name in WITHOUT_TASK_MODELS:
        assert (exported.auto_class, exported.has_scores) == ("AutoModel", True)
        return
    assert exported.auto_class == "AutoModelForSequenceClassification"
    model, tokenizer = open_model(exported.auto_class, tmp_path / "saved")
    inputs = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
    with torch.inference_mode():
        found = model(**inputs).logits
    expected = classifier.decision_function(texts)
    scale = abs(expected).max()
    np.testing.assert_allclose(found, expected, atol=1e-5 * scale, rtol=1e-5)
    assert model.config.id2label == {0: "bad", 1: "good", 2: "none"}
    again = BertVectorizer(tmp_path / "saved").transform(texts)
    np.testing.assert_allclose(
        again, BertVectorizer(classifier).transform(texts), atol=1e-5, rtol=1e-5
    )


def test_a_tagger_is_a_task_model(family, texts, options, tmp_path):
    words = [text.split() for text in texts]
    tags = [["X" if len(word) > 3 else "O" for word in some] for some in words]
    tagger = BertTokenClassifier(family.folder, **options).fit(words, tags)
    exported = write(tagger, tmp_path / "saved")
    if family.name in WITHOUT_TASK_MODELS:
        assert (exported.auto_class, exported.head_file) == (
            "AutoModel",
            "head.safetensors",
        )
        return
    assert exported.auto_class == "AutoModelForTokenClassification"
    model, tokenizer = open_model(exported.auto_class, tmp_path / "saved")
    for row in (0, 5, 9):
        text = texts[row]
        inputs = tokenizer(text, return_tensors="pt")
        with torch.inference_mode():
            logits = model(**inputs).logits[0]
        # The first token of each word, after the special tokens.
        n_before = int((inputs["input_ids"][0] == tokenizer.cls_token_id).sum())
        words_in_text = [*words[row][:1], *(f" {word}" for word in words[row][1:])]
        pieces = [tokenizer(x, add_special_tokens=False) for x in words_in_text]
        lengths = [len(piece["input_ids"]) for piece in pieces]
        starts = np.cumsum([n_before, *lengths[:-1]])
        flat = [id_ for piece in pieces for id_ in piece["input_ids"]]
        stop = n_before + len(flat)
        assert inputs["input_ids"][0][n_before:stop].tolist() == flat
        (expected,) = tagger.decision_function([words[row]])
        scale = abs(expected).max()
        np.testing.assert_allclose(logits[starts], expected, atol=1e-5 * scale)
