"""The encoding loop keeps the order of texts and adapts to little memory."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sklearn_bert import BertVectorizer
from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.encoding import encode as module
from sklearn_bert._engine.encoding.encode import (
    EncodingConfig,
    encode,
    encode_sequences,
)
from sklearn_bert._engine.encoding.encoder import Encoder, build_encoder
from sklearn_bert._engine.encoding.readout import PooledReadout, WordReadout
from sklearn_bert._engine.text.inputs import Sentences, Texts, TokenizingConfig
from sklearn_bert._engine.training.heads import LinearHead
from sklearn_bert.exceptions import DeviceMemoryError, TruncationWarning

CPU = torch.device("cpu")


@pytest.fixture
def vectorizer(tiny_bert):
    return BertVectorizer(tiny_bert)


# Texts are tokenized and encoded in chunks of at most 4096 texts, or of four million
# characters.
N_COPIES = 4096 // 40 + 1


def many(texts):
    """Return more distinct texts than are in a chunk."""
    return [f"{text} {k}" for k in range(N_COPIES) for text in texts]


def test_chunks_by_texts_change_nothing(vectorizer, texts):
    vectorizer.set_params(dtype="float64")
    texts = many(texts)
    expected = np.vstack([vectorizer.transform(texts[k::3]) for k in range(3)])
    order = np.concatenate([np.arange(k, len(texts), 3) for k in range(3)])
    features = vectorizer.transform(texts)
    np.testing.assert_allclose(features[order], expected, rtol=0, atol=1e-9)


@pytest.mark.filterwarnings("ignore::sklearn_bert.exceptions.TruncationWarning")
def test_chunks_by_characters_change_nothing(vectorizer, texts):
    huge = "good film " * 250_000
    expected = vectorizer.transform([*texts, "good film " * 100])
    features = vectorizer.transform([*texts[:20], huge, huge, *texts[20:], huge])
    np.testing.assert_allclose(
        np.delete(features, [20, 21], axis=0), expected, rtol=0, atol=5e-6
    )
    np.testing.assert_allclose(features[[20, 21]], expected[[-1, -1]], atol=5e-6)


@pytest.mark.parametrize("batch_size", [None, 7])
def test_replicas_share_the_work_and_give_the_same_features(
    tiny_bert, texts, monkeypatch, batch_size
):
    used = []
    original = Encoder.read
    # As on a GPU with room for a hundred tokens.
    monkeypatch.setattr(module, "TOKENS_ON_CPU", 100)

    def read(self, *args):
        used.append(self)
        return original(self, *args)

    monkeypatch.setattr(Encoder, "read", read)
    files = locate(str(tiny_bert), None)
    first, second = (build_encoder(files, CPU, torch.float64) for _ in range(2))
    config = EncodingConfig(PooledReadout("mean"), (3,), batch_size=batch_size)
    given = Texts(texts), TokenizingConfig(64, "truncate"), config
    expected = encode(first, *given).features
    used.clear()
    several = replace(first, replicas=(second,))
    np.testing.assert_allclose(encode(several, *given).features, expected, rtol=1e-9)
    assert {id(one.backend) for one in used} == {id(first.backend), id(second.backend)}


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_any_number_of_streams_gives_the_same_features(
    vectorizer, texts, monkeypatch, n_threads
):
    before = torch.get_num_threads()
    expected = vectorizer.transform(texts)
    monkeypatch.setattr("sklearn_bert._engine.encoding.encode.TOKENS_ON_CPU", 64)
    try:
        torch.set_num_threads(n_threads)
        found = vectorizer.transform(texts)
    finally:
        torch.set_num_threads(before)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("n_texts", "n_batches"), [(4, 1), (5, 2), (16, 4)])
def test_all_streams_get_as_many_batches(
    vectorizer, monkeypatch, encoded_texts, n_texts, n_batches
):
    # Texts of four tokens each; four texts are too few to be divided.
    monkeypatch.setattr("sklearn_bert._engine.encoding.encode.TOKENS_ON_CPU", 16)
    monkeypatch.setattr("sklearn_bert._engine.encoding.encode.count_streams", lambda: 2)
    letters = "abcdefghijklmnop"
    vectorizer.transform([f"{one} film" for one in letters[:n_texts]])
    assert len(encoded_texts) == n_batches


def test_a_long_text_leaves_the_batches_of_others_small(
    vectorizer, monkeypatch, encoded_texts
):
    monkeypatch.setattr("sklearn_bert._engine.encoding.encode.TOKENS_ON_CPU", 16)
    short = [f"{first} {second}" for first in "abcdefg" for second in "hijklmn"]
    vectorizer.transform([*short, "film " * 60])
    # Of four tokens each.
    assert max(encoded_texts) <= 2 * 16 // 4


def test_words_go_through_the_head_chunk_by_chunk(tiny_bert, texts):
    encoder = build_encoder(locate(str(tiny_bert), None), CPU, torch.float64)
    config = EncodingConfig(WordReadout(), layers=(3,))
    tokenizing = TokenizingConfig(max_length=8, long_text="window")
    sentences = Sentences([text.split() for text in many(texts)])
    features = encode(encoder, sentences, tokenizing, config).features
    head = LinearHead(np.ones((2, features.shape[1])), np.arange(2.0))
    outputs = encode(encoder, sentences, tokenizing, config, head).features
    assert len(outputs) == sum(sentences.lengths)
    np.testing.assert_allclose(outputs, head(features), rtol=0, atol=1e-9)


class BadTexts(Texts):
    """Texts that cannot be tokenized."""

    def take(self, rows):
        return self

    def tokenize(self, tokenizer, config):
        raise ZeroDivisionError("in the other thread")


def test_an_error_while_tokenizing_ahead_reaches_the_caller(tiny_bert, texts):
    encoder = build_encoder(locate(str(tiny_bert), None), CPU, torch.float32)
    config = EncodingConfig(PooledReadout("mean"), layers=(3,))
    tokenizing = TokenizingConfig(max_length=12, long_text="truncate")
    with pytest.raises(ZeroDivisionError, match="in the other thread"):
        encode(encoder, BadTexts(many(texts)), tokenizing, config)


@pytest.mark.parametrize("n_copies", [1, N_COPIES])
@pytest.mark.parametrize("long_text", ["truncate", "window"])
def test_tokenized_texts_give_the_same_features(tiny_bert, texts, n_copies, long_text):
    encoder = build_encoder(locate(str(tiny_bert), None), CPU, torch.float64)
    config = EncodingConfig(PooledReadout("mean"), layers=(3,))
    tokenizing = TokenizingConfig(max_length=12, long_text=long_text)
    sequences = Texts(texts * n_copies).tokenize(encoder.tokenizer, tokenizing)
    expected = encode(encoder, Texts(texts), tokenizing, config).features
    features = encode_sequences(encoder, sequences, config)
    np.testing.assert_allclose(
        features, np.tile(expected, (n_copies, 1)), rtol=0, atol=1e-9
    )


class ZeroReadout(PooledReadout):
    """Reads zeros."""

    def read(self, states, batch):
        return torch.zeros_like(super().read(states, batch))


def test_no_length_is_divided_by_zero(tiny_bert):
    encoder = build_encoder(locate(str(tiny_bert), None), CPU, torch.float32)
    config = EncodingConfig(ZeroReadout("mean"), layers=(3,), normalize=True)
    tokenizing = TokenizingConfig(max_length=12, long_text="truncate")
    features = encode(encoder, Texts(["good"]), tokenizing, config).features
    assert (features == 0).all()


def count_texts(ids):
    """Count the [CLS] of a batch."""
    return int((ids == 2).sum())


@pytest.mark.parametrize("failing", range(10))
def test_a_memory_error_in_any_forward_changes_nothing(
    vectorizer, texts, shorten_memory, failing
):
    vectorizer.set_params(batch_size=4)
    expected = vectorizer.transform(texts)
    batches = shorten_memory(lambda call, ids: call == failing)
    features = vectorizer.transform(texts)
    np.testing.assert_allclose(features, expected, rtol=0, atol=5e-6)
    assert len(batches) == 10 + 2


def test_batches_become_smaller_until_they_fit(vectorizer, texts, shorten_memory):
    vectorizer.set_params(batch_size=32)
    expected = vectorizer.transform(texts)
    shorten_memory(lambda call, ids: count_texts(ids) > 3)
    features = vectorizer.transform(texts)
    np.testing.assert_allclose(features, expected, rtol=0, atol=5e-6)
    assert vectorizer.batch_size == 32


def test_the_error_names_sizes_and_remedies(vectorizer, texts, shorten_memory):
    # The encoder is loaded before memory runs out.
    vectorizer.transform(texts)
    shorten_memory(lambda call, ids: True)
    with pytest.raises(DeviceMemoryError) as caught:
        vectorizer.transform(["good film"])
    message = str(caught.value)
    assert "A single text of 4 tokens" in message
    assert "device 'cpu' (CUDA out of memory. Tried 2 GiB.)" in message
    assert "Lower max_length" in message


def test_texts_that_occur_several_times_are_encoded_once(vectorizer, encoded_texts):
    features = vectorizer.transform(["good film", "bad plot", "good film"])
    assert sum(encoded_texts) == 2
    np.testing.assert_array_equal(features[0], features[2])
    expected = vectorizer.transform(["good film", "bad plot"])
    np.testing.assert_allclose(features[:2], expected, rtol=0, atol=5e-6)


def test_pairs_that_occur_several_times_are_encoded_once(vectorizer, encoded_texts):
    pairs = [("good", "film"), ("good", "plot"), ("good", "film"), ("film", "good")]
    features = vectorizer.fit_transform(pairs)
    assert sum(encoded_texts) == 3
    np.testing.assert_array_equal(features[0], features[2])
    assert not np.allclose(features[0], features[3])


def test_every_truncated_text_counts_in_the_warning(vectorizer):
    vectorizer.set_params(max_length=4)
    long = "good bad good bad"
    with pytest.warns(TruncationWarning, match=r"2 of 3 texts \(67%\)"):
        vectorizer.transform([long, "good", long])


def test_sentences_that_occur_several_times_are_encoded_once(tiny_bert, encoded_texts):
    encoder = build_encoder(locate(str(tiny_bert), None), CPU, torch.float64)
    config = EncodingConfig(WordReadout(), layers=(3,))
    tokenizing = TokenizingConfig(max_length=8, long_text="window")
    words = [["good", "film"], ["bad"], ["good", "film"], ["good film"]]
    rows = encode(encoder, Sentences(words), tokenizing, config).features
    assert sum(encoded_texts) == 3
    np.testing.assert_array_equal(rows[:2], rows[3:5])
    alone = encode(encoder, Sentences(words[1:2]), tokenizing, config).features
    np.testing.assert_allclose(rows[2:3], alone, rtol=0, atol=1e-12)


def test_token_sequences_that_occur_several_times_are_encoded_once(
    tiny_bert, encoded_texts
):
    encoder = build_encoder(locate(str(tiny_bert), None), CPU, torch.float64)
    config = EncodingConfig(PooledReadout("mean"), layers=(3,))
    tokenizing = TokenizingConfig(max_length=8, long_text="window")
    # Upper case is the same to this tokenizer, and the second text has two windows.
    texts = ["good film", "bad plot " * 5, "Good FILM", "bad plot " * 5, "plot"]
    sequences = Texts(texts).tokenize(encoder.tokenizer, tokenizing)
    rows = encode_sequences(encoder, sequences, config)
    assert sum(encoded_texts) == 4
    assert rows.tolist() == rows[[0, 1, 0, 1, 4]].tolist()
    expected = encode(encoder, Texts(texts), tokenizing, config).features
    np.testing.assert_allclose(rows, expected, rtol=0, atol=1e-12)


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
