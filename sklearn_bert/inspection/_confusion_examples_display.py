"""The most confident mistakes of a classifier, to read."""

from html import escape
from textwrap import wrap
from typing import Any

import numpy as np
from sklearn.utils import Bunch, check_consistent_length

from sklearn_bert._sklearn_compat import check_matplotlib_support
from sklearn_bert.inspection._axes import prepare_axes

_WIDTH, _MAX_LINES = 90, 3
_INCHES_PER_LINE = 0.22


class ConfusionExamplesDisplay:
    """The most confident mistakes of a classifier, as a figure and as a table.

    They show what a classifier misunderstands, and often wrong labels. As the last
    expression of a notebook cell, the display is a table of all examples with their
    whole texts. It is recommended to use :meth:`from_estimator` or
    :meth:`from_predictions`.

    Parameters
    ----------
    examples : list of :class:`~sklearn.utils.Bunch`
        The mistakes, each with the attributes `row`, `text`, `true`, `predicted` and
        `probability`, the predicted one.

    n_mistakes, n_texts : int
        Number of all mistakes, and of all texts.

    Attributes
    ----------
    examples : list of :class:`~sklearn.utils.Bunch`
        As given.

    n_mistakes, n_texts : int
        As given.

    ax_ : matplotlib Axes
        The axes of the last figure. Defined after :meth:`plot`.

    figure_ : matplotlib Figure
        The last figure. Defined after :meth:`plot`.

    Examples
    --------
    >>> from sklearn_bert.inspection import ConfusionExamplesDisplay
    >>> y_true, texts = ["good", "bad"], ["a joy", "a mess"]
    >>> probabilities = [[0.9, 0.1], [0.8, 0.2]]
    >>> display = ConfusionExamplesDisplay.from_predictions(
    ...     y_true, probabilities, texts, classes=["bad", "good"]
    ... )
    >>> [(one.text, one.true, one.predicted) for one in display.examples]
    [('a joy', 'good', 'bad')]
    """

    def __init__(self, examples, n_mistakes, n_texts):
        self.examples = examples
        self.n_mistakes, self.n_texts = n_mistakes, n_texts

    @classmethod
    def from_estimator(cls, estimator, X, y, n_examples=5, *, ax=None):
        """Predict the classes of texts, and draw the most confident mistakes.

        Parameters
        ----------
        estimator : object
            A fitted classifier with `predict_proba`, such as a BertClassifier, or a
            Pipeline that ends with one.

        X : array-like
            Texts, or pairs of texts, as for `predict_proba`.

        y : array-like of shape (n_samples,)
            True classes.

        n_examples : int, default=5
            Maximum number of mistakes.

        ax : matplotlib Axes, default=None
            As in :meth:`plot`.

        Returns
        -------
        display : ConfusionExamplesDisplay
            The display.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        if not hasattr(estimator, "predict_proba"):
            raise ValueError(
                "estimator must predict probabilities. Got a "
                f"{type(estimator).__name__}, which has no predict_proba. Wrap a "
                "classifier without it in CalibratedClassifierCV."
            )
        probabilities = estimator.predict_proba(X)
        return cls.from_predictions(
            y, probabilities, X, estimator.classes_, n_examples, ax=ax
        )

    @classmethod
    def from_predictions(
        cls, y_true, probabilities, texts, classes, n_examples=5, *, ax=None
    ):
        """Draw the most confident mistakes.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            True classes.

        probabilities : array-like of shape (n_samples, n_classes)
            Predicted probabilities. The most probable class is the predicted one.

        texts : array-like of shape (n_samples,) or (n_samples, 2)
            Texts, or pairs of texts.

        classes : array-like of shape (n_classes,)
            The class of each column of `probabilities`.

        n_examples : int, default=5
            Maximum number of mistakes.

        ax : matplotlib Axes, default=None
            As in :meth:`plot`.

        Returns
        -------
        display : ConfusionExamplesDisplay
            The display.
        """
        check_matplotlib_support(f"{cls.__name__}.from_predictions")
        y_true, probabilities = np.asarray(y_true), np.asarray(probabilities)
        texts, classes = np.asarray(texts, dtype=object), np.asarray(classes)
        if y_true.ndim != 1 or probabilities.shape[1:] != classes.shape:
            raise ValueError(
                "Each text must have one class, and one probability for each of "
                f"{len(classes)} classes. Got arrays of shapes {y_true.shape} and "
                f"{probabilities.shape}. Of several labels, pass one at a time, with "
                "two columns of probabilities."
            )
        check_consistent_length(y_true, probabilities, texts)
        predicted = classes[probabilities.argmax(axis=1)].tolist()
        labels, confidence = y_true.tolist(), probabilities.max(axis=1)
        pairs = zip(labels, predicted, strict=True)
        wrong = np.flatnonzero([true != other for true, other in pairs])
        order = wrong[np.argsort(-confidence[wrong], kind="stable")]
        examples = [
            Bunch(
                row=int(row),
                text=" | ".join(map(str, np.atleast_1d(texts[row]))),
                true=labels[row],
                predicted=predicted[row],
                probability=float(confidence[row]),
            )
            for row in order[:n_examples]
        ]
        return cls(examples, len(wrong), len(y_true)).plot(ax)

    def plot(self, ax=None):
        """Draw the examples. Long texts are cut after three lines.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. By default a new figure.

        Returns
        -------
        display : ConfusionExamplesDisplay
            The same display.
        """
        lines: list[tuple[str, dict[str, Any]]]
        lines = [(self._title(), {"fontsize": 11}), ("", {})]
        for one in self.examples:
            lines.append((_describe(one), {"fontweight": "bold"}))
            cut = wrap(one.text, _WIDTH, max_lines=_MAX_LINES, placeholder=" …")
            lines += [*((line, {}) for line in cut), ("", {})]
        ax = prepare_axes(self, ax, figsize=(7.5, _INCHES_PER_LINE * len(lines)))
        ax.set_axis_off()
        for number, (line, style) in enumerate(lines):
            place = {"transform": ax.transAxes, "va": "top", "parse_math": False}
            ax.text(0, 1 - number / len(lines), line, **place, **style)
        return self

    def _title(self):
        found = f"{self.n_mistakes} of {self.n_texts} texts are classified wrongly"
        return f"{found}. The most confident:" if self.examples else f"{found}."

    def _repr_html_(self):
        names = "true", "predicted", "probability", "text"
        rows = [
            (one.true, one.predicted, f"{one.probability:.1%}", one.text)
            for one in self.examples
        ]
        head = "".join(f"<th>{name}</th>" for name in names)
        body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
        table = f"<table><tr>{head}</tr>{body}</table>"
        # Jupyter would show what is between dollar signs as a formula.
        ignored = "tex2jax_ignore mathjax_ignore"
        return f'<div class="{ignored}"><p>{self._title()}</p>{table}</div>'


def _describe(one: Any) -> str:
    return f"true: {one.true}, predicted: {one.predicted} ({one.probability:.1%})"


def _cell(value: Any) -> str:
    return f'<td style="text-align:left">{escape(str(value))}</td>'
