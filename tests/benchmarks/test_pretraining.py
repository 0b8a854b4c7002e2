"""The held-out lines and the entropy of benchmarks/pretraining."""

from math import log

import pytest

from benchmarks.pretraining.__main__ import Lines, unigram_entropy
from sklearn_bert import BertMaskedLM


def test_every_hundredth_line_is_held_out(tmp_path):
    path = tmp_path / "texts.txt"
    path.write_text("\n\n".join(map(str, range(250))), encoding="utf-8")
    held_out = list(Lines(path, held_out=True, n_lines=None))
    assert held_out == ["0", "100", "200"]
    rest = list(Lines(path, held_out=False, n_lines=None))
    assert sorted([*held_out, *rest], key=int) == [str(k) for k in range(250)]
    assert list(Lines(path, held_out=False, n_lines=3)) == ["1", "2"]


def test_the_entropy_of_equally_frequent_tokens_is_their_logarithm():
    texts = ["a b c d"]
    model = BertMaskedLM(
        n_layers=1, hidden_size=8, n_heads=1, vocab_size=30, device="cpu"
    ).fit(texts)
    assert unigram_entropy(model, texts) == pytest.approx(log(4))
