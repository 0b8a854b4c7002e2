"""Searches with and without workers, in benchmarks/model_selection."""

import pytest

from benchmarks.model_selection import workers
from benchmarks.model_selection.workers import ONE, make_rows, parse_arguments, run
from benchmarks.shared.setup import Setup


def test_workers_are_compared_with_one_process_of_the_same_round():
    rows = make_rows({ONE: [4.0, 6.0], "n_jobs=2": [2.0, 2.0]})
    assert [row["ratio"]["median"] for row in rows] == [1.0, 2.5]


def test_the_number_of_threads_is_left_to_joblib(capsys):
    with pytest.raises(SystemExit):
        parse_arguments(["--data", "folder", "--threads", "2"])
    assert "joblib divides the threads" in capsys.readouterr().err


def test_a_run_searches_with_new_and_with_warm_workers(
    tmp_path, tiny_bert, monkeypatch
):
    rows = "text\tlabel\n" + "a film\tup\na story\tdown\n" * 4
    (tmp_path / "train.tsv").write_text(rows, encoding="utf-8")
    calls = []

    def search(search, data, n_jobs, *, is_warm=False):
        calls.append((n_jobs, is_warm))
        search.set_params(n_jobs=None).fit(*data)
        return 1.0

    monkeypatch.setattr(workers, "search_once", search)
    options = parse_arguments(["--data", str(tmp_path), "--quick"])
    result = run(options, Setup(str(tiny_bert), 16, "cpu", 1))
    assert sorted(set(calls)) == [(1, False), (2, False), (2, True)]
    assert len(result["rows"]) == 6
