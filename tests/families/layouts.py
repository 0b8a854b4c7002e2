"""The layouts of folders that test_sentence_transformers.py compares.

LAYOUTS is the table to extend.
"""

import json
import warnings
from dataclasses import dataclass, field

import torch
from torch import nn

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from sentence_transformers.sentence_transformer import modules as st

SIZE = 32
# The modes, and their switches before version 6.
SWITCHES = {
    "cls": "pooling_mode_cls_token",
    "max": "pooling_mode_max_tokens",
    "mean": "pooling_mode_mean_tokens",
    "mean_sqrt_len_tokens": "pooling_mode_mean_sqrt_len_tokens",
    "weightedmean": "pooling_mode_weightedmean_tokens",
    "lasttoken": "pooling_mode_lasttoken",
}
MODES = tuple(SWITCHES)


@dataclass(frozen=True)
class Layout:
    """What a folder contains.

    Attributes
    ----------
    pooling : str or tuple of str
    modules : tuple of callable
        Each returns a module that follows the pooling.
    edit : callable or None
        Changes the folder after it is saved.
    family : {"bert", "roberta", "modernbert"}
    options : dict
        Of the SentenceTransformer that is saved.
    layer_weights : tuple of float
        Of a WeightedLayerPooling in front of the pooling; none without it.
    """

    pooling: object = "mean"
    modules: tuple = ()
    edit: object = None
    family: str = "bert"
    options: dict = field(default_factory=dict)
    layer_weights: tuple = ()


def dense(n_in, n_out, activation=None, **options):
    return lambda: st.Dense(
        n_in, n_out, activation_function=activation or nn.Identity(), **options
    )


def norm(size):
    def make():
        made = st.LayerNorm(size)
        nn.init.normal_(made.norm.weight)
        nn.init.normal_(made.norm.bias)
        return made

    return make


def weighted_layers(weights):
    """Return the module that averages as many of the last of 3 layers, if any."""
    if not weights:
        return []
    numbers = nn.Parameter(torch.tensor(weights))
    return [st.WeightedLayerPooling(SIZE, 3, 4 - len(weights), numbers)]


def read(path):
    return json.loads(path.read_text())


def write(path, content):
    path.write_text(json.dumps(content))


def use_old_names(folder):
    """Name the classes as before version 5.4."""
    listed = read(folder / "modules.json")
    for one in listed:
        one["type"] = f"sentence_transformers.models.{one['type'].split('.')[-1]}"
    write(folder / "modules.json", listed)


def use_flags(*modes):
    """Declare the pooling by one switch per mode."""

    def edit(folder):
        use_old_names(folder)
        flags = {switch: mode in modes for mode, switch in SWITCHES.items()}
        write(
            folder / "1_Pooling/config.json",
            {"word_embedding_dimension": SIZE, **flags},
        )

    return edit


def edit_pooling(**content):
    def edit(folder):
        write(
            folder / "1_Pooling/config.json", {"embedding_dimension": SIZE, **content}
        )

    return edit


def move_encoder(name):
    """Give the encoder a folder of its own, as the first versions did."""

    def edit(folder):
        (folder / name).mkdir()
        kept = ("modules.json", "config_sentence_transformers.json", "README.md")
        for path in list(folder.iterdir()):
            if path.is_file() and path.name not in kept:
                path.rename(folder / name / path.name)
        listed = read(folder / "modules.json")
        listed[0]["path"] = name
        write(folder / "modules.json", listed)

    return edit


def add_stale_pooling(folder):
    (folder / "0_Pooling").mkdir()
    write(
        folder / "0_Pooling/config.json",
        {"embedding_dimension": SIZE, "pooling_mode": "max"},
    )


def edit_config(**content):
    def edit(folder):
        path = folder / "config.json"
        write(path, {**read(path), **content})

    return edit


# Without it, sentence-transformers skips a WeightedLayerPooling.
put_out_layers = edit_config(output_hidden_states=True)


def edit_settings(**content):
    def edit(folder):
        path = folder / "sentence_bert_config.json"
        write(path, {**read(path), **content})

    return edit


def rename_settings(folder):
    path = folder / "sentence_bert_config.json"
    path.rename(folder / "sentence_roberta_config.json")


def both(*edits):
    def edit(folder):
        for one in edits:
            one(folder)

    return edit


def weighted(*args, weights=(0.5, 2.0, -0.75), edit=put_out_layers, **options):
    return Layout(*args, layer_weights=weights, edit=edit, **options)


