"""The parts of benchmarks/pretraining.py that are not a matter of time."""

from math import log

import pytest

from sklearn_bert import BertMaskedLM


def test_every_hundredth_line_is_held_out(load, tmp_path):
    lines = load("pretraining").Lines
    path = tmp_path / "texts.txt"
    path.write_text("\n\n".join(map(str, range(250))), encoding="utf-8")
    held_out = list(lines(path, held_out=True, n_lines=None))
    assert held_out == ["0", "100", "200"]
    rest = list(lines(path, held_out=False, n_lines=None))
    assert sorted([*held_out, *rest], key=int) == [str(k) for k in range(250)]
    assert list(lines(path, held_out=False, n_lines=3)) == ["1", "2"]


def test_the_entropy_of_equally_frequent_tokens_is_their_logarithm(load):
    texts = ["a b c d"]
    model = BertMaskedLM(
        n_layers=1, hidden_size=8, n_heads=1, vocab_size=30, device="cpu"
    ).fit(texts)
    entropy = load("pretraining").unigram_entropy(model, texts)
    assert entropy == pytest.approx(log(4))


def test_data_must_be_given(load, capsys):
    with pytest.raises(SystemExit):
        load("pretraining").parse_arguments([])
    assert "--data" in capsys.readouterr().err


def test_a_set_that_is_not_there_is_named(load, tmp_path):
    with pytest.raises(SystemExit, match=r"must hold nothing/train\.tsv"):
        load("pretraining").read_sets(tmp_path / "nothing", quick=True)
