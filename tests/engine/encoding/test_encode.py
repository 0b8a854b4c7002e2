"""The encoding loop: order kept, memory bounded, shortage survived."""

import numpy as np
import pytest
import torch

from sklearn_bert import BertVectorizer
from sklearn_bert._engine.checkpoints.locate import locate
from sklearn_bert._engine.encoding import encode as module
from sklearn_bert._engine.encoding.encode import (
    EncodingConfig,
    encode,
    encode_sequences,
)
from sklearn_bert._engine.encoding.encoder import build_encoder
from sklearn_bert._engine.encoding.fused import FusedBackend
from sklearn_bert._engine.encoding.readout import PooledReadout, WordReadout
from sklearn_bert._engine.text import inputs as inputs_module
from sklearn_bert._engine.text.inputs import Sentences, Texts, TokenizingConfig
from sklearn_bert._engine.text.tokenizer import TextTokenizer
from sklearn_bert._engine.training.heads import LinearHead
from sklearn_bert.exceptions import DeviceMemoryError

CPU = torch.device("cpu")


@pytest.fixture
def vectorizer(tiny_bert):
    return BertVectorizer(tiny_bert)


@pytest.mark.parametrize("limit", [1, 3, 40])
def test_chunks_by_texts_change_nothing(vectorizer, texts, monkeypatch, limit):
    expected = vectorizer.transform(texts)
    monkeypatch.setattr(inputs_module, "SAMPLES_PER_CHUNK", limit)
    features = vectorizer.transform(texts)
    np.testing.assert_allclose(features, expected, rtol=0, atol=5e-6)


@pytest.mark.parametrize("limit", [1, 100])
def test_chunks_by_characters_change_nothing(vectorizer, texts, monkeypatch, limit):
    expected = vectorizer.transform(texts)
    monkeypatch.setattr(inputs_module, "_CHARACTERS_PER_CHUNK", limit)
    features = vectorizer.transform(texts)
    np.testing.assert_allclose(features, expected, rtol=0, atol=5e-6)


@pytest.mark.parametrize("limit", [1, 3, 40])
def test_words_go_through_the_head_chunk_by_chunk(tiny_bert, texts, monkeypatch, limit):
    encoder = build_encoder(locate(str(tiny_bert), None), CPU, torch.float64)
    config = EncodingConfig(WordReadout(), layers=(3,))
    tokenizing = TokenizingConfig(max_length=8, long_text="window")
    sentences = Sentences([text.split() for text in texts])
    features = encode(encoder, sentences, tokenizing, config).features
    head = LinearHead(np.ones((2, features.shape[1])), np.arange(2.0))
    monkeypatch.setattr(inputs_module, "SAMPLES_PER_CHUNK", limit)
    outputs = encode(encoder, sentences, tokenizing, config, head).features
    assert len(outputs) == sum(sentences.lengths)
    np.testing.assert_allclose(outputs, head(features), rtol=0, atol=1e-9)


def test_an_error_while_tokenising_ahead_reaches_the_caller(
    vectorizer, texts, monkeypatch
):
    def fail(self, *args, **kwargs):
        raise ZeroDivisionError("in the other thread")

    monkeypatch.setattr(inputs_module, "SAMPLES_PER_CHUNK", 3)
    monkeypatch.setattr(TextTokenizer, "__call__", fail)
    with pytest.raises(ZeroDivisionError, match="in the other thread"):
        vectorizer.transform(texts)


@pytest.mark.parametrize("limit", [3, 4096])
@pytest.mark.parametrize("long_text", ["truncate", "window"])
def test_tokenised_texts_give_the_same_features(
    tiny_bert, texts, monkeypatch, limit, long_text
):
    encoder = build_encoder(locate(str(tiny_bert), None), CPU, torch.float64)
    config = EncodingConfig(PooledReadout("mean"), layers=(3,))
    tokenizing = TokenizingConfig(max_length=12, long_text=long_text)
    sequences = Texts(texts).tokenize(encoder.tokenizer, tokenizing)
    expected = encode(encoder, Texts(texts), tokenizing, config).features
    monkeypatch.setattr(module, "SAMPLES_PER_CHUNK", limit)
    features = encode_sequences(encoder, sequences, config)
    np.testing.assert_allclose(features, expected, rtol=0, atol=1e-9)


def test_no_length_is_divided_by_zero(tiny_bert, monkeypatch):
    monkeypatch.setattr(
        PooledReadout, "join_arrays", lambda *args: np.zeros((1, 32), np.float32)
    )
    features = BertVectorizer(tiny_bert, normalize=True).transform(["good"])
    assert (features == 0).all()


@pytest.fixture
def short_memory(monkeypatch):
    """Let a forward raise as CUDA does, when ``fails(call, batch)`` says so."""
    original = FusedBackend.hidden_states
    calls = []

    def install(fails):
        def run(self, batch, layers, *, only_first):
            calls.append(len(batch.lengths))
            if fails(len(calls), batch):
                raise torch.OutOfMemoryError("CUDA out of memory. Tried 2 GiB.\nMore")
            return original(self, batch, layers, only_first=only_first)

        monkeypatch.setattr(FusedBackend, "hidden_states", run)
        return calls

    return install


@pytest.mark.parametrize("failing_call", range(1, 11))
def test_shortage_at_any_forward_changes_nothing(
    vectorizer, texts, short_memory, failing_call
):
    vectorizer.set_params(batch_size=4)
    expected = vectorizer.transform(texts)
    calls = short_memory(lambda call, batch: call == failing_call)
    features = vectorizer.transform(texts)
    np.testing.assert_allclose(features, expected, rtol=0, atol=5e-6)
    assert len(calls) == 10 + 2


def test_lasting_shortage_is_met_by_smaller_batches(vectorizer, texts, short_memory):
    vectorizer.set_params(batch_size=32)
    expected = vectorizer.transform(texts)
    short_memory(lambda call, batch: len(batch.lengths) > 3)
    features = vectorizer.transform(texts)
    np.testing.assert_allclose(features, expected, rtol=0, atol=5e-6)
    assert vectorizer.batch_size == 32


def test_one_text_too_many_says_sizes_and_remedies(vectorizer, short_memory):
    short_memory(lambda call, batch: True)
    with pytest.raises(DeviceMemoryError) as caught:
        vectorizer.transform(["good film"])
    message = str(caught.value)
    assert "A single text of 4 tokens" in message
    assert "device 'cpu' (CUDA out of memory. Tried 2 GiB.)" in message
    assert "Lower max_length" in message


@pytest.mark.gpu
def test_gpu_features_equal_cpu_features(tiny_bert, texts):
    expected = BertVectorizer(tiny_bert, device="cpu").transform(texts)
    features = BertVectorizer(tiny_bert, device="cuda", dtype="float32").transform(
        texts
    )
    np.testing.assert_allclose(features, expected, rtol=0, atol=1e-4)


@pytest.mark.gpu
def test_gpu_bfloat16_is_close(tiny_bert, texts):
    expected = BertVectorizer(tiny_bert, device="cpu", normalize=True).transform(texts)
    features = BertVectorizer(tiny_bert, device="cuda", normalize=True).transform(texts)
    assert (features * expected).sum(axis=1).min() > 0.99
