"""What a checkpoint declares is read, or refused by name."""

import json
from dataclasses import replace

import pytest
import torch

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.sentence_transformers.declaration import (
    read_declaration,
)
from sklearn_bert._engine.checkpoints.sentence_transformers.module_configs import (
    DeclaredModule,
)
from sklearn_bert.exceptions import CheckpointError

MEAN = {"pooling_mode": "mean"}
NORMALIZE = ("Normalize", {}, {})
DENSE = ("Dense", {"in_features": 8, "out_features": 4}, {"any": torch.zeros(1)})


def dense(**changes):
    return DENSE[0], {**DENSE[1], **changes}, DENSE[2]


def read(folder):
    return read_declaration(locate(str(folder), None), 8, 2)


def edit(path, change):
    content = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(change(content)))


def test_no_list_of_modules_declares_nothing(tmp_path):
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling/config.json").write_text(json.dumps(MEAN))
    declared = read(tmp_path)
    assert (declared.pooling, declared.modules, declared.refusal) == (None, (), None)


def test_modules_after_the_pooling_are_read_in_order(tmp_path, declare):
    norm = ("LayerNorm", {"dimension": 4}, {"any": torch.zeros(1)})
    no_norm = dense(activation_function="torch.nn.modules.linear.Identity", bias=False)
    declare(tmp_path, MEAN, no_norm, ("Dropout", {"dropout": 0.5}, {}), norm, NORMALIZE)
    assert read(tmp_path).modules == (
        DeclaredModule("Dense", "2_Dense/", 8, 4, has_bias=False),
        DeclaredModule("LayerNorm", "4_LayerNorm/", 4, 4),
        DeclaredModule("Normalize"),
    )


def test_a_linear_layer_that_puts_out_scores_is_no_part_of_the_features(
    tmp_path, declare
):
    scores = dense(module_output_name="scores", out_features=2)
    declare(tmp_path, MEAN, dense(activation_function="torch.nn.Tanh"), scores)
    declared = read(tmp_path)
    assert [module.folder for module in declared.modules] == ["2_Dense/"]
    assert declared.refusal is None


@pytest.mark.parametrize(
    ("pooling", "module", "refusal"),
    [
        ({"pooling_mode": "median"}, NORMALIZE, "the pooling mode 'median'"),
        ({"pooling_mode_median": True}, NORMALIZE, "pooling_mode_median of the mod"),
        (MEAN, ("CNN", {}, {}), "the module 'sentence_transformers.models.CNN'"),
        (MEAN, ("Pooling", MEAN, {}), "the order of modules"),
        (MEAN, ("Transformer", {}, {}), "the order of modules"),
        (MEAN, (*DENSE[:2], {}), "the Dense in 2_Dense/, which has no model.safetens"),
        (MEAN, dense(activation_function="my.Swish"), "the activation 'my.Swish'"),
        (
            MEAN,
            dense(activation_function="torch.nn.Softmax"),
            "the activation 'torch.n",
        ),
        (MEAN, dense(activation_function=None), "the activation None"),
        (MEAN, dense(module_input_name="token_embeddings"), "module_input_name='token"),
        (
            MEAN,
            ("Normalize", {"module_output_name": "x"}, {}),
            "module_output_name='x' of the module in 2_Normalize/",
        ),
    ],
)
def test_what_cannot_be_computed_is_refused_by_name(
    tmp_path, declare, pooling, module, refusal
):
    declare(tmp_path, pooling, module)
    declared = read(tmp_path)
    assert declared.refusal.startswith(refusal)
    known = {"mean": "mean"}.get(pooling.get("pooling_mode"))
    assert (declared.pooling, declared.modules) == (known, ())


@pytest.mark.parametrize(
    ("pooling", "others"),
    [
        (MEAN, "'cls' or 'max'"),
        ({"pooling_mode": "cls"}, "'mean' or 'max'"),
        ({"pooling_mode": "lasttoken"}, "'cls' or 'mean'"),
        ({}, "'cls' or 'mean'"),
    ],
)
def test_another_pooling_is_the_remedy_for_an_unsupported_module(
    tmp_path, declare, pooling, others
):
    declare(tmp_path, pooling, ("CNN", {}, {}))
    assert read(tmp_path).refusal.endswith(
        f"CNN'. Set pooling to {others} to use the encoder without its modules."
    )


def test_weights_of_layers_are_read_where_the_encoder_puts_them_out(
    tmp_path, declare, weigh_layers
):
    declare(tmp_path, MEAN, NORMALIZE)
    weigh_layers(tmp_path, torch.tensor([1.0, 3.0]), n_layers=2)
    declared = read(tmp_path)
    assert declared.layer_weights == (1.0, 3.0)
    assert (declared.pooling, len(declared.modules)) == ("mean", 1)
    edit(tmp_path / "config.json", lambda _: {})
    declared = read(tmp_path)
    assert declared.layer_weights is None
    assert (declared.pooling, len(declared.modules)) == ("mean", 1)


def test_weights_of_layers_in_a_pickle_are_refused(tmp_path, declare, weigh_layers):
    declare(tmp_path, MEAN)
    weigh_layers(tmp_path, torch.ones(1), n_layers=2)
    (tmp_path / "weighted/model.safetensors").unlink()
    assert read(tmp_path).refusal.startswith("the WeightedLayerPooling in weighted/, w")


