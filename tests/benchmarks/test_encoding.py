"""The text sets and rows of benchmarks/encoding."""

import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

from benchmarks.encoding.arms import BASELINE
from benchmarks.encoding.reference import cosine_distances
from benchmarks.encoding.rounds import figures
from benchmarks.encoding.texts import TextSet, TextSets
from benchmarks.shared.setup import Arm, try_arms


@pytest.fixture
def make_sets():
    """Return a function that makes text sets; a token per word, [CLS] and [SEP]."""
    tokenizer = Tokenizer(WordLevel({"[UNK]": 0, "[CLS]": 1, "[SEP]": 2}, "[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    return lambda texts, max_length: TextSets(texts, tokenizer, max_length, 0)


def words(n):
    return " ".join(f"w{i}" for i in range(n))


def test_a_set_does_not_depend_on_the_others(make_sets):
    texts = [words(n) for n in range(5, 40)]
    after_another = make_sets(texts, 64)
    after_another.make("short", 3)
    alone = make_sets(texts, 64)
    assert after_another.make("mixed", 9) == alone.make("mixed", 9)


def test_distances_are_exact_where_they_are_tiny():
    angle = 1e-6
    vectors = np.array([[np.cos(angle), np.sin(angle)]])
    (distance,) = cosine_distances(vectors, np.array([[2.0, 0.0]]))
    assert distance == pytest.approx(angle**2 / 2, rel=1e-6)


class TestFigures:
    TEXTS = TextSet("mixed", "made up", ["a"] * 10, [2] * 10)

    def test_speed_ratio_and_share(self):
        rounds = {BASELINE: [[2.0], [4.0]], "other": [[1.0], [1.0]]}
        # 10 texts in 1 s, 2 and 4 times the baseline; half of the time is products.
        row = figures(self.TEXTS, rounds, "other", 0.5)
        assert row["texts_per_s"]["median"] == 10.0
        assert row["share_of_ceiling"] == 0.5
        assert row["speed_ratio"] == {"median": 3.0, "low": 2.0, "high": 4.0, "n": 2}

    def test_latency_is_that_of_single_texts(self):
        texts = TextSet("one", "made up", ["a"] * 3, [2] * 3)
        row = figures(texts, {"other": [[0.1, 0.2, 0.9]]}, "other", 0.5)
        assert row["p50_ms"] == pytest.approx(200)
        assert row["speed_ratio"] is None


def test_an_arm_that_fails_is_named_and_the_others_run():
    def attempt(arm):
        if arm.name == "broken":
            raise ImportError("no part of it\nmore")
        return arm.name

    arms = [Arm("broken", dict, "json"), Arm("works", dict, "json")]
    outcomes, refused = try_arms(arms, attempt, "cpu")
    assert outcomes == {arms[1]: "works"}
    reason = "not run: ImportError: no part of it"
    assert refused == [{"arm": "broken", "not_run": reason}]
