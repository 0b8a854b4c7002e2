"""Predictions of a fitted masked language model."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np

from sklearn_bert._config import quote
from sklearn_bert._engine.masked_lm.loaded import FittedMaskedModel
from sklearn_bert._engine.masked_lm.masking import Masker
from sklearn_bert._engine.masked_lm.predict import predict_masked, sum_log_likelihoods
from sklearn_bert._engine.runtime.finite import check_finite
from sklearn_bert._engine.text.corpus import chunks
from sklearn_bert._engine.text.tokenizer import TextTokenizer
from sklearn_bert.exceptions import InputError

NO_WORDS = (
    "X must contain at least one word. Got only empty texts. Pass texts with words."
)


def mean_log_likelihood(
    model: FittedMaskedModel, texts: Iterable[str], masker: Masker, max_length: int
) -> float:
    """Return the mean log-probability of masked tokens.

    Parameters
    ----------
    model : FittedMaskedModel
    texts : iterable of str
    masker : Masker
    max_length : int
        Longer texts are split into several sequences.

    Returns
    -------
    float

    Raises
    ------
    NonFiniteError
        If a log-probability is NaN or infinite.
    """
    tokenizer = model.encoder.tokenizer
    total, n_masked, n_before = 0.0, 0, 0
    for some in chunks(texts):
        sequences = tokenizer.split_to_length(some, max_length)
        totals, n_part = sum_log_likelihoods(model, sequences, masker, seed=0)
        rows = partial(_rows_of_sequences, tokenizer, some, max_length, n_before)
        _check_finite(model, totals, rows)
        total, n_masked = total + totals.sum(), n_masked + n_part
        n_before += len(some)
    if not n_masked:
        raise InputError(NO_WORDS)
    return float(total / n_masked)


def _check_finite(
    model: FittedMaskedModel,
    values: np.ndarray,
    owners: Callable[[], np.ndarray] | None = None,
) -> None:
    """Check one number per sequence."""
    what, dtype = "Probabilities of masked tokens", model.encoder.dtype
    check_finite(values[:, None], what, dtype=dtype, owners=owners)


def _rows_of_sequences(
    tokenizer: TextTokenizer, texts: list[str], max_length: int, first: int
) -> np.ndarray:
    """Return the row of each sequence; the first text has row ``first``."""
    counts = [len(tokenizer.split_to_length([text], max_length)) for text in texts]
    return np.repeat(np.arange(first, first + len(texts)), counts)


def fill_gaps(
    model: FittedMaskedModel,
    texts: Sequence[str],
    mask: str,
    top_k: int,
    max_length: int,
) -> list[list[list[tuple[str, float]]]]:
    """Return the most probable tokens of each mask of each text.

    Parameters
    ----------
    model : FittedMaskedModel
    texts : sequence of str
    mask : str
        The characters that mark a masked token.
    top_k : int
    max_length : int

    Returns
    -------
    list of list of list of tuple
        For each text and mask, ``top_k`` pairs of a token and its probability.
    """
    tokenizer = model.encoder.tokenizer
    sequences = [_read_gaps(tokenizer, text, mask, max_length) for text in texts]
    predicted = predict_masked(model, sequences, top_k)
    sums = [sum(one.probability for gap in gaps for one in gap) for gaps in predicted]
    _check_finite(model, np.array(sums))
    return [
        [
            [(tokenizer.names([one.id])[0], one.probability) for one in gap]
            for gap in gaps
        ]
        for gaps in predicted
    ]


def _read_gaps(
    tokenizer: TextTokenizer, text: str, mask: str, max_length: int
) -> list[int]:
    """Return the token ids of a text, with mask tokens in place of ``mask``."""
    first, *others = text.split(mask)
    if not others:
        raise InputError(
            f"Each text must contain the mask {mask!r}. Got {quote(text[:40])}. Insert "
            "it where a token is to be predicted, or set mask to another string."
        )
    # Spaces before a mask belong to the masked token.
    heads = [part.rstrip() for part in [first, *others[:-1]]]
    inside: list[Any] = []
    for part in tokenizer.split([*heads, others[-1]]):
        inside += [*part, tokenizer.mask]
    ids = tokenizer.surround(inside[:-1])
    if len(ids) > max_length:
        raise InputError(
            f"A text with masks must have at most {max_length} tokens. Got {len(ids)} "
            f"in {quote(text[:40])}. Shorten it."
        )
    return ids
