"""What a training is given, and what it reports."""

from collections.abc import Callable
from dataclasses import dataclass, field

from sklearn_bert._engine.encoding.readout import Readout
from sklearn_bert.exceptions import DivergenceError


@dataclass(frozen=True)
class LoopConfig:
    """What every training loop is told.

    Attributes
    ----------
    n_epochs : int
    learning_rate, weight_decay : float
    warmup : float
        Share of the steps over which the learning rate rises.
    schedule : {"linear", "cosine", "constant"}
    seed : int
        Of the order of the texts.
    verbose : int
    label : str
        What the progress bar and the printed lines call the training.
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
        """Return how the bar and the lines of an epoch, counted from 1, begin."""
        return f"{self.label}, epoch {epoch} of {self.n_epochs}"


@dataclass(frozen=True)
class TrainingConfig(LoopConfig):
    """What a fine-tuning loop is told.

    Attributes
    ----------
    batch_size : int
    layer_decay : float
    readout : Readout
    patience : int or None
        Epochs without a better validation score after which training stops; None never
        stops early.
    """

    batch_size: int
    layer_decay: float
    readout: Readout
    patience: int | None


@dataclass(frozen=True)
class TrainingState:
    """The progress of a fit at the end of an epoch, as callbacks see it.

    Attributes
    ----------
    epoch : int
        Number of epochs done.
    n_epochs : int
        Number of epochs planned.
    step : int
        Number of optimizer steps done.
    n_steps : int
        Number of steps planned.
    loss : float
        Mean training loss of this epoch.
    learning_rate : float
        The head's in the last step.
    validation_score : float or None
        None without early stopping.
    seconds : float
        Since training began.
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
    """The results that every training loop reports.

    Attributes
    ----------
    loss_curve : list of float
        Mean training loss of each epoch.
    n_steps : int
    n_memory_errors : int
        How often a forward pass was halved because memory was short.
    was_interrupted : bool
        Whether Ctrl-C ended the training.
    error : DivergenceError or None
        Set if a loss or a gradient became NaN or infinite.
    """

    loss_curve: list[float] = field(default_factory=list)
    n_steps: int = 0
    n_memory_errors: int = 0
    was_interrupted: bool = False
    error: DivergenceError | None = None

    def raise_error(self) -> None:
        """Raise the error that ended the training, if there is one, and forget it."""
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
    """The results of a fine-tuning loop.

    Attributes
    ----------
    validation_scores : list of float
        At the end of each epoch; empty without early stopping.
    best_epoch : int
        The epoch whose weights are kept, counted from 1; 0 before its end.
    part_size : int
        Texts per forward pass, at the end.
    """

    validation_scores: list[float] = field(default_factory=list)
    best_epoch: int = 0
    part_size: int = 0
