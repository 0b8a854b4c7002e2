"""A folder of sentence-transformers gives the vectors of its own ``encode``.

The layouts are saved by sentence-transformers itself, or are edited to what its older
and newer versions write. It loads each of them as the reference.
"""

import json
import pickle
import shutil
import warnings
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from sklearn.base import clone
from torch import nn

from sklearn_bert import (
    BertClassifier,
    BertMaskedLM,
    BertVectorizer,
    convert_checkpoint,
)
from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert.exceptions import CheckpointError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import modules as st

# Its own warnings, about its own old arguments and files.
pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

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


@pytest.fixture(scope="module")
def make(save_model, tmp_path_factory):
    """Return a function that saves a layout, and returns its folder."""
    root = tmp_path_factory.mktemp("sentence-transformers")
    special = {"bert": {}, "roberta": {"pad_token_id": 0}, "modernbert": {}}
    encoders = {
        family: st.Transformer(str(save_model(root / family, family, **more)))
        for family, more in special.items()
    }

    def save(layout):
        folder = root / "saved"
        shutil.rmtree(folder, ignore_errors=True)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            parts = [
                encoders[layout.family],
                *weighted_layers(layout.layer_weights),
                st.Pooling(SIZE, layout.pooling),
                *(one() for one in layout.modules),
            ]
        whole = SentenceTransformer(modules=parts, device="cpu", **layout.options)
        whole.save(str(folder), create_model_card=False)
        if layout.edit is not None:
            layout.edit(folder)
        return folder

    return save


def encode(folder, texts):
    return SentenceTransformer(str(folder), device="cpu").encode(texts)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=list(LAYOUTS))
def test_features_are_those_of_encode(make, layout, texts):
    folder = make(layout)
    found = BertVectorizer(folder, normalize="auto").fit(texts)
    expected = encode(folder, texts)
    np.testing.assert_allclose(found.transform(texts), expected, atol=1e-5, rtol=1e-5)
    assert len(found.get_feature_names_out()) == expected.shape[1]


def find(model, texts, **options):
    return BertVectorizer(model, normalize="auto", **options).transform(texts)


