"""The outputs of a fine-tuned encoder as a function of its token embeddings."""

from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sklearn_bert._engine.checkpoints.load import Checkpoint
from sklearn_bert._engine.encoding.backend_choice import self_test_sequences
from sklearn_bert._engine.encoding.batch import collate
from sklearn_bert._engine.encoding.encoder import Encoder
from sklearn_bert._engine.encoding.readout import Readout
from sklearn_bert._engine.runtime.memory import raise_if_out_of_memory
from sklearn_bert._engine.text.token_sequences import TokenSequences
from sklearn_bert._engine.training.heads import LinearHead
from sklearn_bert._engine.training.model.trainable import make_trainable
from sklearn_bert.exceptions import CheckpointError

# Another embedding changes the states by far more, rounding by far less.
_TOLERANCE = 1e-4


class _Points(nn.Module):
    """Takes the place of the table of token embeddings: an id is a row of ``points``.

    Ids start at ``first``, above the ids of all tokens, which some models look at.
    """

    def __init__(self, first: int) -> None:
        super().__init__()
        self.first = first
        self.points: Tensor | None = None

    def forward(self, ids: Tensor) -> Tensor:
        assert self.points is not None
        # Padding gets some row, which is not read.
        return F.embedding((ids - self.first).clamp(min=0), self.points)


@dataclass(frozen=True)
class Sample:
    """The sequences of one text, one pair or one sentence, the longest first.

    Attributes
    ----------
    sequences : TokenSequences
    words : list of list of int
        The word of each token; negative for tokens of no word.
    """

    sequences: TokenSequences
    words: list[list[int]]

    @property
    def n_tokens(self) -> int:
        """Number of tokens of all sequences."""
        return sum(map(len, self.sequences.ids))

    @classmethod
    def sort(cls, sequences: TokenSequences, words: list[list[int]]) -> "Sample":
        """Return a sample of sequences in any order."""
        ids, second = sequences.ids, sequences.second_starts
        order = sorted(range(len(ids)), key=lambda row: -len(ids[row]))
        # Windows of sentences are equally long, so that words keep their order.
        in_order = replace(
            sequences,
            ids=[ids[row] for row in order],
            second_starts=None if second is None else [second[row] for row in order],
        )
        return cls(in_order, [words[row] for row in order])


class EmbeddedModel:
    """The outputs of an encoder and its head as a function of the token embeddings.

    It can be differentiated, and there is no dropout.

    Parameters
    ----------
    checkpoint : Checkpoint
        Its module is taken over.
    readout : Readout
    head : LinearHead
    device : torch.device
    dtype : torch.dtype

    Raises
    ------
    CheckpointError
        If the model does not read its tokens from a table of embeddings alone.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        readout: Readout,
        head: LinearHead,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        model: Any = checkpoint.model
        n_layers = checkpoint.architecture.n_layers
        self.encoder: Encoder = make_trainable(
            checkpoint,
            device,
            dtype,
            autocast_dtype=None,
            n_frozen=n_layers + 1,
            dropout=0.0,
            seed=0,
        ).encoder
        self._readout, self._top = readout, (n_layers,)
        self._coef, self._intercept = (
            torch.as_tensor(array, dtype=dtype, device=device)
            for array in (head.coef, head.intercept)
        )
        sequences = self_test_sequences(checkpoint)
        expected = self._states(sequences)
        self._table = model.get_input_embeddings()
        self._points = _Points(self._table.weight.shape[0])
        model.set_input_embeddings(self._points)
        self._check(sequences, expected, model.config.model_type)

    def embed(self, ids: list[int]) -> Tensor:
        """Return the embeddings of token ids: (n, size)."""
        with torch.no_grad():
            embedded: Tensor = self._table(
                torch.tensor(ids, device=self.encoder.device)
            )
            return embedded

    def __call__(self, sample: Sample, points: Tensor) -> Tensor:
        """Return the outputs for copies of a sample with other embeddings.

        Parameters
        ----------
        sample : Sample
        points : Tensor of shape (n_copies, n_tokens, size)
            The embeddings of all tokens of the sample in each copy.

        Returns
        -------
        Tensor of shape (n_copies, n_rows, n_outputs)
            One row per text or word.
        """
        encoder, readout = self.encoder, self._readout
        n_copies, n_sequences = len(points), len(sample.sequences.ids)
        copies = _copy(sample, n_copies, self._points.first)
        batch = collate(copies, range(len(copies.ids))).to(encoder.device)
        self._points.points = points.flatten(0, 1)
        with encoder.autocast():
            (rows,) = encoder.read_rows(batch, self._top, readout)
            n_rows_each = readout.count(sample.sequences)
            if sample.sequences.word_positions is None and n_sequences > 1:
                owners = torch.arange(n_copies, device=encoder.device)
                rows = readout.join(rows, batch, owners.repeat(n_sequences), n_copies)
                n_rows_each = [1]
            rows = encoder.finish(rows, readout).to(self._coef.dtype)
            outputs = F.linear(rows, self._coef, self._intercept)
        # All copies of a sequence follow each other.
        parts = outputs.split([n_copies * n_rows for n_rows in n_rows_each])
        return torch.cat(
            [
                part.unflatten(0, (n_copies, n_rows))
                for part, n_rows in zip(parts, n_rows_each, strict=True)
            ],
            dim=1,
        )

    def _states(self, sequences: TokenSequences) -> Tensor:
        """Return the last states of the short sequences of the self-test."""
        rows = range(1, len(sequences.ids))
        batch = collate(sequences, rows).to(self.encoder.device)
        with torch.no_grad(), self.encoder.autocast():
            (states,) = self.encoder.backend.hidden_states(
                batch, self._top, only_first=False
            )
        return states

    def _check(self, sequences: TokenSequences, expected: Tensor, kind: str) -> None:
        """Refuse a model whose states with the same embeddings are others."""
        first, ids = self._points.first, [id_ for row in sequences.ids for id_ in row]
        self._points.points = self.embed(ids)
        places = iter(range(first, first + len(ids)))
        placed = [[next(places) for _ in row] for row in sequences.ids]
        try:
            found = self._states(replace(sequences, ids=placed))
            limit = _TOLERANCE * float(expected.abs().max())
            is_same = torch.allclose(found, expected, rtol=0.0, atol=limit)
        # A model that is not known can fail in any way.
        except Exception as error:
            raise_if_out_of_memory(error)
            is_same = False
        if not is_same:
            raise CheckpointError(
                "Attributions need a model that reads its tokens from a table of "
                f"embeddings alone. Got a {kind!r} model. Leave out one word at a time "
                "instead, and compare the predictions."
            )


def _copy(sample: Sample, n_copies: int, first: int) -> TokenSequences:
    """Return copies of each sequence, with places in a table of points as ids.

    The points of all tokens of the first copy come first.
    """
    sequences, n_tokens = sample.sequences, sample.n_tokens
    second, words = sequences.second_starts, sequences.word_positions
    ids, start = [], first
    for row in sequences.ids:
        for copy in range(n_copies):
            place = start + copy * n_tokens
            ids.append(list(range(place, place + len(row))))
        start += len(row)
    each = [row for row in range(len(sequences.ids)) for _ in range(n_copies)]
    return TokenSequences(
        ids,
        None if second is None else [second[row] for row in each],
        list(range(len(ids))),
        None if words is None else [words[row] for row in each],
        n_prompt=sequences.n_prompt,
    )
