"""What a trained masked language model makes of texts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sklearn_bert._engine.batching import collate, move, plan_batches
from sklearn_bert._engine.masking import Masked, Masker, text_generator
from sklearn_bert._engine.running import RunningMaskedModel
from sklearn_bert._engine.tokenization import TokenSequences

# Few, since every token that is guessed takes a score for each of the vocabulary.
_TOKENS_PER_BATCH = 2048


@dataclass(frozen=True)
class Guess:
    """A token that could stand where one is hidden.

    Attributes
    ----------
    id : int
    probability : float
    """

    id: int
    probability: float


def sum_log_likelihoods(
    running: RunningMaskedModel,
    sequences: Sequence[Sequence[int]],
    masker: Masker,
    seed: int,
) -> tuple[float, int]:
    """Hide tokens, guess them, and add up the logarithms of their probabilities.

    What is hidden in a sequence depends on it and on the seed alone.

    Parameters
    ----------
    running : RunningMaskedModel
    sequences : sequence of sequence of int
    masker : Masker
    seed : int

    Returns
    -------
    total : float
    n_hidden : int
    """
    masked = [
        masker(np.array(ids, dtype=np.int64), text_generator(ids, seed))
        for ids in sequences
    ]
    total, n_hidden = 0.0, 0
    for rows, scores in _scores(running, masked):
        targets = np.concatenate([masked[row].targets for row in rows])
        chosen = scores.gather(1, torch.from_numpy(targets).to(scores.device)[:, None])
        total += float((chosen[:, 0] - scores.logsumexp(1)).sum(dtype=torch.float64))
        n_hidden += len(targets)
    return total, n_hidden


def guess(
    running: RunningMaskedModel, sequences: Sequence[Sequence[int]], n_guesses: int
) -> list[list[list[Guess]]]:
    """Return the likeliest tokens for each hidden token of each sequence.

    Parameters
    ----------
    running : RunningMaskedModel
    sequences : sequence of sequence of int
        In which the mask token stands where one is hidden.
    n_guesses : int

    Returns
    -------
    list of list of list of Guess
    """
    mask = running.encoder.tokenizer.mask
    masked = []
    for ids in sequences:
        array = np.array(ids, dtype=np.int64)
        places = np.flatnonzero(array == mask)
        masked.append(Masked(array, places, array[places]))
    found: list[list[list[Guess]]] = [[] for _ in sequences]
    for rows, scores in _scores(running, masked):
        best = scores.softmax(1).topk(min(n_guesses, scores.shape[1]))
        guesses = iter(zip(best.indices.tolist(), best.values.tolist(), strict=True))
        for row in rows:
            for _ in masked[row].places:
                ids, shares = next(guesses)
                found[row].append(
                    [Guess(*pair) for pair in zip(ids, shares, strict=True)]
                )
    return found


def _scores(
    running: RunningMaskedModel, masked: Sequence[Masked]
) -> Iterator[tuple[list[int], Tensor]]:
    """Yield rows, and the scores of the vocabulary at their hidden places."""
    encoder = running.encoder
    sequences = TokenSequences(
        ids=[one.ids.tolist() for one in masked], texts=list(range(len(masked)))
    )
    lengths = [len(ids) for ids in sequences.ids]
    layers = (encoder.architecture.n_layers,)
    plan = plan_batches(lengths, max_tokens=_TOKENS_PER_BATCH, max_rows=None)
    with torch.inference_mode():
        for rows in plan:
            batch = collate(sequences, rows).to(encoder.device)
            starts = np.cumsum([0, *(lengths[row] for row in rows)])
            places = torch.from_numpy(
                np.concatenate(
                    [
                        masked[row].places + start
                        for row, start in zip(rows, starts[:-1], strict=True)
                    ]
                )
            )
            if encoder.device.type != "cpu":
                places = move(places, encoder.device)
            (states,) = encoder.path.hidden_states(batch, layers, only_first=False)
            scores = running.head(states[places])
            wide = torch.promote_types(scores.dtype, torch.float32)
            yield rows, scores.to(wide)