@pytest.mark.parametrize(
    "layout",
    [
        LAYOUTS["all kinds"],
        LAYOUTS["Dense with projected residual"],
        LAYOUTS["mean+cls"],
        LAYOUTS["cls+mean"],
        LAYOUTS["weightedmean"],
        LAYOUTS["truncated"],
        LAYOUTS["weighted layers and Dense"],
        LAYOUTS["weighted layers, switched on by an argument"],
        LAYOUTS["weighted layers, not switched on"],
    ],
    ids=[
        "all kinds",
        "residual",
        "mean+cls",
        "cls+mean",
        "weightedmean",
        "truncated",
        "weighted",
        "weighted by an argument",
        "not weighted",
    ],
)
def test_modules_survive_pre_training_and_its_folder(make, layout, texts, tmp_path):
    trained = BertMaskedLM(make(layout), max_steps=1, random_state=0).fit(texts)
    trained.save_pretrained(tmp_path / "trained")
    expected = encode(tmp_path / "trained", texts)
    for model in (trained, tmp_path / "trained", pickle.loads(pickle.dumps(trained))):
        found = find(model, texts)
        np.testing.assert_allclose(found, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", ["CNN", "LSTM", "WordWeights"])
def test_modules_that_cannot_be_computed_are_refused_by_name(make, texts, name):
    folder = make(Layout())
    before = find(folder, texts, pooling="max")
    listed = read(folder / "modules.json")
    kind = f"sentence_transformers.models.{name}"
    listed.insert(1, {"path": "x", "type": kind})
    write(folder / "modules.json", listed)
    with pytest.raises(CheckpointError, match=rf"Got the module '{kind}'\. Set"):
        BertVectorizer(folder).fit(texts)
    with pytest.raises(CheckpointError, match=name):
        BertClassifier(folder).fit(texts[:4], [0, 1, 0, 1])
    np.testing.assert_array_equal(find(folder, texts, pooling="max"), before)


@pytest.mark.parametrize("method", ["fit", "transform"])
def test_the_declared_pooling_is_not_computed_without_its_modules(make, texts, method):
    folder = make(LAYOUTS["two Dense"])
    vectorizer = BertVectorizer(folder, pooling="mean").fit(texts)
    listed = read(folder / "modules.json")
    listed[-1]["type"] = "sentence_transformers.models.LSTM"
    write(folder / "modules.json", listed)
    vectorizer = clone(vectorizer)
    with pytest.raises(CheckpointError, match=r"LSTM'\. Set pooling to 'cls' or 'max'"):
        getattr(vectorizer, method)(texts)
    for others in ({"pooling": "cls"}, {"layers": 1}):
        getattr(clone(vectorizer).set_params(**others), method)(texts)


def test_a_dense_that_has_only_a_pickle_is_converted(make, texts, tmp_path):
    folder = make(LAYOUTS["two Dense"])
    before = find(folder, texts)
    path = folder / "2_Dense/model.safetensors"
    torch.save(load_file(path), path.with_name("pytorch_model.bin"))
    path.unlink()
    with pytest.raises(CheckpointError, match=r"the Dense in 2_Dense/, ") as caught:
        BertVectorizer(folder).fit(texts)
    assert f"sklearn_bert.convert_checkpoint({str(folder)!r}, f" in str(caught.value)
    convert_checkpoint(folder, tmp_path / "new")
    np.testing.assert_array_equal(find(tmp_path / "new", texts), before)


def test_a_declaration_without_its_unsupported_module_is_not_written(
    make, texts, tmp_path
):
    folder = make(LAYOUTS["two Dense"])
    listed = read(folder / "modules.json")
    listed[-1]["type"] = "sentence_transformers.models.LSTM"
    write(folder / "modules.json", listed)
    trained = BertMaskedLM(folder, max_steps=1, random_state=0).fit(texts)
    trained.save_pretrained(tmp_path / "trained")
    assert not (tmp_path / "trained" / "modules.json").exists()


def test_normalize_and_dimensions_are_those_of_encode(make, texts):
    folder = make(LAYOUTS["all kinds"])
    whole = SentenceTransformer(str(folder), device="cpu")
    for k in (None, 5, 16):
        cut = BertVectorizer(folder, truncate_dim=k, normalize="auto")
        expected = whole.encode(texts, truncate_dim=k)
        np.testing.assert_allclose(cut.transform(texts), expected, atol=1e-5)
        cut.set_params(normalize=True)
        expected = whole.encode(texts, truncate_dim=k, normalize_embeddings=True)
        np.testing.assert_allclose(cut.transform(texts), expected, atol=1e-5)


def test_several_windows_go_through_the_modules_once(make, texts):
    folder = make(LAYOUTS["Dense, Tanh"])
    long = [" ".join(texts[:6]), texts[0]]
    options = {"long_text": "window", "max_length": 16}
    pooled = BertVectorizer(folder, pooling="max", **options).transform(long)
    assert pooled.shape == (2, SIZE)
    mean = BertVectorizer(folder, layers=[-1, -1], **options).transform(long)[:, :SIZE]
    (dense,) = [
        one for one in SentenceTransformer(str(folder)) if hasattr(one, "linear")
    ]
    with torch.inference_mode():
        expected = dense({"sentence_embedding": torch.from_numpy(mean)})
    found = BertVectorizer(folder, **options).transform(long)
    np.testing.assert_allclose(found, expected["sentence_embedding"], atol=1e-5)


@pytest.mark.real
def test_the_default_model_is_that_of_sentence_transformers(texts):
    vectorizer = BertVectorizer(normalize="auto").fit(texts)
    folder = locate(vectorizer.model, None).folder
    np.testing.assert_allclose(
        vectorizer.transform(texts), encode(folder, texts), atol=1e-5
    )
    lengths = np.linalg.norm(vectorizer.transform(texts), axis=1)
    np.testing.assert_allclose(lengths, 1, atol=1e-5)
    assert np.linalg.norm(BertVectorizer().transform(texts), axis=1).max() > 1.1
