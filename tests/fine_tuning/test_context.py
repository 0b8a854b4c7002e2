"""The seeds of a fit."""

import numpy as np

from sklearn_bert._fine_tuning.context import draw_seeds


def test_an_int_gives_the_same_seeds_in_each_fit():
    assert draw_seeds(3, 0) == draw_seeds(3, 0) != draw_seeds(4, 0)


def test_each_call_of_partial_fit_has_seeds_of_its_own():
    assert draw_seeds(3, 0) != draw_seeds(3, 1)


def test_a_generator_gives_other_seeds_in_the_next_fit():
    generator = np.random.RandomState(0)
    assert draw_seeds(generator, 0) != draw_seeds(generator, 0)
