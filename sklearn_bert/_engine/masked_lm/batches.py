"""Batches for pre-training: their sequences, and the tokens that are masked.

A step depends only on the weights, the optimizer state, the seed and its own number.
The order of the sequences, the masks and the dropout are drawn from the seed and that
number. A training that was killed therefore resumes with identical results.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sklearn_bert._engine.encoding.batch import Batch, collate, move
from sklearn_bert._engine.masked_lm.masking import Masker
from sklearn_bert._engine.runtime.ranks import ALONE, Ranks
from sklearn_bert._engine.runtime.splitting import split_greedily
from sklearn_bert._engine.text.corpus import TokenCorpus
from sklearn_bert._engine.training.step_runner import Step, divide

# The independent random streams.
_ORDER, _MASKS, _DROPOUT = range(3)


@dataclass(frozen=True)
class MaskedPart:
    """Some sequences of a batch on the device, and the masked tokens to predict.

    Attributes
    ----------
    batch : Batch
    places : Tensor of shape (n_masked,), int64
        Positions of the masked tokens in the batch.
    targets : Tensor of shape (n_masked,), int64
        The original tokens at these positions.
    """

    batch: Batch
    places: Tensor
    targets: Tensor


class MaskedBatches:
    """Makes the batches for pre-training.

    Parameters
    ----------
    corpus : TokenCorpus
    masker : Masker
    batch_tokens : int
        Approximate number of tokens per batch.
    seed : int
    device : torch.device
    ranks : Ranks
        Among which the sequences of a batch are divided.

    Attributes
    ----------
    per_epoch : int
        Number of batches in an epoch.
    """

    def __init__(
        self,
        corpus: TokenCorpus,
        masker: Masker,
        batch_tokens: int,
        seed: int,
        device: torch.device,
        ranks: Ranks = ALONE,
    ) -> None:
        self._ranks = ranks
        self._corpus = corpus
        self._masker = masker
        self._batch_tokens = batch_tokens
        self._seed = seed
        self._device = device
        self.per_epoch = corpus.n_batches(batch_tokens)

    def rows(self, step: int, n_steps: int) -> Iterator[list[int]]:
        """Yield the rows of each step, from ``step`` to ``n_steps - 1``."""
        while step < n_steps:
            epoch, n_done = divmod(step, self.per_epoch)
            seed = [self._seed, _ORDER, epoch]
            batches = self._corpus.batches(self._batch_tokens, seed)[n_done:]
            for rows in batches[: n_steps - step]:
                yield rows.tolist()
            step += len(batches)

    def make(self, rows: list[int], step: int, max_tokens: int) -> Step[MaskedPart]:
        """Mask tokens in the given rows; return parts of at most ``max_tokens``.

        The masks do not depend on the number of ranks.
        """
        sequences = self._corpus.take(rows)
        generator = np.random.default_rng(self._draw(_MASKS, step))
        together = np.concatenate([np.array(ids) for ids in sequences.ids])
        masked = self._masker(together, generator)
        lengths = [len(ids) for ids in sequences.ids]
        starts = np.cumsum([0, *lengths])
        # Of each sequence, its first masked token.
        firsts = np.searchsorted(masked.places, starts)

        def collate_masked(some: list[int]) -> MaskedPart:
            batch = collate(sequences, some)
            read = _ranges(starts[some], starts[np.add(some, 1)])
            hidden = _ranges(firsts[some], firsts[np.add(some, 1)])
            batch.input_ids.copy_(torch.from_numpy(masked.ids[read]))
            # The tokens of a part are in ascending order in the batch, too.
            arrays = (
                np.searchsorted(read, masked.places[hidden]),
                masked.targets[hidden],
            )
            places, targets = (move(torch.from_numpy(x), self._device) for x in arrays)
            return MaskedPart(batch.to(self._device), places, targets)

        own, weight = self._ranks.share(range(len(lengths)))
        parts = split_greedily(own, lengths.__getitem__, max_size=max_tokens)
        if self._device.type == "cpu":
            divided = [divide(part, lengths) for part in parts]
        else:
            divided = [[part] for part in parts]
        return Step(
            rows,
            [[collate_masked(share) for share in part] for part in divided],
            n_losses=max(len(masked.places), 1),
            weight=weight,
        )

    def dropout_seed(self, step: int) -> int:
        """Return the seed of the dropout of a step."""
        # Each rank has other sequences.
        return self._draw(_DROPOUT, step) + self._ranks.rank

    def count_tokens(self, rows: list[int]) -> int:
        """Return the number of tokens in the given rows."""
        return self._corpus.count_tokens(np.array(rows))

    def _draw(self, stream: int, step: int) -> int:
        key = [self._seed, stream, step]
        return int(np.random.SeedSequence(key).generate_state(1)[0])


def _ranges(starts: np.ndarray, stops: np.ndarray) -> np.ndarray:
    """Return the numbers of several ranges, one after the other."""
    return np.concatenate([np.arange(*one) for one in zip(starts, stops, strict=True)])
