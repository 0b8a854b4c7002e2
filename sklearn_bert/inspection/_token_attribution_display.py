"""A figure and colored words of contributions."""

from typing import Any

import numpy as np

from sklearn_bert._sklearn_compat import check_matplotlib_support
from sklearn_bert.inspection._attribution_html import (
    NEGATIVE,
    POSITIVE,
    name_words,
    show_attributions,
)
from sklearn_bert.inspection._axes import prepare_axes
from sklearn_bert.inspection._token_attributions import token_attributions


class TokenAttributionDisplay:
    """Contributions of words to predictions, as a figure and as colored words.

    As the last expression of a notebook cell, it shows the words of all texts, in blue
    if they speak for the target and in red if they speak against it. :meth:`plot` draws
    one text with matplotlib.

    Parameters
    ----------
    attributions : list of :class:`~sklearn.utils.Bunch`
        The output of :func:`~sklearn_bert.inspection.token_attributions`.

    Attributes
    ----------
    attributions : list of :class:`~sklearn.utils.Bunch`
        As given.

    ax_ : matplotlib Axes
        The axes of the last figure. Defined after :meth:`plot`.

    figure_ : matplotlib Figure
        The last figure. Defined after :meth:`plot`.

    See Also
    --------
    token_attributions : Computes the contributions.

    Examples
    --------
    >>> from sklearn_bert import BertClassifier
    >>> from sklearn_bert.inspection import TokenAttributionDisplay
    >>> texts = ["a joy to watch", "utterly dull", "charming and funny", "a mess"]
    >>> labels = ["good", "bad", "good", "bad"]
    >>> classifier = BertClassifier(n_epochs=10, random_state=0).fit(texts, labels)
    >>> display = TokenAttributionDisplay.from_estimator(classifier, ["a dull story"])
    >>> display.attributions[0].words
    ['a', 'dull', 'story']
    """

    def __init__(self, attributions):
        self.attributions = attributions

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        target=None,
        method="integrated_gradients",
        *,
        n_steps=32,
        position=None,
        row=0,
        n_words=20,
        ax=None,
    ):
        """Explain predictions, and draw one of them.

        Parameters
        ----------
        estimator : BertClassifier, BertRegressor or BertTokenClassifier
            A fitted estimator.

        X : array-like
            Texts, pairs of texts, or sentences, as for `predict`.

        target : object, default=None
            As in :func:`~sklearn_bert.inspection.token_attributions`, and so the
            following three.

        method : str, default="integrated_gradients"
            How an output is divided among the words.

        n_steps : int, default=32
            Number of gradients of "integrated_gradients".

        position : int, default=None
            Of a tagger, the only word in each sentence whose tag is explained.

        row : int, default=0
            The row of X that is drawn.

        n_words : int, default=20
            As in :meth:`plot`.

        ax : matplotlib Axes, default=None
            As in :meth:`plot`.

        Returns
        -------
        display : TokenAttributionDisplay
            The display, which keeps the contributions of all rows of X.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        attributions = token_attributions(
            estimator, X, target, method, n_steps=n_steps, position=position
        )
        return cls(attributions).plot(ax, row=row, n_words=n_words)

    def plot(self, ax=None, *, row=0, n_words=20):
        """Draw the contributions for one text.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. By default a new figure.

        row : int, default=0
            The row of X that is drawn.

        n_words : int, default=20
            How many words of a text are drawn: those with the largest contributions, in
            the order of the text. Sentences of a tagger are drawn as a whole.

        Returns
        -------
        display : TokenAttributionDisplay
            The same display.
        """
        one = self.attributions[row]
        is_text = one.contributions.ndim == 1
        n_rows = min(len(one.words), n_words) if is_text else len(one.target)
        ax = prepare_axes(self, ax, figsize=(6.4, 1.2 + 0.3 * n_rows))
        draw = _draw_bars if is_text else _draw_table
        draw(ax, one, n_words)
        return self

    def _repr_html_(self):
        return show_attributions(self.attributions)


def _draw_bars(ax: Any, one: Any, n_words: int) -> None:
    """Draw a bar for each word, from the first to the last."""
    sizes = np.nan_to_num(np.abs(one.contributions))
    shown = np.sort(np.argsort(-sizes, kind="stable")[:n_words])
    values = np.nan_to_num(one.contributions[shown])
    colors = [np.array(POSITIVE if x > 0 else NEGATIVE) / 255 for x in values]
    ax.barh(np.arange(len(shown)), values, color=colors)
    ax.axvline(0, color="0.5", linewidth=0.8)
    words = [one.words[word] for word in shown]
    # Two dollar signs would be a formula.
    ax.set_yticks(np.arange(len(shown)), labels=words, parse_math=False)
    ax.invert_yaxis()
    ax.set_xlabel(f"contribution (target: {one.target})", parse_math=False)


def _draw_table(ax: Any, one: Any, n_words: int) -> None:
    """Draw a square for each explained tag and each word."""
    if not one.words:
        ax.set_yticks([])
        return
    limit = np.nanmax(np.abs(one.contributions), initial=0.0) or 1.0
    image = ax.imshow(
        one.contributions, cmap="RdBu", vmin=-limit, vmax=limit, aspect="auto"
    )
    named = name_words(one)
    ax.set_yticks(np.arange(len(named)), labels=named, parse_math=False)
    ax.set_xticks(
        np.arange(len(one.words)), labels=one.words, rotation=90, parse_math=False
    )
    ax.figure.colorbar(image, ax=ax, label="contribution to the tag")
