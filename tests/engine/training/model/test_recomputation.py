"""Recomputed layers: the same gradients, and fewer tensors in memory."""

import pytest
import torch

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.load import load_checkpoint
from sklearn_bert._engine.encoding.batch import collate
from sklearn_bert._engine.training.model.dropout import Dropout
from sklearn_bert._engine.training.model.recomputation import recomputed
from sklearn_bert._engine.training.model.trainable import make_trainable

CPU = torch.device("cpu")
# One family for each backend, and one whose layers share their weights.
FAMILIES = {
    "bert": {},
    "distilbert": {"dim": 32, "n_layers": 3, "n_heads": 4, "hidden_dim": 48},
    "mpnet": {"pad_token_id": 1},
    "albert": {"embedding_size": 16},
}


@pytest.fixture(scope="module", params=FAMILIES)
def folder(request, save_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("recomputed") / request.param
    return save_model(folder, request.param, **FAMILIES[request.param])


def train(folder, texts, recomputes, autocast_dtype=None):
    """Return the gradients of a step, and how many bytes it held for them."""
    checkpoint = load_checkpoint(locate(str(folder), None))
    trainable = make_trainable(
        checkpoint,
        CPU,
        torch.float32,
        autocast_dtype=autocast_dtype,
        n_frozen=1,
        dropout=0.3,
        seed=0,
        recomputes=recomputes,
    )
    sequences = checkpoint.tokenizer(texts, None, max_length=32, long_text="truncate")
    rows = sorted(range(len(sequences.ids)), key=lambda row: -len(sequences.ids[row]))
    batch, n_bytes = collate(sequences, rows), []

    def hold(tensor):
        if not tensor.requires_grad or not tensor.is_leaf:
            n_bytes.append(tensor.nbytes)
        return tensor

    with (
        trainable.training(),
        torch.autograd.graph.saved_tensors_hooks(hold, lambda tensor: tensor),
    ):
        (states,) = trainable.encoder.backend.hidden_states(
            batch, (3,), only_first=False
        )
    held = sum(n_bytes)
    (states * torch.linspace(-1, 1, states.shape[1])).sum().backward()
    gradients = {one.name: one.tensor.grad for one in trainable.tensors}
    return {name: x for name, x in gradients.items() if x is not None}, held


@pytest.mark.parametrize("dtype", [None, torch.bfloat16])
def test_gradients_are_those_without_recomputation(folder, texts, dtype):
    expected, _ = train(folder, texts, False, dtype)
    found, _ = train(folder, texts, True, dtype)
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-6, atol=1e-6)


def test_a_step_holds_a_small_part_of_the_activations(folder, texts):
    _, without = train(folder, texts, False)
    _, held = train(folder, texts, True)
    assert held < 0.3 * without


def test_the_global_generator_is_left_alone(folder, texts):
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    train(folder, texts, True)
    assert torch.equal(torch.rand(1), expected)


def test_without_gradients_nothing_is_prepared_for_recomputation(monkeypatch):
    calls = []
    monkeypatch.setattr(Dropout, "same_masks", lambda self: calls.append(self))
    double = recomputed(lambda x, factor: factor * x, Dropout(0.1, 0, CPU))
    with torch.no_grad():
        assert double(torch.ones(1), factor=2.0) == 2
    assert calls == []
