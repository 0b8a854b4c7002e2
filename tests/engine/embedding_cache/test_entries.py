"""Keys tell apart whatever has other vectors, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.packed import pack
from sklearn_bert._engine.checkpoints.source import load
from sklearn_bert._engine.embedding_cache import entries
from sklearn_bert._engine.embedding_cache.entries import (
    describe,
    entries_of,
    keys_of,
    parts_of,
    size_of,
    vectors_of,
    with_all_poolings,
)
from sklearn_bert._engine.encoding.resolve import resolve_encoder
from sklearn_bert._engine.text.inputs import Texts

FLOAT32 = np.dtype(np.float32)
OPTIONS = {
    "pooling": "cls",
    "max_length": None,
    "long_text": "truncate",
    "prompt": None,
}


@pytest.fixture(scope="module")
def source(tiny_bert):
    return locate(str(tiny_bert), None)


@pytest.fixture(scope="module")
def resolve(source):
    return lambda **options: resolve_encoder(source, "", 1, **{**OPTIONS, **options})


@pytest.mark.parametrize(
    "option",
    [{"max_length": 5}, {"long_text": "window"}, {"prompt": "query: "}],
    ids=lambda option: next(iter(option)),
)
def test_descriptions_differ_in_the_tokenization(resolve, option):
    one, two = (describe(resolve(**x), FLOAT32, "float32") for x in ({}, option))
    assert one != two


def test_descriptions_differ_in_the_dtypes(resolve):
    dtypes = [(FLOAT32, "float32"), (FLOAT32, "float16"), (np.dtype(float), "float64")]
    assert len({describe(resolve(), *pair) for pair in dtypes}) == 3


def test_descriptions_differ_in_the_contents_of_the_checkpoint(resolve, source):
    resolved = resolve()
    digests = {**source.digests, "model.safetensors": "0" * 64}
    other = replace(resolved, source=replace(source, digests=digests))
    assert describe(resolved, FLOAT32, "") != describe(other, FLOAT32, "")


def test_descriptions_differ_in_what_a_checkpoint_declares(resolve):
    resolved = resolve()
    architecture = replace(resolved.architecture, include_prompt=False)
    other = replace(resolved, architecture=architecture)
    assert describe(resolved, FLOAT32, "") != describe(other, FLOAT32, "")


def test_a_digest_that_a_file_claims_does_not_count(resolve, source):
    packed = pack(load(source))
    resolved = replace(resolve(), source=packed)
    claiming = replace(resolved, source=replace(packed, digest="0" * 64))
    assert describe(resolved, FLOAT32, "") == describe(claiming, FLOAT32, "")
    weights = {name: 2 * array for name, array in packed.weights.items()}
    other = replace(resolved, source=replace(packed, weights=weights))
    assert describe(resolved, FLOAT32, "") != describe(other, FLOAT32, "")


def test_descriptions_differ_in_the_packages(resolve, monkeypatch):
    before = describe(resolve(), FLOAT32, "")
    monkeypatch.setattr(entries, "_versions", lambda: {"transformers": "99"})
    assert describe(resolve(), FLOAT32, "") != before


def test_descriptions_contain_no_place(resolve, source):
    assert str(source.folder) not in describe(resolve(), FLOAT32, "float32")


def test_a_part_is_a_layer_and_a_pooling(resolve):
    parts = parts_of(resolve(pooling="cls+mean", layers=[-2, -1]))
    assert parts == ['[2, "cls"]', '[2, "mean"]', '[3, "cls"]', '[3, "mean"]']
    assert parts_of(resolve(pooling="mean", layers=2)) == parts[1:2]


def test_what_modules_have_changed_is_one_part(resolve):
    resolved = replace(resolve(pooling="cls+mean"), n_modules=1)
    assert len(parts_of(resolved)) == 1
    assert parts_of(resolved) != parts_of(replace(resolved, n_modules=2))


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (Texts(["ab"]), Texts(["a", "b"])),
        (Texts(["ab"]), Texts(["a"], ["b"])),
        (Texts(["ab"], ["c"]), Texts(["a"], ["bc"])),
        (Texts(["a"]), Texts(["a"], [""])),
        (Texts(["é"]), Texts(["e\u0301"])),
    ],
    ids=["texts", "pair", "border", "empty", "normalization"],
)
def test_texts_have_keys_of_their_own(one, two):
    assert not {*keys_of("", [""], one)} & {*keys_of("", [""], two)}


def test_keys_differ_in_the_description_and_the_part():
    names = [("a", "b"), ("a", "c"), ("c", "b"), ("", "ab")]
    keys = [keys_of(name, [part], Texts(["a"]))[0] for name, part in names]
    assert len({*keys}) == 4


def test_texts_have_a_key_for_each_part():
    one, both = (keys_of("a", parts, Texts(["a", "b"])) for parts in ("c", "bc"))
    assert both[1::2] == one
    assert len({*both}) == 4


@pytest.mark.parametrize(
    ("pooling", "kept"),
    [
        ("cls", "cls+mean+max"),
        ("max", "max+cls+mean"),
        ("lasttoken", "lasttoken+cls+mean+max"),
        ("max+lasttoken+cls", "max+lasttoken+cls+mean"),
    ],
)
def test_the_poolings_of_a_search_are_kept_with_the_one_that_is_asked_for(
    resolve, pooling, kept
):
    resolved = resolve(pooling=pooling, layers=[0, -1])
    widened = with_all_poolings(resolved)
    assert widened.pooling == kept
    assert widened.layers == (0, 3)
    assert {*parts_of(resolved)} < {*parts_of(widened)}


@pytest.mark.parametrize(
    "change",
    [{"n_modules": 1}, {"layer_weights": (1.0, 2.0)}, {"pooling": "compare"}],
    ids=["modules", "layer_weights", "compare"],
)
def test_one_part_is_kept_alone(resolve, change):
    resolved = replace(resolve(pooling="mean"), **change)
    assert with_all_poolings(resolved) is resolved


def test_entries_keep_vectors_and_flags_exactly():
    vectors = np.array([[0.1, -0.0, 1e-40], [1, 2, 3]], FLOAT32)
    entries = entries_of(vectors, np.array([True, False]))
    assert [len(entry) for entry in entries] == [size_of(3, FLOAT32)] * 2
    found, is_truncated = vectors_of(entries, 3, FLOAT32)
    assert found.tobytes() == vectors.tobytes()
    assert is_truncated.tolist() == [True, False]


def test_no_entries_are_no_vectors():
    vectors, is_truncated = vectors_of([], 3, FLOAT32)
    assert (vectors.shape, is_truncated.shape) == ((0, 3), (0,))
