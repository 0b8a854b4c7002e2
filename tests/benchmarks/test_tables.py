"""Texts as tables, and features of texts in them, in benchmarks/model_selection."""

import pytest

from benchmarks.model_selection.tables import (
    TABLES,
    parse_arguments,
    rows_of,
    run,
    shared_words,
)
from benchmarks.shared.setup import Setup


@pytest.fixture
def data(tmp_path):
    """Folder of one data set of texts and one of pairs."""
    for name, header, row in (
        ("sst2", "text\tlabel", "a film {}\t{}"),
        ("stsb", "text_a\ttext_b\tscore", "a film {0}\ta story\t{0}.{1}"),
    ):
        (tmp_path / name).mkdir()
        rows = [header, *(row.format(k, k % 2) for k in range(40))]
        for split in ("train", "test"):
            (tmp_path / name / f"{split}.tsv").write_text("\n".join(rows) + "\n")
    return tmp_path


def test_a_table_has_numbers_and_its_target(data):
    table = next(table for table in TABLES if table.name == "stsb")
    frame = table.load(data, "train", 20, 0)
    assert len(frame) == 20
    assert {"made_up", "shared", "text_a words", "text_b ?"} < set(frame.columns)
    assert frame["y"].dtype == float


def test_pairs_share_words():
    assert shared_words("A film", "a story") == pytest.approx(1 / 3)


def test_gains_are_taken_seed_by_seed():
    one = {"seconds": 1.0, "n_columns": 3}
    frozen = [{**one, "score": 0.5}, {**one, "score": 0.7}]
    target = [{**one, "score": 0.6}, {**one, "score": 0.8}]
    rows = rows_of("set", {"frozen": frozen, "target encoder": target})
    assert rows[0]["gain"] is None
    assert rows[1]["gain"]["mean"] == pytest.approx(0.1)
    assert rows[1]["gain"]["sd"] == pytest.approx(0)


def test_every_arm_runs(data, tiny_bert, monkeypatch):
    monkeypatch.setattr(
        "benchmarks.model_selection.tables.set_threads", lambda n_threads: None
    )
    arguments = ["--data", str(data), "--quick", "--tables", "sst2", "stsb"]
    result = run(parse_arguments(arguments), Setup(str(tiny_bert), 16, "cpu", 1))
    assert len(result["rows"]) == 12
    assert {row["set"] for row in result["rows"]} == {"sst2", "stsb"}
