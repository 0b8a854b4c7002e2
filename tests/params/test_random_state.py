"""What random_state means to a fit."""

import numpy as np

from sklearn_bert._params.random_state import draw_seed, make_generator


def test_an_int_gives_the_same_seeds_again():
    first, second = make_generator(3), make_generator(3)
    assert [draw_seed(first) for _ in range(3)] == [draw_seed(second) for _ in range(3)]


def test_a_generator_is_taken_and_continues():
    generator = np.random.RandomState(0)
    assert make_generator(generator) is generator
    assert draw_seed(generator) != draw_seed(generator)


def test_none_leaves_the_global_generator_alone():
    before = np.random.get_state()[1].copy()
    assert draw_seed(make_generator(None)) != draw_seed(make_generator(None))
    np.testing.assert_array_equal(np.random.get_state()[1], before)
