"""A record tells whether a checkpoint is still the one of the fit."""

from dataclasses import replace

import pytest

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.record import (
    CheckpointRecord,
    check_same_source,
    record_of,
)
from sklearn_bert.exceptions import CheckpointMismatchError


@pytest.fixture
def record(own_bert):
    return record_of(locate(str(own_bert), None), str(own_bert), None)


def test_it_names_the_place_and_every_file(record, own_bert):
    assert (record.model, record.source) == (str(own_bert), "directory")
    assert len(record.digests["model.safetensors"]) == 64


def test_the_same_files_are_accepted(record, own_bert):
    check_same_source(locate(str(own_bert), None), record)


def test_a_file_that_differs_is_named(record, own_bert, edit_config):
    edit_config(own_bert, hidden_act="relu")
    with pytest.raises(CheckpointMismatchError, match=r"config\.json differs"):
        check_same_source(locate(str(own_bert), None), record)


def test_a_file_that_is_new_is_named(record, own_bert):
    (own_bert / "sentence_bert_config.json").write_text('{"max_seq_length": 9}')
    with pytest.raises(CheckpointMismatchError, match=r"bert_config\.json is new"):
        check_same_source(locate(str(own_bert), None), record)


def test_modules_that_older_records_lack_are_refused(record, own_bert, declare):
    declare(own_bert, {"pooling_mode": "mean"})
    older = replace(record, is_complete=False)
    with pytest.raises(CheckpointMismatchError, match=r"1_Pooling/config\.json is new"):
        check_same_source(locate(str(own_bert), None), older)


def test_a_normalize_that_older_records_lack_is_accepted(own_bert, declare):
    declare(own_bert, {"pooling_mode": "mean"}, ("Normalize", {}, {}))
    found = locate(str(own_bert), None)
    assert "2_Normalize/config.json" in found.digests
    digests = {k: v for k, v in found.digests.items() if "Normalize" not in k}
    older = record_of(replace(found, digests=digests), str(own_bert), None)
    check_same_source(found, replace(older, is_complete=False))
    with pytest.raises(CheckpointMismatchError, match=r"2_Normalize.* is new"):
        check_same_source(found, older)


def test_a_file_that_older_records_lack_is_accepted(record, own_bert, edit_config):
    (own_bert / "config_sentence_transformers.json").write_text("{}")
    older = replace(record, is_complete=False)
    check_same_source(locate(str(own_bert), None), older)
    edit_config(own_bert, hidden_act="relu")
    with pytest.raises(CheckpointMismatchError, match=r"where config\.json differs\."):
        check_same_source(locate(str(own_bert), None), older)


def test_a_setting_that_an_earlier_version_did_not_read_is_refused(record, own_bert):
    older = replace(record, is_complete=False)
    path = own_bert / "sentence_roberta_config.json"
    path.write_text('{"do_lower_case": true}')
    with pytest.raises(
        CheckpointMismatchError, match=r"do_lower_case=True was not read.* Fit again"
    ):
        check_same_source(locate(str(own_bert), None), older)


@pytest.mark.parametrize(
    ("model", "commit", "expected"),
    [
        ("owner/MiniLM-L6", "0123456789" * 4, "<MiniLM-L6@0123456>"),
        ("owner/MiniLM-L6", None, "<MiniLM-L6>"),
        ("owner/a-name-of-far-too-many-characters", "0" * 40, None),
        ("owner/a-name-of-far-too-many-characters", None, None),
    ],
)
def test_its_repr_is_shown_whole_in_the_html_of_an_estimator(model, commit, expected):
    shown = repr(CheckpointRecord(model, None, commit, "hub", {}))
    assert len(shown) <= 30
    assert shown == expected or "..." in shown
