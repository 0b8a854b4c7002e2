"""The text sets and settings of benchmarks/encoding."""

import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

from benchmarks.encoding.__main__ import load
from benchmarks.encoding.arms import BASELINE, EncodingArm
from benchmarks.encoding.reference import cosine_distances
from benchmarks.encoding.rounds import figures
from benchmarks.encoding.texts import TextSet, TextSets
from benchmarks.shared.setup import Arm, Setup


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


class TestTexts:
    def test_long_set_is_joined_up_to_the_limit(self, make_sets):
        lengths = make_sets([words(50)] * 100, 300).make("long", 36).lengths
        assert len(lengths) == 3
        assert all(256 <= n <= 300 for n in lengths)

    def test_long_set_prefers_documents_and_counts_what_is_read(self, make_sets):
        text_set = make_sets([words(50), words(500)], 300).make("long", 12)
        assert text_set.texts == [words(500)]
        assert text_set.lengths == [300]

    def test_a_set_does_not_depend_on_the_others(self, make_sets):
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


class TestArms:
    def test_missing_library_is_named_with_its_remedy(self):
        reason = Arm("a", dict, "no_such_module").reason_not_to_run("cpu")
        assert reason == "missing: pip install no-such-module"

    def test_an_arm_that_fails_is_named_and_the_others_run(self):
        def broken(setup, onnx):
            raise ImportError("no part of it\nmore")

        arms = [
            EncodingArm("broken", broken, "json"),
            EncodingArm("works", lambda setup, onnx: lambda texts, _: None, "json"),
        ]
        encoders, refused = load(arms, Setup("", 16, "cpu", 1), "", ["a"])
        assert [arm.name for arm in encoders] == ["works"]
        reason = "not run: ImportError: no part of it"
        assert refused == [{"arm": "broken", "not_run": reason}]
