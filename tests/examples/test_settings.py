"""Settings are read from variables, and checked."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError
from serving.__main__ import read_settings
from serving.settings import Settings


def test_variables_are_read_by_name_and_type():
    environment = {
        "BERT_SERVING_PATH": "/models/a.safetensors",
        "BERT_SERVING_MAX_BATCH": "8",
        "BERT_SERVING_MAX_WAIT_MS": "0",
        "HOME": "/root",
    }
    settings = Settings.from_environment(environment)
    assert settings.path == "/models/a.safetensors"
    assert settings.max_batch == 8
    assert settings.max_wait_ms == 0
    assert settings.sha256 is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BERT_SERVING_MAX_BATCH", "0"),
        ("BERT_SERVING_MAX_BATCH", "many"),
        ("BERT_SERVING_TIMEOUT", "-1"),
        ("BERT_SERVING_SHA265", "misspelled"),
    ],
)
def test_an_invalid_variable_is_named(name, value):
    environment = {"BERT_SERVING_PATH": "a.safetensors", name: value}
    with pytest.raises(ValidationError, match=name):
        Settings.from_environment(environment)


def test_the_path_is_required():
    with pytest.raises(ValidationError, match="BERT_SERVING_PATH"):
        Settings.from_environment({})


def test_settings_that_are_not_valid_stop_the_start_with_their_names(monkeypatch):
    monkeypatch.delenv("BERT_SERVING_PATH", raising=False)
    monkeypatch.setenv("BERT_SERVING_SHA", "misspelled")
    with pytest.raises(SystemExit) as stop:
        read_settings()
    _, *lines, known = str(stop.value).splitlines()
    assert lines == [
        "BERT_SERVING_PATH: Field required",
        "BERT_SERVING_SHA: Extra inputs are not permitted",
    ]
    assert "BERT_SERVING_SHA256" in known


def test_every_setting_is_documented_with_its_default():
    page = Path(__file__).parents[2] / "docs" / "serving.rst"
    rows = re.findall(
        r"\* - ``(BERT_SERVING_\w+)``\n     -(.*)", page.read_text(encoding="utf-8")
    )
    documented = {name: default.strip() for name, default in rows}
    fields = Settings.model_fields.values()
    defaults = {
        field.alias: "required" if field.is_required() else str(field.default or "")
        for field in fields
    }
    assert documented == defaults
