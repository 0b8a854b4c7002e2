"""Features that equal transformers'."""

import numpy as np
import pytest
import torch

from sklearn_bert import BertVectorizer
from sklearn_bert.exceptions import TruncationWarning


def pooled(states, mask, pooling):
    """Pool padded states as the textbook does."""
    if pooling == "cls":
        return states[:, 0].numpy()
    if pooling == "mean":
        return torch.stack(
            [row[keep].mean(0) for row, keep in zip(states, mask, strict=True)]
        ).numpy()
    return torch.stack(
        [row[keep].amax(0) for row, keep in zip(states, mask, strict=True)]
    ).numpy()


@pytest.mark.parametrize("pooling", ["cls", "mean", "max"])
@pytest.mark.parametrize("layer", [0, 1, 2, 3, -1, -2, -4])
def test_equals_padded_transformers(tiny_bert, texts, hf_states, pooling, layer):
    features = BertVectorizer(tiny_bert, pooling=pooling, layers=layer).transform(texts)
    states, mask = hf_states(texts)
    expected = pooled(states[layer], mask, pooling)
    np.testing.assert_allclose(features, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("pooling", ["cls", "mean", "max"])
def test_pairs_equal_padded_transformers(tiny_bert, texts, hf_states, pooling):
    first, second = texts[:20], texts[20:]
    pairs = list(zip(first, second, strict=True))
    features = BertVectorizer(tiny_bert, pooling=pooling).transform(pairs)
    states, mask = hf_states(first, second)
    expected = pooled(states[-1], mask, pooling)
    np.testing.assert_allclose(features, expected, rtol=0, atol=1e-5)


def test_comparisons_equal_padded_transformers(tiny_bert, texts, hf_states):
    first, second = texts[:20], texts[20:]
    vectorizer = BertVectorizer(tiny_bert, pooling="compare", layers=[1, -1])
    features = vectorizer.transform(list(zip(first, second, strict=True)))
    states, mask = hf_states(first, second)
    lengths = [len(hf_states([text])[1][0]) for text in first]
    is_first = torch.arange(mask.shape[1]) < torch.tensor(lengths)[:, None]
    expected = []
    for layer in (1, -1):
        a = pooled(states[layer], mask.bool() & is_first, "mean")
        b = pooled(states[layer], mask.bool() & ~is_first, "mean")
        expected += [a, b, np.abs(a - b), a * b]
    np.testing.assert_allclose(features, np.hstack(expected), rtol=0, atol=1e-5)


def test_layers_are_joined_end_to_end(tiny_bert, texts):
    both = BertVectorizer(tiny_bert, layers=[1, -1]).transform(texts)
    parts = [BertVectorizer(tiny_bert, layers=k).transform(texts) for k in (1, -1)]
    np.testing.assert_allclose(both, np.hstack(parts), rtol=0, atol=5e-6)


def test_normalize_scales_rows_to_length_one(tiny_bert, texts):
    vectorizer = BertVectorizer(tiny_bert, normalize=True, layers=[0, 3])
    lengths = np.linalg.norm(vectorizer.transform(texts), axis=1)
    np.testing.assert_allclose(lengths, 1.0, rtol=1e-6)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 5e-6), ("float64", 1e-9)])
@pytest.mark.parametrize("pooling", ["cls", "mean", "compare"])
def test_batch_composition_does_not_matter(tiny_bert, texts, dtype, tolerance, pooling):
    if pooling == "compare":
        texts = list(zip(texts[:20], texts[20:], strict=True))
    vectorizer = BertVectorizer(tiny_bert, dtype=dtype, pooling=pooling)
    expected = vectorizer.transform(texts)
    for batch_size in (1, 2, 7, 32, len(texts)):
        vectorizer.set_params(batch_size=batch_size)
        np.testing.assert_allclose(
            vectorizer.transform(texts), expected, rtol=0, atol=tolerance
        )
    for seed in range(20):
        order = np.random.RandomState(seed).permutation(len(texts))
        shuffled = vectorizer.transform([texts[i] for i in order])
        np.testing.assert_allclose(shuffled, expected[order], rtol=0, atol=tolerance)


def test_features_are_float32(vectorizer, texts):
    assert vectorizer.transform(texts).dtype == np.float32


def test_global_generators_are_left_alone(vectorizer, texts):
    torch.manual_seed(3)
    np.random.seed(3)
    expected = torch.rand(1), np.random.rand()
    torch.manual_seed(3)
    np.random.seed(3)
    vectorizer.transform(texts)
    assert (torch.rand(1), np.random.rand()) == expected


def test_an_autocast_of_the_caller_changes_no_features(own_bert, texts):
    with torch.autocast("cpu", torch.bfloat16):
        features = BertVectorizer(own_bert).fit_transform(texts)
    assert np.array_equal(features, BertVectorizer(own_bert).fit_transform(texts))


@pytest.mark.real
def test_equals_sentence_transformers():
    sentence_transformers = pytest.importorskip("sentence_transformers")
    from sklearn_bert._engine.checkpoints.files.locate import locate

    sentences = ["A joy to watch.", "Dull, dull, dull!", "", "It " * 400]
    vectorizer = BertVectorizer(normalize=True, pooling="mean")
    folder = locate(vectorizer.model, None).folder
    peer = sentence_transformers.SentenceTransformer(str(folder), device="cpu")
    with pytest.warns(TruncationWarning):
        features = vectorizer.transform(sentences)
    expected = peer.encode(sentences, show_progress_bar=False)
    np.testing.assert_allclose(features, expected, rtol=0, atol=1e-5)
