"""LayerDepths of weights in every family of encoders that transformers knows."""

import pytest
import torch

from sklearn_bert._engine.training.model.layer_depth import LayerDepths

# What each configuration needs in addition to the sizes.
FAMILIES = {
    "bert": {},
    "camembert": {},
    "convbert": {"embedding_size": 32},
    "data2vec-text": {},
    "deberta": {},
    "deberta-v2": {
        "relative_attention": True,
        "pos_att_type": ["p2c", "c2p"],
        "norm_rel_ebd": "layer_norm",
        "conv_kernel_size": 3,
    },
    "distilbert": {"dim": 32, "n_layers": 3, "n_heads": 4, "hidden_dim": 48},
    "electra": {"embedding_size": 16},
    "esm": {},
    "eurobert": {},
    "flaubert": {"emb_dim": 32, "n_layers": 3, "n_heads": 4},
    "gte": {},
    "jina_embeddings_v3": {},
    "longformer": {"attention_window": 16},
    "megatron-bert": {},
    # Each layer holds a list of as many blocks as there are layers.
    "mobilebert": {"embedding_size": 32, "intra_bottleneck_size": 32},
    "modernbert": {},
    "mpnet": {},
    "nomic_bert": {},
    "rembert": {"input_embedding_size": 16},
    "roberta": {},
    "roformer": {"embedding_size": 32},
    "squeezebert": {"embedding_size": 32},
    "xlm": {"emb_dim": 32, "n_layers": 3, "n_heads": 4},
    "xlm-roberta": {},
    "xlm-roberta-xl": {},
}
SIZES = {
    "vocab_size": 99,
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 64,
    **{f"{name}_token_id": 1 for name in ("pad", "bos", "eos", "cls", "sep")},
}


def build(family, **changes):
    from transformers import CONFIG_MAPPING, AutoConfig, AutoModel

    if family not in CONFIG_MAPPING:
        pytest.skip(f"this version of transformers has no {family}")
    options = {**SIZES, **FAMILIES.get(family, {}), **changes}
    if family == "mobilebert":
        options["true_hidden_size"] = 32
    with torch.device("meta"):
        return AutoModel.from_config(AutoConfig.for_model(family, **options))


def weights_by_depth(model):
    depths = LayerDepths(model, 3)
    found = {}
    for name, weight in model.named_parameters():
        if "pooler" not in name:
            found.setdefault(depths.of_weight(name), {})[name] = weight
    return depths, found


@pytest.mark.parametrize("family", FAMILIES)
def test_each_layer_stands_at_its_depth(family):
    depths, found = weights_by_depth(build(family))
    assert depths.has_layers
    assert sorted(found) == [0, 1, 2, 3]
    # All layers are alike, except for the modules next to them.
    shapes = [
        {tuple(weight.shape) for weight in found[depth].values() if weight.ndim > 1}
        for depth in (1, 2, 3)
    ]
    assert shapes[0] <= shapes[2]
    assert shapes[1] <= shapes[2]
    assert not any("embeddings" in name for depth in (1, 2) for name in found[depth])
    # Another name for the same: no layer of the lowest depth is a layer's.
    for depth in (1, 2, 3):
        assert any(f".{depth - 1}." in name for name in found[depth])
    assert not any(".0." in name for name in found[0])


def test_what_every_layer_reads_freezes_with_the_embeddings():
    for family, name in (
        ("mpnet", "encoder.relative_attention_bias.weight"),
        ("deberta-v2", "encoder.rel_embeddings.weight"),
        ("deberta-v2", "encoder.LayerNorm.weight"),
        ("deberta-v2", "encoder.conv.conv.weight"),
        ("xlm", "layer_norm_emb.weight"),
        ("rembert", "encoder.embedding_hidden_mapping_in.weight"),
    ):
        assert LayerDepths(build(family), 3).of_weight(name) == 0


def test_a_last_norm_stands_in_the_last_layer():
    for family, name in (
        ("modernbert", "final_norm.weight"),
        ("esm", "encoder.emb_layer_norm_after.weight"),
        ("xlm-roberta-xl", "encoder.LayerNorm.weight"),
        ("megatron-bert", "encoder.ln.weight"),
    ):
        assert LayerDepths(build(family), 3).of_weight(name) == 3


def test_shared_layers_are_told():
    depths, found = weights_by_depth(build("albert", embedding_size=16))
    assert not depths.has_layers
    assert sorted(found) == [0, 3]
    name = "encoder.albert_layer_groups.0.albert_layers.0.dropout"
    assert depths.of_module(name) == 3
    own = build("albert", embedding_size=16, num_hidden_groups=3)
    assert LayerDepths(own, 3).has_layers


def test_modules_beside_the_layers_stand_at_the_bottom():
    depths = LayerDepths(build("bert"), 3)
    assert depths.of_module("dropout") == 0
    assert depths.of_module("embeddings.dropout") == 0
    assert depths.of_module("encoder.layer.1.output.dropout") == 2


def test_layers_are_the_items_of_the_only_list():
    model = build("bert")
    assert LayerDepths(model, 3).layers is model.encoder.layer
    assert LayerDepths(build("albert", embedding_size=16), 3).layers is None
    xlm = build("xlm", **FAMILIES["xlm"])
    assert LayerDepths(xlm, 3).layers is None
