"""The frozen part of an encoder, whose output for each sequence is kept."""

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import accumulate, groupby

import numpy as np
import torch
from torch import Tensor

from sklearn_bert._engine.encoding.batch import (
    TOKENS_ON_CPU,
    Batch,
    collate,
    plan_batches,
)
from sklearn_bert._engine.encoding.frozen.kept_arrays import KeptArrays
from sklearn_bert._engine.encoding.readout import Readout, WordReadout
from sklearn_bert._engine.runtime.device import multiply_in
from sklearn_bert._engine.runtime.memory import run_in_halves
from sklearn_bert._engine.text.token_sequences import TokenSequences

_CPU = torch.device("cpu")
# Products of fewer rows differ in the last digits.
_FEWEST_TOKENS = 16
_BYTES_PER_KEY = 16


@dataclass(frozen=True, eq=False)
class FrozenPart:
    """The lowest layers of an encoder, or all of them with the pooling, on a CPU.

    Their output for a sequence depends only on the sequence, so that it is computed
    once and kept. It is the same whether it is kept or computed again: it never depends
    on which other sequences are computed with it.

    Attributes
    ----------
    depth : int
        The number of these layers, at least one.
    readout : Readout or None
        None keeps the states of the tokens after these layers. If they are all layers,
        a readout keeps the rows that it reads from the states, which are fewer.
    compute : callable
        Returns the output for a batch: states of shape (T, hidden_size), or rows.
    kept : KeptArrays
    keeps_new : bool
        Whether what is computed is kept too.
    by_length : bool
        Whether only sequences of one length are computed together, since padding
        changes the last digits.
    """

    depth: int
    readout: Readout | None
    compute: Callable[[Batch], Tensor]
    kept: KeptArrays
    keeps_new: bool = True
    by_length: bool = False

    def collate(self, sequences: TokenSequences, rows: Sequence[int]) -> Batch:
        """Collate sequences, the longest first, with the output for them."""
        batch, output = collate(sequences, rows), self.output(sequences, rows)
        if self.readout is not None:
            return replace(batch, rows=output)
        return replace(batch, states=output, depth=self.depth)

    def output(self, sequences: TokenSequences, rows: Sequence[int]) -> Tensor:
        """Return the output for some sequences, one after the other."""
        keys = [self._key(sequences, row) for row in rows]
        found = self.kept.read(keys)
        missing = {
            key: row for key, row in zip(keys, rows, strict=True) if key not in found
        }
        if missing:
            found |= self._compute(sequences, missing)
        return torch.from_numpy(np.concatenate([found[key] for key in keys]))

    def _compute(
        self, sequences: TokenSequences, missing: dict[bytes, int]
    ) -> dict[bytes, np.ndarray]:
        """Return the output for each sequence, and keep it if it is to be kept."""
        keys, rows = list(missing), list(missing.values())
        ids = [sequences.ids[row] for row in rows]
        lengths = list(map(len, ids))
        plan = plan_batches(lengths, max_tokens=TOKENS_ON_CPU, max_rows=None)
        if self.by_length:
            plan = (
                list(run)
                for some in plan
                for _, run in groupby(some, lengths.__getitem__)
            )

        def run(places: list[int]) -> dict[bytes, np.ndarray]:
            # The first copy of each sequence is used.
            n_tokens = sum(lengths[place] for place in places)
            n_copies = -(-_FEWEST_TOKENS // max(n_tokens, 1))
            some = [rows[place] for place in places for _ in range(n_copies)]
            output = self.compute(collate(sequences, some)).numpy()
            stops = accumulate(self._what_is_read(sequences, row)[0] for row in some)
            parts = np.split(output, list(stops)[:-1])[::n_copies]
            found = dict(zip((keys[place] for place in places), parts, strict=True))
            if self.keeps_new:
                self.kept.write(found)
            return found

        found: dict[bytes, np.ndarray] = {}
        # Not in an autocast context: what is kept does not depend on it.
        with torch.inference_mode(), multiply_in(_CPU):
            for places in plan:
                for part in run_in_halves(
                    run, places, ids, device=_CPU, remedy="Lower max_length"
                ):
                    found |= part
        return found

    def _key(self, sequences: TokenSequences, row: int) -> bytes:
        """Return a digest of all that the output for a sequence depends on."""
        second = sequences.second_starts
        _, more = self._what_is_read(sequences, row)
        start = -1 if second is None else second[row]
        numbers = array("q", [*more, start, *sequences.ids[row]])
        return blake2b(numbers, digest_size=_BYTES_PER_KEY).digest()

    def _what_is_read(
        self, sequences: TokenSequences, row: int
    ) -> tuple[int, list[int]]:
        """Return the number of rows of a sequence, and what else they depend on."""
        if self.readout is None:
            return len(sequences.ids[row]), []
        if isinstance(self.readout, WordReadout):
            assert sequences.word_positions is not None
            words = sequences.word_positions[row]
            return len(words), [len(words), *words]
        return 1, [sequences.n_prompt]
