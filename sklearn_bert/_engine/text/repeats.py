"""Samples that occur several times, which are computed once."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Repeats:
    """Where the distinct samples are among all samples.

    Attributes
    ----------
    distinct : list of int
        The first place of each distinct sample, in increasing order.
    index : ndarray of shape (n_samples,), int64
        For each sample, the number of its distinct sample.
    """

    distinct: list[int]
    index: np.ndarray

    def rows(self, n_rows: np.ndarray) -> np.ndarray:
        """Return, for the rows of all samples, those of the distinct samples.

        Parameters
        ----------
        n_rows : ndarray of shape (n_distinct,), int64
            Number of rows of each distinct sample.

        Returns
        -------
        ndarray of shape (n_rows of all samples,), int64
        """
        sizes = n_rows[self.index]
        starts = (np.cumsum(n_rows) - n_rows)[self.index]
        before = np.cumsum(sizes) - sizes
        return np.repeat(starts - before, sizes) + np.arange(sizes.sum())


def find_repeats(samples: Iterable[Hashable]) -> Repeats | None:
    """Return where the distinct samples are, or None if no sample occurs twice."""
    samples = list(samples)
    if len({*samples}) == len(samples):
        return None
    numbers: dict[Hashable, int] = {}
    distinct: list[int] = []
    index = []
    for place, sample in enumerate(samples):
        number = numbers.setdefault(sample, len(distinct))
        if number == len(distinct):
            distinct.append(place)
        index.append(number)
    return Repeats(distinct, np.array(index))
