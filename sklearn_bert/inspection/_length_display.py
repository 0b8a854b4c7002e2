"""A figure of the numbers of tokens of texts, and of what is cut."""

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from sklearn_bert._classifier import BertClassifier
from sklearn_bert._engine.checkpoints.source import tokenizer_of
from sklearn_bert._engine.text.inputs import count_truncated, tokenize_in_chunks
from sklearn_bert._regressor import BertRegressor
from sklearn_bert._sklearn_compat import check_matplotlib_support
from sklearn_bert._token_classifier import BertTokenClassifier
from sklearn_bert._vectorizer import BertVectorizer
from sklearn_bert.inspection._axes import prepare_axes

_READERS = BertVectorizer, BertClassifier, BertRegressor, BertTokenClassifier
_NO_LIMIT = 10**9
# Okabe and Ito's colors, which color-blind readers can tell apart.
_READ, _LONGER = "#0072B2", "#D55E00"
_N_BARS = 40


class LengthDisplay:
    """Histogram of the numbers of tokens of texts, and the share that is cut.

    It is recommended to use :meth:`from_estimator`.

    Parameters
    ----------
    lengths : array-like of int of shape (n_samples,)
        Number of tokens of each text, including special tokens.

    max_length : int
        Maximum number of tokens of the model.

    n_cut : int, default=None
        How many texts are truncated. By default all that are longer than `max_length`;
        others are read in windows.

    Attributes
    ----------
    lengths : ndarray of shape (n_samples,)
        As given.

    max_length, n_cut : int
        As given or resolved.

    ax_ : matplotlib Axes
        The axes of the last figure. Defined after :meth:`plot`.

    figure_ : matplotlib Figure
        The last figure. Defined after :meth:`plot`.

    Examples
    --------
    >>> from sklearn_bert import BertVectorizer
    >>> from sklearn_bert.inspection import LengthDisplay
    >>> texts = ["a joy to watch", "utterly dull", "charming and funny", "a mess"]
    >>> display = LengthDisplay.from_estimator(BertVectorizer(max_length=5), texts)
    >>> display.lengths.tolist(), display.n_cut
    ([6, 4, 5, 4], 1)
    """

    def __init__(self, lengths, max_length, n_cut=None):
        self.lengths, self.max_length = np.asarray(lengths), max_length
        n_longer = int((self.lengths > max_length).sum())
        self.n_cut = n_longer if n_cut is None else n_cut

    @classmethod
    def from_estimator(cls, estimator, X, *, ax=None):
        """Tokenize texts, and draw their lengths.

        Parameters
        ----------
        estimator : BertVectorizer, BertClassifier, BertRegressor, BertTokenClassifier
            An estimator, fitted unless it is a BertVectorizer, or a Pipeline with one.

        X : array-like
            Texts, pairs of texts, or sentences, as for `predict` or `transform`.

        ax : matplotlib Axes, default=None
            As in :meth:`plot`.

        Returns
        -------
        display : LengthDisplay
            The display.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        fitted, inputs = _find_reader(estimator, X)
        encoder = fitted._export().encoder
        tokenizer, config = tokenizer_of(encoder.source), encoder.tokenizing
        whole = replace(config, max_length=_NO_LIMIT, long_text="truncate")
        chunks = tokenize_in_chunks(tokenizer, inputs, whole)
        lengths = [len(ids) for sequences in chunks for ids in sequences.ids]
        n_cut = count_truncated(tokenizer, inputs, config)
        return cls(lengths, config.max_length, n_cut).plot(ax)

    def plot(self, ax=None):
        """Draw the histogram.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. By default a new figure.

        Returns
        -------
        display : LengthDisplay
            The same display.
        """
        ax = prepare_axes(self, ax)
        shortest, longest = int(self.lengths.min()), int(self.lengths.max())
        width = (longest - shortest) // _N_BARS + 1
        # No bar contains both texts that fit and texts that do not.
        limit = self.max_length + 0.5
        first = np.floor((shortest - limit) / width)
        edges = limit + width * np.arange(first, (longest - limit) / width + 1)
        _, edges, bars = ax.hist(self.lengths, edges, color=_READ)
        for bar, start in zip(bars, edges, strict=False):
            bar.set_color(_LONGER if start >= limit else _READ)
        ax.axvline(limit, color="0.3", linestyle="--", label=self._describe())
        # A limit that is far away would leave no room for the bars.
        ax.set_xlim(0, 1.05 * max(longest, min(limit, 2 * longest)))
        ax.set(xlabel="tokens", ylabel="texts")
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), frameon=False)
        return self

    def _describe(self):
        n_texts = len(self.lengths)
        n_windows = int((self.lengths > self.max_length).sum()) - self.n_cut
        parts = [f"{self.n_cut} of {n_texts} texts ({self.n_cut / n_texts:.1%}) cut"]
        if n_windows > 0:
            parts.append(f"{n_windows} ({n_windows / n_texts:.1%}) read in windows")
        return f"max_length={self.max_length}: {', '.join(parts)}"


def _find_reader(estimator: Any, X: Any) -> tuple[Any, Any]:
    """Return a snapshot of the estimator that reads texts, and what it reads."""
    estimator = getattr(estimator, "best_estimator_", estimator)
    if isinstance(estimator, Pipeline):
        steps = [isinstance(step, _READERS) for _, step in estimator.steps]
        position = steps.index(True) if any(steps) else 0
        X = estimator[:position].transform(X) if position else X
        estimator = estimator[position]
    if not isinstance(estimator, _READERS):
        raise ValueError(
            "estimator must be a vectorizer, classifier, regressor or token classifier "
            f"of this package, or a Pipeline with one. Got a "
            f"{type(estimator).__name__}. Of a ColumnTransformer, pass the step."
        )
    return estimator._begin(X)
