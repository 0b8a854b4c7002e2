"""Random generators and seeds from `random_state`."""

from typing import Any

import numpy as np
from sklearn.utils import check_random_state


def make_generator(random_state: Any) -> np.random.RandomState:
    """Return the generator of a random_state, and a separate one for None.

    None uses fresh entropy instead of the global generator, which a fit never changes.
    """
    if random_state is None:
        return np.random.RandomState()
    return check_random_state(random_state)


def draw_seed(generator: np.random.RandomState) -> int:
    """Draw a seed."""
    return int(generator.randint(2**31 - 1))
