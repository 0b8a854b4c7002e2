"""Parameters are resolved for a checkpoint, all in one call."""

import json

import pytest
import torch

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.load import load_checkpoint
from sklearn_bert._engine.encoding.readout import PooledReadout, WordReadout
from sklearn_bert._engine.encoding.resolve import resolve_encoder
from sklearn_bert.exceptions import CheckpointError

PARAMETERS = {
    "pooling": "auto",
    "max_length": None,
    "long_text": "truncate",
    "prompt": None,
}


@pytest.fixture
def resolve(own_bert):
    def resolve(n_columns=1, **changes):
        files = locate(str(own_bert), None)
        return resolve_encoder(files, "own", n_columns, **{**PARAMETERS, **changes})

    return resolve


def test_defaults_are_the_checkpoints_own(resolve):
    resolved = resolve()
    assert resolved.readout == PooledReadout("cls")
    assert resolved.layers == (3,)
    assert resolved.tokenizing.max_length == 64
    assert resolved.n_features == 32


@pytest.mark.parametrize(
    ("layers", "expected"),
    [(0, (0,)), (-1, (3,)), (-4, (0,)), ([1, -1], (1, 3)), ((2, 2), (2, 2))],
)
def test_layers_are_counted_from_the_embeddings(resolve, layers, expected):
    resolved = resolve(layers=layers)
    assert resolved.layers == expected
    assert resolved.n_features == 32 * len(expected)


@pytest.mark.parametrize("layers", [4, -5, [], [True], ["1"], [1.0]])
def test_invalid_layers_are_refused(resolve, layers):
    with pytest.raises(ValueError, match="from -4 to 3"):
        resolve(layers=layers)


@pytest.mark.parametrize(
    ("declared", "n_columns", "pooling"),
    [
        ("mean", 1, "mean"),
        ("mean", 2, "compare"),
        ("max", 2, "max"),
        (["mean", "cls"], 2, "mean+cls"),
    ],
)
def test_auto_selects_the_declared_pooling(
    resolve, own_bert, declare, declared, n_columns, pooling
):
    declare(own_bert, {"pooling_mode": declared})
    assert resolve(n_columns).pooling == pooling


def test_an_unknown_pooling_is_refused_unless_another_is_set(
    resolve, own_bert, declare
):
    declare(own_bert, {"pooling_mode": "median"})
    with pytest.raises(
        CheckpointError, match=r"model 'own' declares.* pooling mode 'median'\. Set"
    ):
        resolve()
    assert resolve(pooling="mean").pooling == "mean"


def test_words_are_not_pooled_whatever_is_declared(resolve, own_bert, declare):
    declare(own_bert, {"pooling_mode": "median"})
    assert resolve(pooling=None).readout == WordReadout()


@pytest.fixture
def with_modules(own_bert, declare):
    """The tiny BERT with means, a Dense of 16 features and a Normalize."""
    weights = {"linear.weight": torch.ones(16, 32), "linear.bias": torch.zeros(16)}
    sizes = {"in_features": 32, "out_features": 16}
    declare(
        own_bert,
        {"pooling_mode": "mean"},
        ("Dense", sizes, weights),
        ("Normalize", {}, {}),
    )
    return own_bert


@pytest.mark.parametrize(
    ("n_columns", "changes", "n_modules", "n_features"),
    [
        (1, {}, 1, 16),
        (1, {"with_normalize": True}, 2, 16),
        (1, {"pooling": "mean"}, 1, 16),
        (1, {"pooling": "max"}, 0, 32),
        (1, {"layers": 2}, 0, 32),
        (1, {"layers": [-1, -1]}, 0, 64),
        (1, {"layers": [-1]}, 1, 16),
        (2, {}, 0, 128),
        (2, {"pooling": "mean"}, 0, 32),
        (1, {"truncate_dim": 5}, 1, 5),
        (1, {"truncate_dim": 20, "pooling": "max"}, 0, 20),
    ],
)
def test_modules_apply_to_the_vectors_that_are_declared(
    resolve, with_modules, n_columns, changes, n_modules, n_features
):
    resolved = resolve(n_columns, **changes)
    assert resolved.readout.n_modules == n_modules
    assert resolved.n_features == n_features


@pytest.mark.parametrize(
    ("n_columns", "changes", "match"),
    [
        (1, {"truncate_dim": 17}, "at most 16, the number of features"),
        (1, {"truncate_dim": 4, "layers": [0, 1]}, "features of several layers"),
        (2, {"truncate_dim": 4}, "or of pooling='compare'"),
    ],
)
def test_features_that_cannot_be_cut_are_refused(
    resolve, with_modules, n_columns, changes, match
):
    with pytest.raises(ValueError, match=match):
        resolve(n_columns, **changes)


