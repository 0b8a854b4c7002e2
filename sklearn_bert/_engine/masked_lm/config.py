"""Configuration and results of pre-training."""

from dataclasses import dataclass

from sklearn_bert._engine.training.config import LoopConfig, LoopLog


@dataclass(frozen=True)
class PretrainingConfig(LoopConfig):
    """Configuration of pre-training.

    Attributes
    ----------
    max_steps : int or None
        Maximum number of steps; None for no limit other than ``n_epochs``.
    max_time : float or None
        Maximum time in seconds, including the time before the training was resumed.
    batch_tokens : int
        Approximate number of tokens per step.
    save_interval : float
        Seconds between two checkpoints.
    """

    max_steps: int | None
    max_time: float | None
    batch_tokens: int
    save_interval: float


@dataclass
class PretrainingLog(LoopLog):
    """Results of pre-training.

    Attributes
    ----------
    n_tokens : int
        Number of tokens read, counted again in each epoch.
    part_tokens : int
        Number of tokens per forward pass at the end of the training.
    """

    n_tokens: int = 0
    part_tokens: int = 0
