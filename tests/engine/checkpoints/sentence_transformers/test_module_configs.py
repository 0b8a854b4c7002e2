"""The configurations of modules are read in their old and new forms."""

import pytest
import torch

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.sentence_transformers.declaration import (
    read_declaration,
)

MEAN = {"pooling_mode": "mean"}


def read(folder):
    return read_declaration(locate(str(folder), None), 8, 2)


@pytest.mark.parametrize(
    ("content", "pooling"),
    [
        ({"pooling_mode_cls_token": True}, "cls"),
        ({"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}, "mean"),
        ({"pooling_mode": "max"}, "max"),
        ({"pooling_mode": ["mean", "cls"]}, "mean+cls"),
        ({"pooling_mode_weightedmean_tokens": True}, "weightedmean"),
        (
            {"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": True},
            "cls+mean",
        ),
        ({"word_embedding_dimension": 8}, "mean"),
    ],
)
def test_poolings_are_read_in_every_form(tmp_path, declare, content, pooling):
    declare(tmp_path, content)
    assert read(tmp_path).pooling == pooling


def test_whether_a_prompt_is_pooled_is_read(tmp_path, declare):
    declare(tmp_path, MEAN)
    assert read(tmp_path).include_prompt
    declare(tmp_path, {**MEAN, "include_prompt": False})
    assert not read(tmp_path).include_prompt


def test_a_dense_without_a_declared_activation_has_that_of_its_class(tmp_path, declare):
    sizes = {"in_features": 8, "out_features": 4}
    declare(tmp_path, MEAN, ("Dense", sizes, {"any": torch.zeros(1)}))
    assert read(tmp_path).modules[0].activation == "Tanh"
