"""Selection and masking of tokens.

As in BERT, 80 % of the selected tokens become [MASK], 10 % become a random token of the
vocabulary, and 10 % are unchanged, so that the encoder learns a vector for each token.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sklearn_bert._engine.text.tokenizer import TextTokenizer

_MASKED, _RANDOM = 0.8, 0.1


@dataclass(frozen=True)
class Masked:
    """Token ids with some masked tokens.

    Attributes
    ----------
    ids : ndarray of shape (T,), int64
        Input of the encoder.
    places : ndarray of shape (m,), int64
        Positions of the selected tokens, in increasing order.
    targets : ndarray of shape (m,), int64
        The original tokens at these positions.
    """

    ids: np.ndarray
    places: np.ndarray
    targets: np.ndarray


class Masker:
    """Selects and masks tokens.

    Parameters
    ----------
    tokenizer : TextTokenizer
        Must have a mask token.
    probability : float
        Expected fraction of tokens that are selected, not counting special tokens.
    whole_words : bool
        Whether the pieces of a word are selected together.
    """

    def __init__(
        self, tokenizer: TextTokenizer, probability: float, *, whole_words: bool
    ) -> None:
        self._mask = tokenizer.mask
        self._probability = probability
        n_ids = tokenizer.largest_id + 1
        self._is_control = np.zeros(n_ids, dtype=bool)
        self._is_control[list(tokenizer.controls)] = True
        known = np.array(sorted(tokenizer.vocabulary.values()))
        self._drawn = known[~self._is_control[known]]
        self._continues = None
        if whole_words:
            self._continues = np.zeros(n_ids, dtype=bool)
            self._continues[sorted(continuing_pieces(tokenizer.vocabulary))] = True

    def __call__(self, ids: np.ndarray, generator: np.random.Generator) -> Masked:
        """Mask tokens of concatenated sequences, at least one if not all are special.

        Parameters
        ----------
        ids : ndarray of shape (T,), int64
        generator : numpy.random.Generator

        Returns
        -------
        Masked
        """
        places = self._choose(ids, generator)
        targets = ids[places]
        draws = generator.random(len(places))
        hidden = ids.copy()
        hidden[places[draws < _MASKED]] = self._mask
        is_random = (draws >= _MASKED) & (draws < _MASKED + _RANDOM)
        drawn = generator.integers(len(self._drawn), size=len(places))
        hidden[places[is_random]] = self._drawn[drawn[is_random]]
        return Masked(hidden, places, targets)

    def _choose(self, ids: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        candidates = np.flatnonzero(~self._is_control[ids])
        if not len(candidates):
            return candidates
        words = np.arange(len(candidates))
        if self._continues is not None:
            # A piece after a special token always starts a word.
            joins = self._continues[ids[candidates]]
            joins &= np.diff(candidates, prepend=-2) == 1
            words = np.cumsum(~joins) - 1
        is_chosen = generator.random(words[-1] + 1) < self._probability
        if not is_chosen.any():
            is_chosen[generator.integers(len(is_chosen))] = True
        return candidates[is_chosen[words]]


def text_generator(ids: Sequence[int], seed: int) -> np.random.Generator:
    """Return a random generator that depends only on a text and the seed."""
    content = np.asarray(ids, dtype=np.int64).tobytes()
    return np.random.default_rng([seed, zlib.crc32(content), len(ids)])


def continuing_pieces(vocabulary: dict[str, int]) -> set[int]:
    """Return the ids of the pieces that continue a word.

    WordPiece marks them with "##"; byte-level and unigram vocabularies mark the others.
    Some tokens may start with another mark, since "\u0120" is also a letter.
    """
    marked = {
        mark: {id_ for token, id_ in vocabulary.items() if token.startswith(mark)}
        for mark in ("##", "\u2581", "\u0120")
    }
    mark = max(marked, key=lambda mark: len(marked[mark]))
    if mark == "##":
        return marked[mark]
    return set(vocabulary.values()) - marked[mark]
