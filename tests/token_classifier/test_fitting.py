"""What a fit makes of sentences, tags, weights and seeds."""

import numpy as np
import pandas as pd
import pytest
import torch

from sklearn_bert.exceptions import MemoryWarning
from token_classifier.comparing import assert_close, assert_same

EXACT = {"dtype": "float64", "dropout": 0.0, "batch_size": 999, "init": "zeros"}


def test_weight_two_is_the_sentence_twice(make, sentences, tags):
    weights = np.where(np.arange(40) < 10, 2, 1)
    weighted = make(**EXACT).fit(sentences, tags, sample_weight=weights)
    twice = make(**EXACT).fit([*sentences, *sentences[:10]], [*tags, *tags[:10]])
    assert_same(weighted, twice, 1e-9)


def test_weight_zero_leaves_the_sentence_out(make, sentences, tags):
    weights = np.where(np.arange(40) < 10, 0, 1)
    without = make().fit(sentences[10:], tags[10:])
    assert_same(make().fit(sentences, tags, sample_weight=weights), without)


def test_empty_sentences_change_nothing(make, sentences, tags):
    some = [row for row in range(40) if sentences[row]]
    assert len(some) < 40
    without = make().fit([sentences[row] for row in some], [tags[row] for row in some])
    assert_same(make().fit(sentences, tags), without)


@pytest.mark.parametrize("max_length", [None, 8])
def test_parts_of_a_batch_add_up_to_it(
    make, sentences, tags, max_length, disturb_losses
):
    options = {**EXACT, "max_length": max_length}
    whole = make(**options).fit(sentences, tags)
    disturb_losses(lambda call, _: call < 2, torch.OutOfMemoryError("out of memory"))
    with pytest.warns(MemoryWarning):
        parted = make(**options).fit(sentences, tags)
    assert_same(parted, whole, 1e-9)


def test_class_weight_is_a_weight_of_words(make, sentences, tags):
    heavy = make(class_weight={"O": 1e-3}, **EXACT).fit(sentences, tags)
    plain = make(**EXACT).fit(sentences, tags)

    def share(tagger):
        return np.mean(np.concatenate(tagger.predict(sentences)) == "O")

    assert share(heavy) < share(plain)


def test_balanced_tags_weigh_alike(make, sentences, tags):
    counts = pd.Series(np.concatenate(tags)).value_counts()
    by_tag = {tag: counts.sum() / (4 * count) for tag, count in counts.items()}
    balanced = make(class_weight="balanced", **EXACT).fit(sentences, tags)
    assert_same(balanced, make(class_weight=by_tag, **EXACT).fit(sentences, tags), 1e-9)


def test_steps_are_those_of_batches_of_sentences(make, sentences, tags):
    states = []
    make(batch_size=16, callbacks=[states.append]).fit(sentences, tags)
    assert [state.step for state in states] == [3, 6]
    assert [state.n_steps for state in states] == [6, 6]


def test_a_seed_gives_the_same_weights(make, fitted, sentences, tags):
    assert_same(make().fit(sentences, tags), fitted)


def test_a_refit_equals_a_fresh_fit(make, fitted, sentences, tags):
    tagger = make(early_stopping=True).fit(sentences[:30], tags[:30])
    tagger.set_params(early_stopping=False).fit(sentences, tags)
    assert_same(tagger, fitted)
    assert vars(tagger).keys() == vars(fitted).keys()


def test_a_warm_start_continues_from_the_weights(make, sentences, tags):
    tagger = make(warm_start=True).fit(sentences, tags)
    before = tagger.predict_proba(sentences)
    tagger.set_params(learning_rate=1e-12).fit(sentences, tags)
    assert_close(tagger.predict_proba(sentences), before, 1e-5)
    with pytest.raises(ValueError, match="same classes as in the previous call"):
        tagger.fit([["a", "b"]], [["U", "V"]])


@pytest.mark.gpu
def test_the_gpu_learns_what_the_cpu_learns(make, sentences, tags):
    on_gpu = make(**EXACT).fit(sentences, tags)
    assert on_gpu.device_.startswith("cuda")
    assert_same(on_gpu, make(**EXACT, device="cpu").fit(sentences, tags), 1e-9)
