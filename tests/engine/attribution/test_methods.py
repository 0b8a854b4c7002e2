"""Contributions of words: complete, or differences, as each method promises."""

import numpy as np
import pytest
import torch

from sklearn_bert._engine.attribution import methods
from sklearn_bert._engine.attribution.methods import Explained, attribute, neutral_id
from sklearn_bert._engine.attribution.model import EmbeddedModel
from sklearn_bert.exceptions import NonFiniteError

TEXT = "the film was very good and the plot was not"
WEIGHTS = np.array([[-1.0, 1.0, 0.0], [0.0, 0.0, 2.0]])


@pytest.fixture
def explain(embedded, read_sample):
    """Return a function that explains two numbers of a text."""

    def call(method="integrated_gradients", text=TEXT, n_steps=400, **options):
        sample = read_sample(embedded, text, **options)
        n_words = max(max(words) for words in sample.words) + 1
        explained = Explained(np.array([0, 0]), WEIGHTS)
        return attribute(
            embedded, sample, n_words, lambda _: explained, method, n_steps, row=0
        )

    return call


@pytest.mark.parametrize("max_length", [7, 64])
def test_integrated_gradients_are_complete(explain, max_length):
    found = explain(max_length=max_length)
    change = found.outputs - found.baselines
    limit = 0.01 * np.abs(found.values).sum(axis=1).min()
    np.testing.assert_allclose(found.values.sum(axis=1), change, atol=limit)


def test_batches_of_steps_change_nothing(explain, monkeypatch):
    expected = explain(n_steps=10).values
    monkeypatch.setattr(methods, "_TOKENS", 30)
    np.testing.assert_allclose(explain(n_steps=10).values, expected, atol=1e-10)
    expected = explain("occlusion").values
    monkeypatch.setattr(methods, "_TOKENS", 1)
    np.testing.assert_allclose(explain("occlusion").values, expected, atol=1e-10)


def test_occlusion_of_the_only_word_is_the_whole_change(explain):
    found = explain("occlusion", "good")
    assert found.values.shape == (2, 1)
    change = found.outputs - found.baselines
    np.testing.assert_allclose(found.values[:, 0], change, atol=1e-10)


def test_occlusion_replaces_a_word_by_the_mask_token(embedded, explain, read_sample):
    sample = read_sample(embedded, TEXT)
    ids = list(sample.sequences.ids[0])
    ids[5] = embedded.encoder.tokenizer.mask
    with torch.no_grad():
        outputs = embedded(sample, embedded.embed(ids)[None])[0].numpy()
    found = explain("occlusion")
    expected = found.outputs - outputs @ WEIGHTS.T
    np.testing.assert_allclose(found.values[:, 4], expected[0], atol=1e-10)


def test_gradient_x_input_is_the_slope_at_the_text(embedded, explain, read_sample):
    found, step = explain("gradient_x_input"), 1e-6
    sample = read_sample(embedded, TEXT)
    real = embedded.embed(sample.sequences.ids[0])
    ids = list(sample.sequences.ids[0])
    ids[5] = embedded.encoder.tokenizer.mask
    with torch.no_grad():
        moved = torch.lerp(real, embedded.embed(ids), step)
        outputs = embedded(sample, torch.stack([real, moved])).numpy()
    expected = (outputs[0] - outputs[1]) @ WEIGHTS.T / step
    np.testing.assert_allclose(found.values[:, 4], expected[0], rtol=1e-3)


@pytest.mark.parametrize(
    "method", ["integrated_gradients", "gradient_x_input", "occlusion"]
)
def test_a_text_without_words_has_no_contributions(explain, method):
    found = explain(method, "")
    assert found.values.shape == (2, 0)
    np.testing.assert_array_equal(found.outputs, found.baselines)


def test_words_that_are_not_seen_are_nan(embedded, read_sample):
    sample = read_sample(embedded, "a film")
    explained = Explained(np.array([0]), WEIGHTS[:1])
    found = attribute(embedded, sample, 3, lambda _: explained, "occlusion", 1, row=0)
    assert np.isnan(found.values).tolist() == [[False, False, True]]


def test_occlusion_takes_time_only_for_words_that_are_seen(
    embedded, read_sample, monkeypatch
):
    compute, n_copies = EmbeddedModel.__call__, []

    def count(self, sample, points):
        n_copies.append(len(points))
        return compute(self, sample, points)

    monkeypatch.setattr(EmbeddedModel, "__call__", count)
    sample, explained = read_sample(embedded, "a film"), Explained([0], WEIGHTS[:1])
    found = attribute(embedded, sample, 999, lambda _: explained, "occlusion", 1, row=0)
    assert n_copies == [2, 2]
    assert np.isnan(found.values).sum() == 997


def test_outputs_that_are_not_finite_are_refused(embedded, read_sample):
    embedded._intercept[0] = torch.inf
    with pytest.raises(NonFiniteError, match="1 of 1 rows of X, row 7"):
        attribute(
            embedded, read_sample(embedded, TEXT), 10, None, "occlusion", 1, row=7
        )


def test_a_tokenizer_without_mask_replaces_by_padding(embedded):
    tokenizer = embedded.encoder.tokenizer
    assert neutral_id(tokenizer) == tokenizer.mask
    tokenizer.mask = None
    assert neutral_id(tokenizer) == tokenizer.padding == 0
    tokenizer.padding = None
    assert tokenizer.names([neutral_id(tokenizer)]) == ["[UNK]"]
