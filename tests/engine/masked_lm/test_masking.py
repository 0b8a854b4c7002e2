"""Masked tokens: their number, their selection and their replacements."""

import numpy as np
import pytest

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.load import load_tokenizer
from sklearn_bert._engine.masked_lm.masking import (
    Masker,
    continuing_pieces,
    text_generator,
)


@pytest.fixture(scope="module")
def tokenizer(tiny_bert):
    return load_tokenizer(locate(str(tiny_bert), None))


@pytest.fixture(scope="module")
def ids(tokenizer, texts):
    rows = tokenizer.split_to_length([*texts, "zebras xylophones"] * 50, 32)
    return np.concatenate([np.array(row) for row in rows])


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("whole_words", [False, True])
def test_the_masked_fraction_is_the_probability(tokenizer, ids, whole_words):
    masked = Masker(tokenizer, 0.15, whole_words=whole_words)(ids, rng())
    n_words = np.sum(~np.isin(ids, list(tokenizer.controls)))
    assert len(masked.places) / n_words == pytest.approx(0.15, abs=0.01)


def test_special_tokens_are_never_selected(tokenizer, ids):
    masked = Masker(tokenizer, 0.9, whole_words=False)(ids, rng())
    assert not np.isin(masked.targets, list(tokenizer.controls)).any()


def test_eight_of_ten_become_the_mask_and_one_is_unchanged(tokenizer, ids):
    masked = Masker(tokenizer, 0.5, whole_words=False)(ids, rng())
    now = masked.ids[masked.places]
    is_mask, stays = now == tokenizer.mask, now == masked.targets
    assert is_mask.mean() == pytest.approx(0.8, abs=0.01)
    # A random token may be the original one.
    assert stays.mean() == pytest.approx(0.1, abs=0.02)
    others = now[~is_mask & ~stays]
    assert not np.isin(others, list(tokenizer.controls)).any()
    assert len(np.unique(others)) > 50


def test_other_tokens_are_unchanged(tokenizer, ids):
    masked = Masker(tokenizer, 0.15, whole_words=False)(ids, rng())
    elsewhere = np.ones(len(ids), dtype=bool)
    elsewhere[masked.places] = False
    np.testing.assert_array_equal(masked.ids[elsewhere], ids[elsewhere])
    np.testing.assert_array_equal(masked.targets, ids[masked.places])


def test_the_same_generator_gives_the_same_masks(tokenizer, ids):
    masker = Masker(tokenizer, 0.15, whole_words=True)
    first, second, other = masker(ids, rng()), masker(ids, rng()), masker(ids, rng(1))
    np.testing.assert_array_equal(first.ids, second.ids)
    assert not np.array_equal(first.places, other.places)


def test_pieces_of_a_word_are_selected_together(tokenizer, ids):
    masked = Masker(tokenizer, 0.3, whole_words=True)(ids, rng())
    is_chosen = np.zeros(len(ids), dtype=bool)
    is_chosen[masked.places] = True
    continues = np.isin(ids, sorted(continuing_pieces(tokenizer.vocabulary)))
    pieces = np.flatnonzero(continues)
    assert len(pieces) > 100
    np.testing.assert_array_equal(is_chosen[pieces], is_chosen[pieces - 1])


def test_without_whole_words_pieces_are_selected_separately(tokenizer, ids):
    masked = Masker(tokenizer, 0.3, whole_words=False)(ids, rng())
    is_chosen = np.zeros(len(ids), dtype=bool)
    is_chosen[masked.places] = True
    continues = np.isin(ids, sorted(continuing_pieces(tokenizer.vocabulary)))
    pieces = np.flatnonzero(continues)
    assert (is_chosen[pieces] != is_chosen[pieces - 1]).any()


def test_at_least_one_token_is_masked(tokenizer):
    (ids,) = tokenizer.split_to_length(["a film"], 32)
    masker = Masker(tokenizer, 1e-9, whole_words=False)
    assert len(masker(np.array(ids), rng()).places) == 1


def test_nothing_is_masked_if_all_tokens_are_special(tokenizer):
    masked = Masker(tokenizer, 0.5, whole_words=False)(np.array([2, 3]), rng())
    assert (masked.ids.tolist(), masked.places.tolist()) == ([2, 3], [])


def test_continuing_pieces_of_each_kind_of_vocabulary():
    pieces = {"[CLS]": 0, "a": 1, "##b": 2}
    assert continuing_pieces(pieces) == {2}
    assert continuing_pieces({"<s>": 0, "▁a": 1, "b": 2, "▁c": 3}) == {0, 2}
    assert continuing_pieces({"<s>": 0, "Ġa": 1, "b": 2, "Ġc": 3}) == {0, 2}


def test_words_may_start_with_the_mark_of_another_kind():
    maltese = {"Ġunju": 0, "Ġew": 1, "##a": 2, "##b": 3, "##c": 4, "fil": 5}
    assert continuing_pieces(maltese) == {2, 3, 4}


def test_a_generator_depends_on_the_text_and_the_seed():
    first, again = text_generator([5, 6], 0), text_generator([5, 6], 0)
    assert first.random() == again.random()
    assert first.random() != text_generator([5, 7], 0).random()
    assert text_generator([5, 6], 0).random() != text_generator([5, 6], 1).random()
