"""Configuration, progress and results of a training loop."""

from collections.abc import Callable
from dataclasses import dataclass, field

from sklearn_bert._engine.encoding.readout import Readout
from sklearn_bert.exceptions import DivergenceError


@dataclass(frozen=True)
class LoopConfig:
    """Configuration that fine-tuning and pre-training share.

    Attributes
    ----------
    n_epochs : int
    learning_rate, weight_decay : float
    warmup : float
        Fraction of the steps over which the learning rate rises.
    schedule : {"linear", "cosine", "constant"}
    seed : int
        Seed of the order of the texts; in pre-training also of masks and dropout.
    verbose : int
    label : str
        Name of the fit in the progress bar and in printed lines.
    """

    n_epochs: int
    learning_rate: float
    weight_decay: float
    warmup: float
    schedule: str
    seed: int
    verbose: int
    label: str

    def stage(self, epoch: int) -> str:
        """Return the label of an epoch, counted from 1, in progress reports."""
        return f"{self.label}, epoch {epoch} of {self.n_epochs}"


@dataclass(frozen=True)
class TrainingConfig(LoopConfig):
    """Configuration of fine-tuning.

    Attributes
    ----------
    batch_size : int
    layer_decay : float
    readout : Readout
    contrastive : float
        Fraction of the loss that compares the texts of a batch with each other.
    patience : int or None
        Training stops after this many epochs without a better validation score. If
        None, it never stops early.
    """

    batch_size: int
    layer_decay: float
    readout: Readout
    contrastive: float
    patience: int | None


@dataclass(frozen=True)
class TrainingState:
    """The progress of a fit at the end of an epoch, as passed to callbacks.

    Attributes
    ----------
    epoch : int
        Number of completed epochs.
    n_epochs : int
        Number of planned epochs.
    step : int
        Number of completed optimizer steps.
    n_steps : int
        Number of planned steps.
    loss : float
        Mean training loss of this epoch.
    learning_rate : float
        Learning rate of the head in the last step.
    validation_score : float or None
        None without early stopping.
    seconds : float
        Time since training began.
    """

    epoch: int
    n_epochs: int
    step: int
    n_steps: int
    loss: float
    learning_rate: float
    validation_score: float | None
    seconds: float

    def __str__(self) -> str:
        score = self.validation_score
        return (
            f"epoch {self.epoch} of {self.n_epochs}: loss {self.loss:.4f}"
            + ("" if score is None else f", validation score {score:.4f}")
            + f", {self.seconds:.0f} s"
        )


Callback = Callable[[TrainingState], object]


@dataclass
class LoopLog:
    """Results that fine-tuning and pre-training share.

    Attributes
    ----------
    loss_curve : list of float
        Mean training loss of each epoch.
    epoch_times : list of float
        Seconds of each epoch, with its validation.
    n_steps : int
    n_memory_errors : int
        Number of times that a forward pass was halved after running out of memory.
    was_interrupted : bool
        Whether Ctrl-C ended the training.
    error : DivergenceError or None
        Set if a loss or a gradient became NaN or infinite.
    """

    loss_curve: list[float] = field(default_factory=list)
    epoch_times: list[float] = field(default_factory=list)
    n_steps: int = 0
    n_memory_errors: int = 0
    was_interrupted: bool = False
    error: DivergenceError | None = None

    def end_epoch(self, seconds: float) -> None:
        """Note the time of an epoch, which ends this long after the first began."""
        self.epoch_times.append(seconds - sum(self.epoch_times))

    def raise_error(self) -> None:
        """Raise the error that ended the training, if there is one, and clear it."""
        error, self.error = self.error, None
        if error is None:
            return
        try:
            # Its traceback would keep the tensors of the training alive.
            raise error.with_traceback(None)
        finally:
            del error


@dataclass
class TrainingLog(LoopLog):
    """Results of fine-tuning.

    Attributes
    ----------
    validation_scores : list of float
        Validation score at the end of each epoch; empty without early stopping.
    best_epoch : int
        The epoch whose weights are kept, counted from 1; 0 if no epoch has ended.
    part_size : int
        Number of texts per forward pass at the end of the training.
    """

    validation_scores: list[float] = field(default_factory=list)
    best_epoch: int = 0
    part_size: int = 0
