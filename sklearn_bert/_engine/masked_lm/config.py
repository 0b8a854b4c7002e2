"""What a pre-training is given, and what it reports."""

from dataclasses import dataclass

from sklearn_bert._engine.training.config import LoopConfig, LoopLog


@dataclass(frozen=True)
class PretrainingConfig(LoopConfig):
    """What a pre-training loop is told.

    Attributes
    ----------
    max_steps : int or None
        Ends the training earlier.
    max_time : float or None
        Seconds after which the training ends, those before an interruption included.
    batch_tokens : int
        Tokens per step, about.
    save_interval : float
        Seconds between two checkpoints.
    """

    max_steps: int | None
    max_time: float | None
    batch_tokens: int
    save_interval: float


@dataclass
class PretrainingLog(LoopLog):
    """The results of a pre-training loop.

    Attributes
    ----------
    n_tokens : int
        Tokens read, each as often as it was read.
    part_tokens : int
        Tokens per forward pass, at the end.
    """

    n_tokens: int = 0
    part_tokens: int = 0
