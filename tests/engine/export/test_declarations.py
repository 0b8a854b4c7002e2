"""What is declared in the files of sentence-transformers is read back."""

import json
import os
import shutil
from dataclasses import replace

import numpy as np
import pytest

from sklearn_bert._engine.checkpoints.architecture import read_architecture
from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.sentence_transformers.module_configs import (
    DeclaredModule,
)
from sklearn_bert._engine.checkpoints.sentence_transformers.prompts import Prompts
from sklearn_bert._engine.checkpoints.source import load
from sklearn_bert._engine.export.declarations import write_declarations
from sklearn_bert._engine.export.transformers_files import write_model

DENSE = DeclaredModule("Dense", "", 32, 4, has_bias=False, activation="Tanh")
RESIDUAL = DeclaredModule("Dense", "", 32, 32, has_residual=True)
NORMS = (DeclaredModule("LayerNorm", "", 32, 32), DeclaredModule("Normalize"))
WEIGHTS = {
    DENSE: {"0.linear.weight": np.ones((4, 32), np.float32)},
    RESIDUAL: {
        "0.linear.weight": np.ones((32, 32), np.float32),
        "0.linear.bias": np.ones(32, np.float32),
    },
    NORMS[0]: {
        "0.norm.weight": np.ones(32, np.float32),
        "0.norm.bias": np.ones(32, np.float32),
    },
}
DECLARED = {
    "pooling": {"pooling": "max"},
    "modes in the old order": {"pooling": "cls+mean"},
    "modes in another order": {"pooling": "mean+cls"},
    "without the prompt": {"pooling": "mean", "include_prompt": False},
    "length": {"pooling": "cls", "max_length": 9},
    "layers": {"pooling": "cls", "layer_weights": (1.0, 0.5)},
    "prompts": {"pooling": "cls", "prompts": Prompts((("a", "x: "),), "x: ")},
    "first features": {"pooling": "mean", "truncate_dim": 3},
    "Dense": {"pooling": "mean", "modules": (DENSE,)},
    "residual": {"pooling": "mean", "modules": (RESIDUAL,)},
    "norms": {"pooling": "mean", "modules": NORMS},
}


@pytest.fixture
def architecture(tiny_bert):
    return read_architecture(locate(str(tiny_bert), None))


@pytest.fixture
def folder(tiny_bert, tmp_path):
    """A folder that write_declarations adds to."""
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(tiny_bert / name, tmp_path)
    model = load(locate(str(tiny_bert), None)).model
    write_model(model, tmp_path, with_all_layers=True)
    return tmp_path


@pytest.mark.parametrize("declared", DECLARED.values(), ids=list(DECLARED))
def test_what_is_declared_is_read_back(architecture, folder, declared):
    written = replace(architecture, **declared)
    weights = WEIGHTS.get(written.modules[0] if written.modules else None, {})
    assert write_declarations(written, weights, folder)
    read = read_architecture(locate(str(folder), None))
    places = [replace(module, folder="") for module in read.modules]
    assert replace(read, modules=tuple(places)) == written


def test_one_mode_is_declared_as_older_versions_do(architecture, folder):
    write_declarations(replace(architecture, pooling="mean"), {}, folder)
    content = json.loads((folder / "1_Pooling" / "config.json").read_text())
    assert content["pooling_mode_mean_tokens"] is True
    assert content["pooling_mode_cls_token"] is False
    assert "include_prompt" not in content


@pytest.mark.parametrize("why", [{"pooling": None}, {"refusal": "LSTM"}])
def test_nothing_is_declared_that_cannot_be_computed(architecture, tmp_path, why):
    written = replace(architecture, **{"pooling": "mean", **why})
    assert not write_declarations(written, {}, tmp_path)
    assert os.listdir(tmp_path) == []
