"""The installed package with the default model."""

import tomllib
from pathlib import Path

import pytest

from sklearn_bert._engine.checkpoints.files.bundle import BUNDLES
from sklearn_bert._engine.checkpoints.files.locate import locate

MINILM = "sentence-transformers/all-MiniLM-L6-v2"


def test_the_remedy_is_what_the_extra_installs():
    pyproject = Path(__file__).parents[4] / "pyproject.toml"
    extras = tomllib.loads(pyproject.read_text())["project"]["optional-dependencies"]
    assert extras["bundled"] == [BUNDLES[MINILM].requirement]


@pytest.mark.real
def test_the_real_bundle_is_the_public_checkpoint():
    files = locate(MINILM, None)
    assert files.source == "bundle"
    assert files.digests["model.safetensors"] == (
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    )
