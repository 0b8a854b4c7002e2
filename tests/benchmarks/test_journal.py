"""Runs that are resumed do no job twice, and none with other settings."""

import pytest


@pytest.fixture
def reopen(load, tmp_path):
    return lambda: load("_journal").Journal(tmp_path / "done.jsonl", ("set", "seed"))


def test_what_was_added_is_found_by_another_run(reopen):
    reopen().add({"set": "trec", "seed": 0, "score": 0.9})
    reopen().add({"set": "trec", "seed": 1, "score": 0.8})
    journal = reopen()
    assert journal.find({"set": "trec", "seed": 1, "other": 2})["score"] == 0.8
    assert len(journal.records) == 2


def test_other_settings_are_another_job(reopen):
    reopen().add({"set": "trec", "seed": 0, "score": 0.9})
    assert reopen().find({"set": "trec", "seed": 1}) is None


def test_without_a_file_records_are_kept_in_memory(load):
    journal = load("_journal").Journal(None, ("set",))
    journal.add({"set": "trec"})
    assert journal.find({"set": "trec"}) == {"set": "trec"}
