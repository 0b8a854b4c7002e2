"""What random_state means to a fit."""

from typing import Any

import numpy as np
from sklearn.utils import check_random_state


def make_generator(random_state: Any) -> np.random.RandomState:
    """Return the generator of a random_state, and one of its own for None.

    Without a seed, fresh entropy: the global generator is not ours to advance.
    """
    if random_state is None:
        return np.random.RandomState()
    return check_random_state(random_state)


def draw_seed(generator: np.random.RandomState) -> int:
    """Draw a seed."""
    return int(generator.randint(2**31 - 1))
