"""Encoding with a cache asks for the encoder only if a text is not in the cache."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.embedding_cache.cached import TEXTS_PER_WRITE, CachedEncoder
from sklearn_bert._engine.embedding_cache.memory import MemoryStore
from sklearn_bert._engine.embedding_cache.store import StoreError
from sklearn_bert._engine.encoding.encode import encode
from sklearn_bert._engine.encoding.encoder import build_encoder
from sklearn_bert._engine.encoding.resolve import resolve_encoder
from sklearn_bert._engine.text.inputs import Texts

CPU = torch.device("cpu")


class BrokenStore(MemoryStore):
    """A store that can neither be read nor written."""

    def read(self, keys):
        raise StoreError("not readable")

    def write(self, entries):
        raise StoreError("not writable")


@pytest.fixture
def resolved(tiny_bert):
    return resolve_encoder(
        locate(str(tiny_bert), None),
        "",
        1,
        pooling="mean",
        max_length=8,
        long_text="truncate",
        prompt=None,
    )


@pytest.fixture
def loads():
    """What was loaded, in order."""
    return []


@pytest.fixture
def make(resolved, loads):
    def make(store):
        def load():
            loads.append(resolved.source)
            return build_encoder(resolved.source, CPU, torch.float64)

        return CachedEncoder(store, resolved, torch.float64, load)

    return make


def test_the_encoder_is_loaded_once_and_only_for_new_texts(make, resolved, loads):
    store, config = MemoryStore(2**20), resolved.encoding()
    for texts, n_loads in ((["good", "bad"], 1), (["bad"], 1), (["bad", "new"], 2)):
        make(store).encode(Texts(texts), config)
        assert len(loads) == n_loads


def test_features_equal_those_without_a_cache(make, resolved):
    texts, config = Texts(["good", "bad " * 20, "good", ""]), resolved.encoding()
    encoder = build_encoder(resolved.source, CPU, torch.float64)
    expected = encode(encoder, texts, resolved.tokenizing, config)
    store = MemoryStore(2**20)
    for _ in range(2):
        encoded = make(store).encode(texts, config)
        np.testing.assert_allclose(encoded.features, expected.features, atol=1e-12)
        assert encoded.is_truncated.tolist() == [False, True, False, False]


def test_no_texts_have_no_features(make, resolved):
    encoded = make(MemoryStore(2**20)).encode(Texts([]), resolved.encoding())
    assert encoded.features.shape == (0, resolved.n_features)


def test_a_store_that_fails_is_reported_and_not_used(make, resolved):
    cached = make(BrokenStore(2**20))
    encoded = cached.encode(Texts(["good"]), resolved.encoding())
    assert np.isfinite(encoded.features).all()
    assert cached.problems == ["not readable", "not writable"]


def test_an_interrupted_call_keeps_what_it_has_encoded(make, resolved):
    store, config = MemoryStore(2**26), resolved.encoding()
    write = store.write

    def write_once(entries):
        if store.info().n_vectors:
            raise KeyboardInterrupt
        write(entries)

    store.write = write_once
    texts = Texts([f"good {k}" for k in range(TEXTS_PER_WRITE + 1)])
    with pytest.raises(KeyboardInterrupt):
        make(store).encode(texts, config)
    assert store.info().n_vectors == 3 * TEXTS_PER_WRITE


@pytest.mark.parametrize("entry", [b"", b"x", bytes(1000)], ids=["0", "1", "1000"])
def test_an_entry_of_another_size_is_encoded_again(make, resolved, entry):
    store, config = MemoryStore(2**20), resolved.encoding()
    texts = Texts(["good", "bad"])
    expected = make(store).encode(texts, config).features
    read = store.read
    store.read = lambda keys: {**read(keys), keys[0]: entry}
    features = make(store).encode(texts, config).features
    np.testing.assert_allclose(features, expected, atol=1e-12)


def test_features_that_are_kept_do_not_hold_the_others(make, resolved):
    some = make(MemoryStore(2**20))
    some = replace(some, resolved=replace(resolved, n_kept=3))
    features = some.encode(Texts(["good", "bad"]), resolved.encoding()).features
    assert features.shape == (2, 3)
    assert features.base is None
