"""What goes into a pre-training, and what came of it."""

from dataclasses import dataclass, field

from sklearn_bert.exceptions import DivergenceError


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
    save_every : float
        Seconds between two savings.
    verbose : int
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
    save_every: float
    verbose: int


@dataclass
class PretrainingLog:
    """What came of a training.

    Attributes
    ----------
    n_steps : int
    n_tokens : int
        Tokens read, those that were read again included.
    loss_curve : list of float
        Mean loss per hidden token of each epoch, the last one maybe not whole.
    part_tokens : int
        Tokens per forward pass, at the end.
    n_memory_errors : int
        How often that number was halved because memory was short.
    was_interrupted : bool
        Whether Ctrl-C ended it.
    error : DivergenceError or None
    """

    n_steps: int = 0
    n_tokens: int = 0
    loss_curve: list[float] = field(default_factory=list)
    part_tokens: int = 0
    n_memory_errors: int = 0
    was_interrupted: bool = False
    error: DivergenceError | None = None
