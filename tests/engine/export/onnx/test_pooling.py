"""Pooling of padded batches is the pooling of the same batches without padding."""

import numpy as np
import pytest
import torch

from sklearn_bert._engine.encoding.batch import collate
from sklearn_bert._engine.encoding.pooling import pool
from sklearn_bert._engine.export.onnx.pooling import pool_padded
from sklearn_bert._engine.text.token_sequences import TokenSequences

MODES = ("cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken")
LENGTHS = [9, 7, 7, 4, 1]


@pytest.fixture
def pool_both():
    """Return a function that pools the same states, padded and not."""

    def both(pooling, n_prompt=0, second_starts=None):
        sequences = TokenSequences(
            [[1] * n for n in LENGTHS], second_starts, n_prompt=n_prompt
        )
        flat = collate(sequences, range(len(LENGTHS)))
        generator = torch.Generator().manual_seed(0)
        # Negative, so that a maximum would show the zeros of padding.
        hidden = torch.rand(len(LENGTHS), max(LENGTHS), 5, generator=generator) - 2
        places = torch.arange(max(LENGTHS))
        mask = places < torch.tensor(LENGTHS)[:, None]
        segments = None
        if second_starts is not None:
            segments = (places >= torch.tensor(second_starts)[:, None]).long()
        found = pool_padded(hidden, mask.long(), segments, pooling, n_prompt)
        return found, pool(hidden[mask], flat, pooling)

    return both


@pytest.mark.parametrize("pooling", [*MODES, "cls+mean+max"])
@pytest.mark.parametrize("n_prompt", [0, 2, 6])
def test_padding_changes_nothing(pool_both, pooling, n_prompt):
    found, expected = pool_both(pooling, n_prompt)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_padding_changes_no_comparison(pool_both):
    # The second text of the last pair has no tokens.
    found, expected = pool_both("compare", second_starts=[4, 6, 1, 2, 1])
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
