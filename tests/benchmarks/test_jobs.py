"""Resumed runs do no job twice, and none with other settings."""

import pytest

from benchmarks.shared.jobs import Journal, run_alone


@pytest.fixture
def reopen(tmp_path):
    return lambda: Journal(tmp_path / "done.jsonl", ("set", "seed"))


def test_another_run_finds_what_was_added(reopen):
    reopen().add({"set": "trec", "seed": 0, "score": 0.9})
    reopen().add({"set": "trec", "seed": 1, "score": 0.8})
    journal = reopen()
    assert journal.find({"set": "trec", "seed": 1, "other": 2})["score"] == 0.8
    assert len(journal.records) == 2


def test_a_job_runs_in_a_process_whose_memory_is_measured():
    outcome = run_alone(dict, [("score", 0.5)])
    assert outcome.pop("peak_rss_mib") > 1
    assert outcome == {"score": 0.5}
