"""Learning rate and end of pre-training, by steps and by time."""

import math
import time

from sklearn_bert._engine.masked_lm.config import PretrainingConfig
from sklearn_bert._engine.training.optimizer import schedule_factor

# Resolution of a learning rate schedule that follows the time limit.
_TICKS = 1_000_000


class PretrainingSchedule:
    """Determines when pre-training ends, and the learning rate of each step.

    Parameters
    ----------
    config : PretrainingConfig
    steps_per_epoch : int

    Attributes
    ----------
    n_steps : int
        Number of planned steps.
    seconds_before : float
        Training time before the training was resumed.
    """

    def __init__(self, config: PretrainingConfig, steps_per_epoch: int) -> None:
        n_steps = config.n_epochs * steps_per_epoch
        self.n_steps = min(n_steps, config.max_steps or n_steps)
        self.seconds_before = 0.0
        self._config = config
        self._max_time = config.max_time or math.inf
        self._started_at = 0.0

    def start(self) -> None:
        """Start measuring the time."""
        self._started_at = time.monotonic()

    def seconds(self) -> float:
        """Return the seconds of training so far."""
        return self.seconds_before + time.monotonic() - self._started_at

    def is_time_up(self) -> bool:
        """Return whether the time limit is reached."""
        return self.seconds() >= self._max_time

    def expected_steps(self, n_done: int) -> int:
        """Return the total number of steps to expect at the current pace."""
        share = self.seconds() / self._max_time
        if share == 0:
            return self.n_steps
        return min(self.n_steps, max(n_done, math.ceil(n_done / share)))

    def factor(self, step: int) -> float:
        """Return the factor on the learning rate in a step, counted from 0."""
        n_steps = self.n_steps
        if self._max_time < math.inf:
            share = min(self.seconds() / self._max_time, 1.0)
            if share > step / n_steps:
                step, n_steps = int(share * _TICKS), _TICKS
        n_warmup = round(self._config.warmup * n_steps)
        return schedule_factor(step, n_steps, n_warmup, self._config.schedule)