def test_weights_of_layers_elsewhere_than_before_the_pooling_are_refused(
    tmp_path, declare, weigh_layers
):
    declare(tmp_path, MEAN, ("WeightedLayerPooling", {}, {}))
    assert read(tmp_path).refusal.startswith("the order of modules Transformer, Pool")
    declare(tmp_path, MEAN)
    for _ in range(2):
        weigh_layers(tmp_path, torch.ones(1), n_layers=2)
    assert read(tmp_path).refusal.startswith("the order of modules Transformer, Weig")


@pytest.mark.parametrize(
    ("kind", "is_known"),
    [
        ("sentence_transformers.models.Pooling", True),
        ("sentence_transformers.models.Pooling.Pooling", True),
        ("sentence_transformers.sentence_transformer.modules.pooling.Pooling", True),
        ("sentence_transformers.base.modules.Pooling", True),
        ("sentence_transformers.sparse_encoder.modules.Pooling", False),
        ("own_code.Pooling", False),
        ("Pooling", False),
    ],
)
def test_classes_are_known_by_their_whole_path(tmp_path, declare, kind, is_known):
    declare(tmp_path, MEAN)

    def rename(listed):
        return [listed[0], {**listed[1], "type": kind}]

    edit(tmp_path / "modules.json", rename)
    found = read(tmp_path).refusal
    assert found is None if is_known else found.startswith(f"the module {kind!r}. Set")


def test_an_encoder_of_another_kind_is_refused(tmp_path, declare):
    declare(tmp_path, MEAN)
    edit(
        tmp_path / "modules.json", lambda listed: [{"type": "own.Encoder", "path": ""}]
    )
    assert read(tmp_path).refusal.startswith("the module 'own.Encoder'. Set")


def test_an_encoder_without_a_pooling_is_refused(tmp_path, declare):
    declare(tmp_path, MEAN)
    edit(tmp_path / "modules.json", lambda listed: listed[:1])
    assert read(tmp_path).refusal.startswith("the order of modules Transformer. Set")


@pytest.mark.parametrize(
    ("settings", "refusal"),
    [
        ({"transformer_task": "fill-mask"}, "transformer_task='fill-mask'"),
        ({"module_output_name": "scores"}, "module_output_name='scores'"),
        ({"modality_config": {"image": {}}}, "modality_config={'image': {}}"),
        ({"config_args": {"rope_theta": 1}}, "config_args with 'rope_theta'"),
        ({"model_kwargs": {"dtype": "bfloat16"}}, None),
    ],
)
def test_settings_that_change_the_states_of_tokens_are_refused(
    tmp_path, declare, settings, refusal
):
    declare(tmp_path, MEAN)
    (tmp_path / "sentence_bert_config.json").write_text(json.dumps(settings))
    found = read(tmp_path).refusal
    assert found is None if refusal is None else found.startswith(refusal)


@pytest.mark.parametrize(
    ("pooling", "module", "match"),
    [
        ({}, NORMALIZE, "has no 1_Pooling/config.json"),
        ({"pooling_mode": 1}, NORMALIZE, "with pooling_mode=1"),
        ({"pooling_mode": []}, NORMALIZE, r"with pooling_mode=\[\]"),
        (MEAN, dense(in_features=9), "reads 9 features after modules that give 8"),
        (MEAN, dense(in_features="8"), "in_features='8', which is not a size"),
        (MEAN, dense(out_features=0), "out_features=0, which is not a size"),
        (MEAN, dense(out_features=10**18), "out_features=10{18}, which is not a size"),
        ({"pooling_mode": ["cls"] * 20_000}, NORMALIZE, "pooling of 160000 features"),
    ],
)
def test_a_damaged_declaration_is_refused(tmp_path, declare, pooling, module, match):
    declare(tmp_path, pooling, module)
    with pytest.raises(CheckpointError, match=match):
        read(tmp_path)


def test_a_list_of_modules_that_changes_after_it_was_hashed_is_refused(
    tmp_path, declare
):
    declare(tmp_path, MEAN)
    files = locate(str(tmp_path), None)
    declare(tmp_path, MEAN, NORMALIZE)
    with pytest.raises(CheckpointError, match=r"modules\.json that changed while"):
        read_declaration(files, 8, 2)


@pytest.mark.parametrize("encoder", ["", "0_Encoder"])
def test_a_list_of_modules_that_changes_before_it_is_hashed_is_refused(
    tmp_path, declare, encoder
):
    declare(tmp_path, MEAN, encoder=encoder)
    files = replace(locate(str(tmp_path), None), encoder="0_Other/")
    with pytest.raises(CheckpointError, match=r"modules\.json that changed while"):
        read_declaration(files, 8, 2)


def test_a_list_of_modules_that_is_removed_before_it_is_hashed_is_refused(tmp_path):
    files = replace(locate(str(tmp_path), None), encoder="0_Encoder/")
    with pytest.raises(CheckpointError, match=r"modules\.json that changed while"):
        read_declaration(files, 8, 2)


def test_a_damaged_list_of_modules_is_refused(tmp_path):
    (tmp_path / "modules.json").write_text("{}")
    with pytest.raises(CheckpointError, match=r"has a modules.json that is not a list"):
        read(tmp_path)


@pytest.mark.parametrize("cut", [0, "8", 1.5, True])
def test_a_dimension_that_is_not_a_size_is_refused(tmp_path, declare, cut):
    declare(tmp_path, MEAN)
    path = tmp_path / "config_sentence_transformers.json"
    path.write_text(json.dumps({"truncate_dim": 3}))
    assert read(tmp_path).truncate_dim == 3
    path.write_text(json.dumps({"truncate_dim": cut}))
    with pytest.raises(CheckpointError, match="truncate_dim="):
        read(tmp_path)
