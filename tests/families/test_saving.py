"""Estimators with an encoder of any family are saved and loaded."""

import pytest

from sklearn_bert import BertClassifier, BertMaskedLM, BertTokenizer, load


def reload(estimator, tmp_path):
    estimator.save(tmp_path / "file")
    return load(tmp_path / "file")


def test_a_classifier_predicts_the_same(family, texts, tmp_path):
    classifier = BertClassifier(family.folder, n_epochs=1, init="zeros", random_state=0)
    classifier.fit(texts, [len(text) % 2 for text in texts])
    loaded = reload(classifier, tmp_path)
    expected = classifier.predict_proba(texts).tolist()
    assert loaded.predict_proba(texts).tolist() == expected


def test_a_masked_language_model_scores_the_same(family, texts, tmp_path):
    model = BertMaskedLM(family.folder, max_steps=1, random_state=0).fit(texts)
    assert reload(model, tmp_path).score(texts) == model.score(texts)


def test_a_tokenizer_gives_the_same_ids(family, texts, tmp_path):
    tokenizer = BertTokenizer(family.folder).fit(texts)
    loaded = reload(tokenizer, tmp_path)
    assert loaded.transform(texts).tolist() == tokenizer.transform(texts).tolist()
    assert loaded.vocabulary_ == tokenizer.vocabulary_


@pytest.mark.parametrize("dtype", [None, "bfloat16"])
def test_modules_after_the_pooling_are_saved(
    save_model, declare, texts, tmp_path, dtype
):
    torch = pytest.importorskip("torch")
    folder = save_model(tmp_path / "model")
    dense = {"in_features": 32, "out_features": 8, "bias": True}
    dense["activation_function"] = "torch.nn.modules.activation.Tanh"
    weights = {
        "linear.weight": torch.linspace(-1, 1, 256).reshape(8, 32),
        "linear.bias": torch.linspace(0, 1, 8),
    }
    pooling = {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True}
    declare(folder, pooling, ("Dense", dense, weights), ("Normalize", {}, {}))
    classifier = BertClassifier(folder, n_epochs=1, random_state=0, dtype="float32")
    classifier.fit(texts, [len(text) % 2 for text in texts])
    assert classifier.coef_.shape[1] == 8
    classifier.save(tmp_path / "file", dtype=dtype)
    loaded = load(tmp_path / "file")
    found = loaded.predict_proba(texts)
    assert abs(found - classifier.predict_proba(texts)).max() <= (0.05 if dtype else 0)
