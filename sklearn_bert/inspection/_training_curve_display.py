"""A figure of the loss and the validation score by epoch."""

import numpy as np

from sklearn_bert._engine.training.optimizer import schedule_factor
from sklearn_bert._sklearn_compat import check_matplotlib_support
from sklearn_bert.inspection._axes import prepare_axes
from sklearn_bert.inspection._fitted_step import find_step

# Okabe and Ito's colors, which color-blind readers can tell apart.
_LOSS, _SCORE = "#0072B2", "#D55E00"


class TrainingCurveDisplay:
    """Training loss, validation score and learning rate by epoch.

    It is recommended to use :meth:`from_estimator`.

    Parameters
    ----------
    loss_curve : array-like of shape (n_epochs,)
        Mean training loss of each epoch.

    validation_scores : array-like of shape (n_epochs,), default=()
        Validation score after each epoch. Empty without early stopping.

    learning_rates : array-like of shape (n_epochs,), default=()
        Learning rate at the end of each epoch. Empty if it is not known.

    Attributes
    ----------
    loss_curve, validation_scores, learning_rates : ndarray
        As given.

    kept_epoch : int or None
        The epoch whose weights are kept, counted from 1: the first with the highest
        validation score. None without early stopping.

    ax_ : matplotlib Axes
        The axes of the loss. Defined after :meth:`plot`.

    score_ax_ : matplotlib Axes or None
        The axes of the validation score, on the right. Defined after :meth:`plot`.

    figure_ : matplotlib Figure
        The last figure. Defined after :meth:`plot`.

    Examples
    --------
    >>> from sklearn_bert import BertClassifier
    >>> from sklearn_bert.inspection import TrainingCurveDisplay
    >>> texts = ["a joy to watch", "utterly dull", "charming and funny", "a mess"]
    >>> labels = ["good", "bad", "good", "bad"]
    >>> classifier = BertClassifier(n_epochs=3, random_state=0).fit(texts, labels)
    >>> display = TrainingCurveDisplay.from_estimator(classifier)
    >>> display.loss_curve.shape
    (3,)
    """

    def __init__(self, loss_curve, validation_scores=(), learning_rates=()):
        self.loss_curve = np.asarray(loss_curve, dtype=float)
        self.validation_scores = np.asarray(validation_scores, dtype=float)
        self.learning_rates = np.asarray(learning_rates, dtype=float)
        self.kept_epoch = None
        if len(self.validation_scores):
            # A score of NaN is never better than another.
            scores = np.nan_to_num(self.validation_scores, nan=-np.inf)
            self.kept_epoch = int(scores.argmax()) + 1

    @classmethod
    def from_estimator(cls, estimator, *, ax=None):
        """Draw the training of a fitted estimator.

        Parameters
        ----------
        estimator : BertClassifier, BertRegressor, BertTokenClassifier or BertMaskedLM
            A fitted estimator, or a Pipeline or search that ends with one.

        ax : matplotlib Axes, default=None
            As in :meth:`plot`.

        Returns
        -------
        display : TrainingCurveDisplay
            The display.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        fitted = find_step(estimator, "loss_curve_")
        scores = getattr(fitted, "validation_scores_", [])
        return cls(fitted.loss_curve_, scores, _learning_rates(fitted)).plot(ax)

    def plot(self, ax=None):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. By default a new figure.

        Returns
        -------
        display : TrainingCurveDisplay
            The same display.
        """
        ax = prepare_axes(self, ax)
        from matplotlib.ticker import MaxNLocator

        lines = _draw(ax, self.loss_curve, "o-", _LOSS, "training loss")
        ax.set(xlabel="epoch", ylabel="training loss")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        self.score_ax_ = None
        if len(self.validation_scores):
            self.score_ax_ = right = ax.twinx()
            right.set_ylabel("validation score")
            scores = self.validation_scores
            lines += _draw(right, scores, "s--", _SCORE, "validation score")
        if len(self.learning_rates):
            # The shape matters, so a third scale would only be in the way.
            hidden = ax.twinx()
            hidden.set_axis_off()
            label = f"learning rate (at most {self.learning_rates.max():.2g})"
            lines += _draw(hidden, self.learning_rates, ":", "0.6", label)
        if self.kept_epoch is not None:
            label = f"kept: epoch {self.kept_epoch}"
            mark = {"color": "0.3", "linewidth": 1, "zorder": 0}
            lines.append(ax.axvline(self.kept_epoch, label=label, **mark))
        ax.legend(handles=lines, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
        return self


def _draw(ax, values, style, color, label):
    epochs = np.arange(1, len(values) + 1)
    return ax.plot(epochs, values, style, color=color, label=label)


def _learning_rates(fitted):
    """Return the rate at the end of each epoch, or nothing if there is no schedule."""
    # partial_fit, one epoch per call, has a constant rate.
    n_epochs = getattr(fitted, "n_epochs_", 1)
    if n_epochs == 1:
        return []
    # In thousandths of an epoch: the number of steps is not kept.
    n_steps = 1000 * n_epochs
    n_warmup = round(fitted.warmup * n_steps)
    return [
        fitted.learning_rate_
        * schedule_factor(1000 * epoch, n_steps, n_warmup, fitted.schedule)
        for epoch in range(1, len(fitted.loss_curve_) + 1)
    ]
