"""Padding of batches to a few shapes by adding a text of weight 0."""

from dataclasses import replace

import torch
from torch import Tensor

from sklearn_bert._engine.encoding.batch import Batch
from sklearn_bert._engine.training.batches import TrainingBatch

# Tokens between two sizes. There are few sizes, and the padding costs little time.
STEP = 256


def pad_to_bucket(part: TrainingBatch) -> TrainingBatch:
    """Add a text of weight 0, so that many batches have the same shape.

    Parameters
    ----------
    part : TrainingBatch
        Texts of one sequence each, on the CPU.

    Returns
    -------
    TrainingBatch
        Its number of tokens is a multiple of ``STEP``. Its ``batch.lengths`` are upper
        bounds, also multiples of ``STEP``. In token classification, it has as many
        words as tokens. A ``part`` with more words than that is returned unchanged.
    """
    batch = part.batch
    n_tokens = len(batch.input_ids)
    n_more = STEP - n_tokens % STEP
    n_rows = 1
    if batch.word_positions is not None:
        n_rows = n_tokens + n_more - len(batch.word_positions)
        if n_rows < 0:
            return part
    bound = -(-batch.lengths[0] // STEP) * STEP
    filled = Batch(
        lengths=(bound,) * (len(batch.lengths) + 1),
        boundaries=_append(batch.boundaries, n_tokens + n_more),
        # A token of the batch, since only the embeddings of these are available.
        input_ids=_append(batch.input_ids, int(batch.input_ids[0]), n_more),
        positions=_append(batch.positions, 0, n_more),
        segments=_append_if(batch.segments, 0, n_more),
        word_positions=_append_if(batch.word_positions, n_tokens, n_rows),
        n_prompt=batch.n_prompt,
    )
    return replace(
        part,
        batch=filled,
        targets=_append(part.targets, 0, n_rows),
        weights=_append(part.weights, 0, n_rows),
    )


def _append(rows: Tensor, value: int, n: int = 1) -> Tensor:
    return torch.cat([rows, rows.new_full((n, *rows.shape[1:]), value)])


def _append_if(rows: Tensor | None, value: int, n: int) -> Tensor | None:
    return None if rows is None else _append(rows, value, n)