COMBINATIONS = [
    ("cls", "mean"),
    ("mean", "cls"),
    ("mean", "max"),
    ("lasttoken", "weightedmean", "mean_sqrt_len_tokens"),
    MODES,
]
ACTIVATIONS = [nn.Tanh, nn.ReLU, nn.GELU, nn.SiLU, nn.Sigmoid, nn.LeakyReLU, nn.Mish]
LAYOUTS = {
    **{mode: Layout(mode) for mode in MODES},
    **{f"{mode}, normalized": Layout(mode, (st.Normalize,)) for mode in MODES},
    **{f"RoBERTa, {mode}": Layout(mode, family="roberta") for mode in MODES},
    **{f"switch of {mode}": Layout(edit=use_flags(mode)) for mode in MODES},
    **{"+".join(modes): Layout(modes) for modes in COMBINATIONS},
    **{
        f"switches of {'+'.join(modes)}": Layout(edit=use_flags(*modes))
        for modes in COMBINATIONS
    },
    **{
        f"Dense, {activation.__name__}": Layout(
            modules=(dense(SIZE, 16, activation()), st.Normalize)
        )
        for activation in ACTIVATIONS
    },
    "no mode switched on": Layout(edit=use_flags()),
    "no pooling mode": Layout(edit=edit_pooling()),
    "list of one mode": Layout(edit=edit_pooling(pooling_mode=["max"])),
    "list of equal modes": Layout(edit=edit_pooling(pooling_mode=["max", "max"])),
    "mode besides switches": Layout(
        edit=edit_pooling(pooling_mode="max", pooling_mode_cls_token=True)
    ),
    "Dense of the same width": Layout(modules=(dense(SIZE, SIZE),)),
    "wider Dense": Layout(modules=(dense(SIZE, 48),)),
    "Dense without bias": Layout(modules=(dense(SIZE, 16, bias=False),)),
    "Dense with residual": Layout(modules=(dense(SIZE, SIZE, use_residual=True),)),
    "Dense with projected residual": Layout(
        modules=(dense(SIZE, 16, nn.Tanh(), use_residual=True),)
    ),
    "two Dense": Layout(modules=(dense(SIZE, 48, nn.ReLU()), dense(48, 8))),
    "two Dense of several modes": Layout(
        ("cls", "mean"), (dense(2 * SIZE, 48, nn.ReLU()), dense(48, 8), st.Normalize)
    ),
    "Normalize before Dense": Layout(modules=(st.Normalize, dense(SIZE, 16))),
    "Normalize twice": Layout(modules=(st.Normalize, st.Normalize)),
    "LayerNorm": Layout(modules=(norm(SIZE),)),
    "LayerNorm and Normalize": Layout(modules=(norm(SIZE), st.Normalize)),
    "all kinds": Layout(
        "max",
        (st.Dropout, norm(SIZE), dense(SIZE, 16, nn.Tanh()), norm(16), st.Normalize),
        family="roberta",
    ),
    "truncated": Layout(options={"truncate_dim": 8}),
    "normalized and truncated": Layout(
        modules=(st.Normalize,), options={"truncate_dim": 8}
    ),
    "truncated to more than there are": Layout(options={"truncate_dim": 99}),
    "old class names": Layout(
        modules=(dense(SIZE, 16), norm(16), st.Normalize), edit=use_old_names
    ),
    "encoder in a folder": Layout(edit=move_encoder("0_Transformer")),
    "encoder in a folder, with old names": Layout(
        "cls",
        (dense(SIZE, 16), st.Normalize),
        both(use_old_names, move_encoder("0_BERT")),
    ),
    "RoBERTa in a folder": Layout(edit=move_encoder("0_Any"), family="roberta"),
    "stale folder": Layout(edit=add_stale_pooling),
    "settings under an old name": Layout(edit=rename_settings),
    **{f"weighted layers, {mode}": weighted(mode) for mode in MODES},
    "all layers weighted": weighted(weights=(1.0, 0.25, 2.0, 0.5)),
    "only the last layer weighted": weighted("cls", weights=(3.0,)),
    "weighted layers and Dense": weighted(
        "cls", (dense(SIZE, 16, nn.Tanh()), st.Normalize)
    ),
    "weighted layers and several modes": weighted(
        ("cls", "mean"), (dense(2 * SIZE, 8),)
    ),
    "weighted layers of RoBERTa": weighted(family="roberta"),
    "weighted layers of ModernBERT": weighted(family="modernbert"),
    "weighted layers under old names": weighted(
        "cls", edit=both(use_old_names, put_out_layers)
    ),
    "weighted layers, switched on by an argument": weighted(
        edit=edit_settings(config_args={"output_hidden_states": True})
    ),
    "weighted layers, switched off by an argument": weighted(
        edit=both(
            put_out_layers,
            edit_settings(config_kwargs={"output_hidden_states": False}),
        )
    ),
    "weighted layers, not switched on": weighted(modules=(dense(SIZE, 16),), edit=None),
}
