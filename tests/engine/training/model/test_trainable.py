"""Trainable encoders: transformers' gradients, and what is frozen."""

import pytest
import torch
from torch import nn

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.load import load_checkpoint
from sklearn_bert._engine.encoding.batch import collate
from sklearn_bert._engine.encoding.pooling import join_windows, pool
from sklearn_bert._engine.training.model import autograd as gradients_module
from sklearn_bert._engine.training.model.dropout import Dropout
from sklearn_bert._engine.training.model.trainable import make_trainable

CPU = torch.device("cpu")
# One family for each path: fused, flat, padded.
FAMILIES = {
    "bert": {},
    "distilbert": {"dim": 32, "n_layers": 3, "n_heads": 4, "hidden_dim": 48},
    "mpnet": {"pad_token_id": 1},
}


@pytest.fixture(scope="module", params=FAMILIES)
def folder(request, save_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trainable") / request.param
    return save_model(folder, request.param, **FAMILIES[request.param])


def make(folder, n_frozen=0, dropout=0.0, dtype=torch.float64, autocast_dtype=None):
    checkpoint = load_checkpoint(locate(str(folder), None))
    trainable = make_trainable(
        checkpoint,
        CPU,
        dtype,
        autocast_dtype=autocast_dtype,
        n_frozen=n_frozen,
        dropout=dropout,
        seed=0,
    )
    return checkpoint, trainable


def pooled(trainable, sequences, pooling):
    rows = sorted(range(len(sequences.ids)), key=lambda row: -len(sequences.ids[row]))
    batch = collate(sequences, rows)
    if trainable.token_embedding is not None:
        trainable.token_embedding.take(batch.input_ids.unique())
    with trainable.training():
        (states,) = trainable.encoder.backend.hidden_states(
            batch, (3,), only_first=pooling == "cls"
        )
    return states if pooling == "cls" else pool(states, batch, pooling)


def expected_gradients(folder, sequences, pooling):
    """Run transformers' own model text by text, and give its gradients by name."""
    from transformers import AutoModel

    model = AutoModel.from_pretrained(folder).eval().double()
    vectors = []
    for ids in sorted(sequences.ids, key=lambda ids: -len(ids)):
        states = model(torch.tensor([ids])).last_hidden_state[0]
        vectors.append(states[0] if pooling == "cls" else states.mean(0))
    weigh(torch.stack(vectors)).backward()
    return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


def weigh(vectors):
    generator = torch.Generator().manual_seed(1)
    factors = torch.randn(vectors.shape, generator=generator, dtype=vectors.dtype)
    return (vectors * factors).sum()


@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_gradients_are_transformers_own(folder, texts, pooling):
    checkpoint, trainable = make(folder)
    sequences = checkpoint.tokenizer(
        texts[:9], None, max_length=32, long_text="truncate"
    )
    weigh(pooled(trainable, sequences, pooling)).backward()
    expected = expected_gradients(folder, sequences, pooling)
    compared = 0
    for one in trainable.tensors:
        if ".qkv." in one.name:
            parts = [one.name.replace("qkv", p) for p in ("query", "key", "value")]
            wanted = torch.cat([expected[part] for part in parts])
        elif one.tensor.grad is None:
            assert not expected.get(one.name, torch.zeros(1)).any()
            continue
        else:
            wanted = expected[one.name]
        torch.testing.assert_close(one.tensor.grad, wanted, rtol=1e-7, atol=1e-9)
        compared += 1
    assert compared > 20
    table = next(name for name in expected if "word_embeddings" in name)
    rows = trainable.token_embedding.rows
    torch.testing.assert_close(
        trainable.token_embedding.leaf.grad, expected[table][rows], rtol=1e-7, atol=1e-9
    )


@pytest.mark.parametrize("n_frozen", [0, 1, 2, 3, 4])
def test_what_is_frozen_is_not_among_the_trained(folder, n_frozen):
    _, trainable = make(folder, n_frozen)
    depths = {one.depth for one in trainable.tensors}
    assert depths == set(range(n_frozen, 4))
    assert (trainable.token_embedding is None) == (n_frozen > 0)
    assert all(one.tensor.requires_grad for one in trainable.tensors)


def test_the_global_generator_is_left_alone(folder, texts):
    checkpoint, trainable = make(folder, dropout=0.5)
    sequences = checkpoint.tokenizer(texts, None, max_length=32, long_text="truncate")
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    pooled(trainable, sequences, "mean")
    assert torch.equal(torch.rand(1), expected)


def test_dropout_acts_in_training_only(folder, texts):
    checkpoint, trainable = make(folder, dropout=0.5)
    sequences = checkpoint.tokenizer(texts, None, max_length=32, long_text="truncate")
    first, second = (pooled(trainable, sequences, "mean") for _ in range(2))
    assert not torch.equal(first, second)
    assert not trainable.dropout.is_on


def test_frozen_parts_have_no_dropout(folder, texts):
    checkpoint, trainable = make(folder, n_frozen=4, dropout=0.5)
    sequences = checkpoint.tokenizer(texts, None, max_length=32, long_text="truncate")
    first, second = (pooled(trainable, sequences, "mean") for _ in range(2))
    assert torch.equal(first, second)
    kinds = {type(module) for module in checkpoint.model.modules()}
    assert not kinds & {nn.Dropout, Dropout}


@pytest.mark.parametrize("pooling", ["cls", "mean", "max"])
def test_windows_are_joined_as_in_prediction(tiny_bert, pooling):
    checkpoint, trainable = make(tiny_bert)
    sequences = checkpoint.tokenizer(
        ["good film with a dull plot"], None, max_length=6, long_text="window"
    )
    batch = collate(sequences, [0, 1])
    vectors = pooled(trainable, sequences, pooling)
    lengths = batch.boundaries.diff()
    joined = join_windows(vectors, lengths, torch.tensor([0, 0]), 1, pooling)
    expected = vectors.amax(0) if pooling == "max" else vectors.mean(0)
    torch.testing.assert_close(joined[0], expected)


@pytest.mark.parametrize("folder", ["bert", "distilbert"], indirect=True)
def test_rows_that_fill_up_a_batch_in_bfloat16_change_nothing(
    folder, texts, monkeypatch
):
    gradients = []
    for step in (64, 1):
        # Without it, batches could not be compared with themselves.
        monkeypatch.setattr(gradients_module, "_ROW_STEP", step)
        _, trainable = make(folder, dtype=torch.float32, autocast_dtype=torch.bfloat16)
        with trainable.training():
            assert trainable.encoder.backend._n_rows(9) == {64: 64, 1: 9}[step]
        sequences = trainable.encoder.tokenizer(
            texts, None, max_length=64, long_text="truncate"
        )
        weigh(pooled(trainable, sequences, "mean")).backward()
        gradients.append(
            {
                one.name: one.tensor.grad
                for one in trainable.tensors
                if one.tensor.grad is not None
            }
        )
    for name, gradient in gradients[0].items():
        scale = float(gradients[1][name].abs().max())
        torch.testing.assert_close(
            gradient, gradients[1][name], rtol=0, atol=0.05 * scale + 1e-6, msg=name
        )
