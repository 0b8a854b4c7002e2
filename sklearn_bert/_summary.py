"""What an estimator knows about its model and its training, at a glance."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from statistics import median
from typing import Any

from sklearn_bert._engine.checkpoints.record import CheckpointRecord

_UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


@dataclass(frozen=True)
class Weights:
    """The weights of an estimator.

    Attributes
    ----------
    n_values : int
    n_trained : int or None
        How many of them `fit` has trained. None if it is not known.
    itemsize : int
        Bytes of a value.
    """

    n_values: int
    n_trained: int | None
    itemsize: int


@dataclass(frozen=True)
class Summary:
    """A summary of an estimator, as a text or as a table in a notebook.

    Attributes
    ----------
    estimator : str
        Name of the class.
    checkpoint : CheckpointRecord or None
        None for a model that was trained from random weights.
    device, dtype : str or None
    n_parameters : int
    n_trained_parameters, n_frozen_parameters : int or None
    max_length : int
        Maximum number of tokens of a text.
    n_truncated : int or None
    truncated_share : float or None
    n_tokens : int or None
        Number of tokens read in training.
    n_epochs : int or None
        Number of epochs; of BertMaskedLM the last may be incomplete.
    seconds_per_epoch : float or None
        Median.
    model_bytes : int
        Memory of the weights.
    peak_bytes : int or None
        As the attribute `peak_memory_`.
    """

    estimator: str
    checkpoint: CheckpointRecord | None
    device: str | None
    dtype: str | None
    n_parameters: int
    n_trained_parameters: int | None
    n_frozen_parameters: int | None
    max_length: int
    n_truncated: int | None
    truncated_share: float | None
    n_tokens: int | None
    n_epochs: int | None
    seconds_per_epoch: float | None
    model_bytes: int
    peak_bytes: int | None

    def __repr__(self) -> str:
        lines = dict(self._lines())
        width = max(map(len, lines))
        shown = [f"  {name:<{width}}  {value}" for name, value in lines.items()]
        return "\n".join([self.estimator, *shown])

    def _repr_html_(self) -> str:
        left = 'style="text-align:left"'
        rows = "".join(
            f"<tr><th {left}>{escape(name)}</th><td {left}>{escape(value)}</td></tr>"
            for name, value in self._lines()
        )
        caption = f"<caption {left}><b>{escape(self.estimator)}</b></caption>"
        # Jupyter would show what is between dollar signs as a formula. In the color of
        # the page, it is legible in a light and in a dark one.
        kind = 'class="tex2jax_ignore mathjax_ignore" style="color:inherit"'
        return f"<table {kind}>{caption}<tbody>{rows}</tbody></table>"

    def _lines(self) -> Iterator[tuple[str, str]]:
        """Yield the name and the value of everything that is known."""
        yield "checkpoint", _show_checkpoint(self.checkpoint)
        if self.device is not None:
            yield "device", self.device
        if self.dtype is not None:
            yield "dtype", self.dtype
        yield "parameters", self._show_parameters()
        yield "maximum length", f"{self.max_length:,} tokens"
        if self.n_truncated is not None:
            yield "truncated", self._show_truncated(self.n_truncated)
        if self.n_tokens is not None:
            yield "tokens", f"{self.n_tokens:,} read in training"
        if self.seconds_per_epoch is not None:
            epochs = _count(self.n_epochs or 0, "epoch")
            yield "time", f"{_show_time(self.seconds_per_epoch)} per epoch, {epochs}"
        memory = f"{_show_bytes(self.model_bytes)} of weights"
        if self.peak_bytes is not None:
            memory += f", peak of {_show_bytes(self.peak_bytes)} by the end of fit"
        yield "memory", memory

    def _show_parameters(self) -> str:
        parts = {
            "trained": self.n_trained_parameters,
            "frozen": self.n_frozen_parameters,
        }
        known = [f"{n:,} {name}" for name, n in parts.items() if n]
        return ", ".join(known) or f"{self.n_parameters:,}"

    def _show_truncated(self, n_truncated: int) -> str:
        texts = _count(n_truncated, "text")
        if self.truncated_share is None:
            return texts
        return f"{texts} ({self.truncated_share:.1%})"


class SummaryMixin:
    """Lets an estimator with an encoder summarize itself."""

    def summary(self: Any):
        """Summarize the model and its training.

        Nothing is printed: a notebook shows the returned object as a table, and `print`
        as text.

        Returns
        -------
        summary : object
            What is known, as attributes: `checkpoint`, `device`, `dtype`,
            `n_parameters`, `n_trained_parameters`, `n_frozen_parameters`,
            `max_length`, `n_truncated`, `truncated_share`, `n_tokens` read in training,
            `n_epochs`, `seconds_per_epoch` (the median), and in bytes `model_bytes` of
            the weights and `peak_bytes`, see `peak_memory_`. What the estimator does
            not have or know is None.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted and needs to be.
        CheckpointError
            If a vectorizer's checkpoint is not found on this machine, since nothing is
            downloaded here, or if it has changed since `fit`.
        """
        return summarize(self._snapshot())


def summarize(fitted: Any) -> Summary:
    """Return the summary of a snapshot."""
    # First, since a vectorizer that is not fitted sets what fit would set.
    weights: Weights = fitted._count_weights()
    found = vars(fitted)
    times = found.get("epoch_times_")
    n_frozen = None
    if weights.n_trained is not None:
        n_frozen = weights.n_values - weights.n_trained
    return Summary(
        estimator=type(fitted).__name__,
        checkpoint=fitted.checkpoint_,
        device=found.get("device_"),
        dtype=found.get("dtype_"),
        n_parameters=weights.n_values,
        n_trained_parameters=weights.n_trained,
        n_frozen_parameters=n_frozen,
        max_length=fitted.max_length_,
        n_truncated=found.get("n_truncated_"),
        truncated_share=found.get("truncated_share_"),
        n_tokens=found.get("n_tokens_"),
        n_epochs=len(fitted.loss_curve_) if "loss_curve_" in found else None,
        seconds_per_epoch=median(times) if times else None,
        model_bytes=weights.n_values * weights.itemsize,
        peak_bytes=found.get("peak_memory_"),
    )


def _show_checkpoint(record: CheckpointRecord | None) -> str:
    if record is None:
        return "none, trained from random weights"
    if record.commit is None:
        return record.model
    return f"{record.model}, commit {record.commit[:12]}"


def _count(number: int, name: str) -> str:
    return f"{number:,} {name}{'' if number == 1 else 's'}"


def _show_time(seconds: float) -> str:
    if seconds >= 100:
        return f"{seconds / 60:,.1f} minutes"
    return f"{seconds:.3g} seconds"


def _show_bytes(n_bytes: int) -> str:
    size, unit = next(one for one in _UNITS if n_bytes >= one[0] or one == _UNITS[-1])
    return f"{n_bytes / size:,.1f} {unit}"