@pytest.mark.parametrize(("pooling", "n_modules"), [("auto", 1), ("max", 0)])
def test_a_trained_checkpoint_declares_the_modules_that_were_trained(
    resolve, with_modules, pooling, n_modules
):
    checkpoint = load_checkpoint(locate(str(with_modules), None))
    adapted = resolve(pooling=pooling).adapted(checkpoint)
    assert len(adapted.modules) == len(adapted.architecture.modules) == n_modules


def test_single_texts_are_not_compared(resolve):
    with pytest.raises(ValueError, match=r"requires pairs of texts\. Got one column"):
        resolve(pooling="compare")
    assert resolve(2, pooling="compare").n_features == 128


@pytest.mark.parametrize(
    ("max_length", "n_columns", "match"), [(65, 1, "at most 64"), (5, 2, "at least 6")]
)
def test_invalid_lengths_are_refused(resolve, max_length, n_columns, match):
    with pytest.raises(ValueError, match=match):
        resolve(n_columns, max_length=max_length)


def declare_prompt(folder):
    content = {"prompts": {"query": "query: "}, "default_prompt_name": "query"}
    path = folder / "config_sentence_transformers.json"
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("prompt", "text"), [("auto", "query: "), (None, ""), ("film: ", "film: ")]
)
def test_a_prompt_is_the_declared_one_or_given(resolve, own_bert, prompt, text):
    declare_prompt(own_bert)
    assert resolve(prompt=prompt).tokenizing.prompt == text


def test_a_prompt_with_a_lone_surrogate_is_refused(resolve):
    with pytest.raises(ValueError, match="prompt must be a text of valid characters"):
        resolve(prompt="\ud800")


@pytest.mark.parametrize(("prompt", "text"), [("film: ", "film: "), (None, "")])
def test_a_trained_checkpoint_declares_its_prompt(resolve, own_bert, prompt, text):
    declare_prompt(own_bert)
    resolved = resolve(prompt=prompt)
    adapted = resolved.adapted(load_checkpoint(resolved.source))
    prompts = adapted.architecture.prompts
    assert (prompts.default, prompts.resolve("query")) == (text, "query: ")


@pytest.mark.parametrize(
    ("pooling", "declared"), [("max", "max"), ("compare", "mean"), (None, None)]
)
def test_a_trained_checkpoint_declares_how_it_was_read(
    resolve, own_bert, pooling, declared
):
    checkpoint = load_checkpoint(locate(str(own_bert), None))
    adapted = resolve(2, pooling=pooling).adapted(checkpoint)
    assert adapted.architecture.pooling == declared


def write_prompts(folder, **content):
    path = folder / "config_sentence_transformers.json"
    path.write_text(json.dumps(content))


def test_a_declared_prompt_with_special_tokens_is_refused(resolve, own_bert):
    write_prompts(own_bert, prompts={"odd": "[SEP] a"}, default_prompt_name="odd")
    for prompt in ("auto", "odd"):
        with pytest.raises(CheckpointError, match=r"special tokens\. Got .*\[SEP\]"):
            resolve(prompt=prompt)
    assert resolve(prompt=None).tokenizing.prompt == ""
    assert resolve(prompt="[SEP] b").tokenizing.prompt == "[SEP] b"


@pytest.mark.parametrize("kind", [None, "CrossEncoder", 3])
def test_modules_of_another_kind_of_model_are_refused(resolve, own_bert, declare, kind):
    declare(own_bert, {"pooling_mode": "mean"}, ("Normalize", {}, {}))
    write_prompts(own_bert, model_type=kind)
    with pytest.raises(CheckpointError, match=f"model_type {kind!r}"):
        resolve()
    assert resolve(pooling="max").pooling == "max"


@pytest.mark.parametrize(
    ("n_columns", "changes", "applies"),
    [
        (1, {}, True),
        (1, {"pooling": "cls"}, True),
        (1, {"pooling": "mean"}, False),
        (1, {"layers": 2}, False),
        (1, {"pooling": None}, False),
        (2, {}, False),
    ],
)
def test_weights_of_layers_apply_as_the_modules_after_the_pooling(
    resolve, own_bert, declare, weigh_layers, n_columns, changes, applies
):
    declare(own_bert, {"pooling_mode": "cls"})
    weigh_layers(own_bert, torch.tensor([1.0, 2.0]))
    resolved = resolve(n_columns, **changes)
    expected = (1.0, 2.0) if applies else None
    assert resolved.readout.layer_weights == expected
    assert resolved.n_features == 32
    if resolved.pooling is not None:
        adapted = resolved.adapted(load_checkpoint(resolved.source))
        assert adapted.architecture.layer_weights == expected
