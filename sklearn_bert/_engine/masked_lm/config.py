"""What goes into a pre-training, and what came of it."""

from dataclasses import dataclass

from sklearn_bert._engine.training.config import LoopLog


@dataclass(frozen=True)
class PretrainingConfig:
    """How to train.

    Attributes
    ----------
    n_epochs : int
    max_steps : int or None
        Ends the training earlier.
    max_time : float or None
        Seconds after which the training ends, those before an interruption included.
    batch_tokens : int
        Tokens per step, about.
    learning_rate, weight_decay, warmup : float
    schedule : {"linear", "cosine", "constant"}
    seed : int
    save_interval : float
        Seconds between two savings.
    verbose : int
    label : str
        What the progress bar and the printed lines call the training.
    """

    n_epochs: int
    max_steps: int | None
    max_time: float | None
    batch_tokens: int
    learning_rate: float
    weight_decay: float
    warmup: float
    schedule: str
    seed: int
    save_interval: float
    verbose: int
    label: str


@dataclass
class PretrainingLog(LoopLog):
    """The results of a pre-training loop.

    Attributes
    ----------
    n_tokens : int
        Tokens read, those that were read again included.
    part_tokens : int
        Tokens per forward pass, at the end.
    """

    n_tokens: int = 0
    part_tokens: int = 0
