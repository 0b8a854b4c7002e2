"""Tokenized texts on disk, for corpora that do not fit into memory.

Only the start of each sequence is kept in memory. The files are anonymous, so the
operating system removes them even if the process is killed.
"""

import hashlib
import json
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import numpy as np

from sklearn_bert._engine.runtime.splitting import split_greedily
from sklearn_bert._engine.text.token_sequences import TokenSequences
from sklearn_bert._engine.text.tokenizer import TextTokenizer

# Large enough for the full speed of the tokenizer, and small enough for memory.
_TEXTS_PER_CHUNK, _CHARACTERS_PER_CHUNK = 1000, 1_000_000


def chunks(texts: Iterable[str]) -> Iterator[list[str]]:
    """Yield texts in lists of a bounded number of texts and of characters."""
    return split_greedily(
        texts, len, max_size=_CHARACTERS_PER_CHUNK, max_items=_TEXTS_PER_CHUNK
    )


class SpooledTexts:
    """The texts of an iterator, stored on disk for repeated iteration.

    Parameters
    ----------
    texts : iterable of str
        Iterated once.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        # No with block: it is open for the lifetime of this object.
        self._file = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        weakref.finalize(self, self._file.close)
        for text in texts:
            # JSON escapes newlines, so that each text is one line.
            self._file.write(json.dumps(text) + "\n")

    def __iter__(self) -> Iterator[str]:
        self._file.seek(0)
        for line in self._file:
            yield json.loads(line)


class TokenCorpus:
    """Token sequences on disk.

    Texts longer than ``max_length`` are split into several sequences without losing
    tokens. Texts without tokens are left out.

    Parameters
    ----------
    texts : iterable of str
        Iterated once.
    tokenizer : TextTokenizer
    max_length : int
        Maximum number of tokens per sequence, including special tokens.

    Attributes
    ----------
    n_tokens : int
    starts : ndarray of shape (n_sequences + 1,), int64
        Start of each sequence, and the end of the last one.
    digest : str
        SHA-256 of the content.
    """

    def __init__(
        self, texts: Iterable[str], tokenizer: TextTokenizer, max_length: int
    ) -> None:
        dtype = np.uint16 if tokenizer.largest_id < 2**16 else np.uint32
        self.n_tokens = 0
        starts = [np.zeros(1, dtype=np.int64)]
        digest = hashlib.sha256()
        with tempfile.TemporaryFile() as file:
            for chunk in chunks(texts):
                sequences = tokenizer.split_to_length(chunk, max_length)
                lengths = np.array([len(ids) for ids in sequences], dtype=np.int64)
                content = np.array(list(chain.from_iterable(sequences)), dtype)
                file.write(content.tobytes())
                for array in (content, lengths):
                    digest.update(array.tobytes())
                starts.append(self.n_tokens + np.cumsum(lengths))
                self.n_tokens += len(content)
            file.flush()
            # The memory map remains valid after the file is closed.
            self._ids: np.ndarray = np.zeros(0, dtype)
            if self.n_tokens:
                self._ids = np.memmap(file, dtype, "r")
        self.starts = np.concatenate(starts)
        self.digest = digest.hexdigest()

    def __len__(self) -> int:
        """Return the number of sequences."""
        return len(self.starts) - 1

    def take(self, rows: Sequence[int] | np.ndarray) -> TokenSequences:
        """Return some sequences, sorted by decreasing length."""
        ids = [
            self._ids[self.starts[row] : self.starts[row + 1]].astype(np.int64)
            for row in rows
        ]
        ids.sort(key=len, reverse=True)
        return TokenSequences(
            ids=[row.tolist() for row in ids], text_index=list(range(len(ids)))
        )

    def batches(self, n_tokens: int, seed: Sequence[int]) -> list[np.ndarray]:
        """Return all rows, shuffled, in batches of about ``n_tokens`` tokens.

        Parameters
        ----------
        n_tokens : int
            At least the length of the longest sequence.
        seed : sequence of int

        Returns
        -------
        list of ndarray of int64
            The number of batches does not depend on the seed.
        """
        order = np.random.default_rng(list(seed)).permutation(len(self))
        starts = np.cumsum(np.diff(self.starts)[order])[:-1]
        edges = np.arange(1, self.n_batches(n_tokens)) * (
            self.n_tokens / self.n_batches(n_tokens)
        )
        return np.split(order, np.searchsorted(starts, edges) + 1)

    def count_tokens(self, rows: np.ndarray) -> int:
        """Return the number of tokens in some rows."""
        return int((self.starts[rows + 1] - self.starts[rows]).sum())

    def n_batches(self, n_tokens: int) -> int:
        """Return the number of batches of about ``n_tokens`` tokens."""
        return max(self.n_tokens // n_tokens, 1)
