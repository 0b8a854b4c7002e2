"""transformers' modules in training, over flat batches."""

import pytest
import torch

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.load import load_checkpoint
from sklearn_bert._engine.encoding.batch import collate
from sklearn_bert._engine.training.model.trainable import make_trainable


@pytest.fixture(scope="module")
def folder(save_model, tmp_path_factory):
    sizes = {"dim": 32, "n_layers": 3, "n_heads": 4, "hidden_dim": 48}
    folder = tmp_path_factory.mktemp("flat") / "distilbert"
    return save_model(folder, "distilbert", **sizes)


def test_flat_batches_are_filled_up_in_bfloat16(folder, texts):
    checkpoint = load_checkpoint(locate(str(folder), None))
    trainable = make_trainable(
        checkpoint,
        torch.device("cpu"),
        torch.float32,
        autocast_dtype=torch.bfloat16,
        n_frozen=0,
        dropout=0.0,
        seed=0,
    )
    n_rows = []
    checkpoint.model.embeddings.register_forward_hook(
        lambda module, inputs, output: n_rows.append(output.shape[1])
    )
    sequences = checkpoint.tokenizer(texts, None, max_length=64, long_text="truncate")
    rows = sorted(range(len(sequences.ids)), key=lambda row: -len(sequences.ids[row]))
    batch = collate(sequences, rows)
    trainable.token_embedding.take(batch.input_ids.unique())
    with trainable.training():
        trainable.encoder.backend.hidden_states(batch, (3,), only_first=False)
    assert n_rows[0] % 64 == 0
    assert sum(map(len, sequences.ids)) % 64 != 0
