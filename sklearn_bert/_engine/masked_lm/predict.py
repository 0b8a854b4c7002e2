"""Predictions of a trained masked language model."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from sklearn_bert._engine.encoding.batch import collate, move, plan_batches
from sklearn_bert._engine.masked_lm.loaded import FittedMaskedModel
from sklearn_bert._engine.masked_lm.masking import Masked, Masker, text_generator
from sklearn_bert._engine.runtime.gpu_turns import take_turn
from sklearn_bert._engine.runtime.memory import run_in_halves
from sklearn_bert._engine.text.token_sequences import TokenSequences

# Small, since every predicted token needs a score for each token of the vocabulary.
_TOKENS_PER_BATCH = 2048

_Read = TypeVar("_Read")


@dataclass(frozen=True)
class TokenPrediction:
    """A candidate for a masked token.

    Attributes
    ----------
    id : int
    probability : float
    """

    id: int
    probability: float


def sum_log_likelihoods(
    model: FittedMaskedModel,
    sequences: Sequence[Sequence[int]],
    masker: Masker,
    seed: int,
) -> tuple[np.ndarray, int]:
    """Mask tokens, predict them, and sum their log-probabilities.

    The masked tokens of a sequence depend only on the sequence and the seed.

    Parameters
    ----------
    model : FittedMaskedModel
    sequences : sequence of sequence of int
    masker : Masker
    seed : int

    Returns
    -------
    totals : ndarray of shape (n_sequences,), float64
    n_masked : int
    """
    masked = [
        masker(np.array(ids, dtype=np.int64), text_generator(ids, seed))
        for ids in sequences
    ]

    totals = np.zeros(len(masked))

    def add_up(rows: list[int], scores: Tensor) -> int:
        targets = np.concatenate([masked[row].targets for row in rows])
        chosen = scores.gather(1, torch.from_numpy(targets).to(scores.device)[:, None])
        likelihoods = chosen[:, 0] - scores.logsumexp(1)
        counts = [len(masked[row].targets) for row in rows]
        totals[rows] = np.bincount(
            np.repeat(range(len(rows)), counts),
            # On the CPU, since Apple's GPUs have no float64.
            weights=likelihoods.cpu().double().numpy(),
            minlength=len(rows),
        )
        return len(targets)

    n_masked = sum(n_part for _, n_part in _read_scores(model, masked, add_up))
    return totals, n_masked


def predict_masked(
    model: FittedMaskedModel, sequences: Sequence[Sequence[int]], n_guesses: int
) -> list[list[list[TokenPrediction]]]:
    """Return the most probable tokens for each masked token of each sequence.

    Parameters
    ----------
    model : FittedMaskedModel
    sequences : sequence of sequence of int
        Token ids, including mask tokens.
    n_guesses : int

    Returns
    -------
    list of list of list of TokenPrediction
    """
    mask = model.encoder.tokenizer.mask
    # The embedding matrix may have padding rows after the last token.
    n_tokens = model.encoder.tokenizer.largest_id + 1
    masked = []
    for ids in sequences:
        array = np.array(ids, dtype=np.int64)
        places = np.flatnonzero(array == mask)
        masked.append(Masked(array, places, array[places]))

    def find_best(rows: list[int], scores: Tensor) -> tuple[list, list]:
        probabilities = scores.softmax(1)[:, :n_tokens]
        best = probabilities.topk(min(n_guesses, probabilities.shape[1]))
        return best.indices.tolist(), best.values.tolist()

    found: list[list[list[TokenPrediction]]] = [[] for _ in sequences]
    for rows, best in _read_scores(model, masked, find_best):
        guesses = iter(zip(*best, strict=True))
        for row in rows:
            for _ in masked[row].places:
                ids, probs = next(guesses)
                found[row].append(
                    [TokenPrediction(*pair) for pair in zip(ids, probs, strict=True)]
                )
    return found


def _read_scores(
    model: FittedMaskedModel,
    masked: Sequence[Masked],
    read: Callable[[list[int], Tensor], _Read],
) -> Iterator[tuple[list[int], _Read]]:
    """Yield rows, and the result of ``read`` for their masked tokens.

    ``read`` is called with rows and their scores: (n_masked, n_tokens).
    """
    sequences = TokenSequences(
        ids=[one.ids.tolist() for one in masked], text_index=list(range(len(masked)))
    )
    lengths = [len(ids) for ids in sequences.ids]
    plan = plan_batches(lengths, max_tokens=_TOKENS_PER_BATCH, max_rows=None)

    def read_rows(rows: list[int]) -> tuple[list[int], _Read]:
        encoder = model.encoder
        with take_turn(encoder.device), torch.inference_mode(), encoder.autocast():
            return rows, read(rows, _scores(model, masked, sequences, rows))

    for rows in plan:
        yield from run_in_halves(
            read_rows,
            rows,
            sequences.ids,
            device=model.encoder.device,
            remedy="Shorten it",
        )


def _scores(
    model: FittedMaskedModel,
    masked: Sequence[Masked],
    sequences: TokenSequences,
    rows: list[int],
) -> Tensor:
    """Return the vocabulary scores for the masked tokens of the given rows."""
    encoder = model.encoder
    batch = collate(sequences, rows).to(encoder.device)
    starts = np.cumsum([0, *batch.lengths[:-1]])
    places = torch.from_numpy(
        np.concatenate(
            [
                masked[row].places + start
                for row, start in zip(rows, starts, strict=True)
            ]
        )
    )
    places = move(places, encoder.device)
    layers = (encoder.architecture.n_layers,)
    (states,) = encoder.backend.hidden_states(batch, layers, only_first=False)
    scores = model.head(states[places])
    return scores.to(torch.promote_types(scores.dtype, torch.float32))
