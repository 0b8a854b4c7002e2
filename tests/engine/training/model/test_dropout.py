"""Dropout: seeded, off until asked for, and unbiased."""

import threading

import pytest
import torch

from sklearn_bert._engine.runtime.streams import Streams
from sklearn_bert._engine.training.model.dropout import Dropout

CPU = torch.device("cpu")
ONES = torch.ones(400, 250)


def make(probability=0.1, seed=0):
    dropout = Dropout(probability, seed, CPU)
    dropout.is_on = True
    return dropout


def test_nothing_is_dropped_until_it_is_switched_on():
    assert Dropout(0.9, 0, CPU)(ONES) is ONES


def test_no_probability_drops_nothing():
    assert make(0.0)(ONES) is ONES


def test_some_are_dropped_and_some_are_kept_at_any_probability():
    for probability in (0.0005, 0.9995):
        dropped = make(probability)(ONES) == 0
        assert dropped.any()
        assert not dropped.all()


def test_the_share_that_is_dropped_is_the_probability():
    share = (make(0.25)(ONES) == 0).float().mean()
    assert abs(float(share) - 0.25) < 0.01


def test_the_mean_is_kept():
    assert abs(float(make(0.1)(ONES).mean()) - 1) < 0.01


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_a_mask_is_zeros_and_ones_in_the_format_asked_for(dtype):
    mask = make(0.25).mask(ONES.to(dtype))
    assert mask.dtype == dtype
    assert mask.unique().tolist() == [0, 1]


def test_masks_differ_from_call_to_call():
    dropout = make()
    assert not torch.equal(dropout(ONES), dropout(ONES))


def test_a_seed_gives_the_same_masks():
    assert torch.equal(make(seed=3)(ONES), make(seed=3)(ONES))
    assert not torch.equal(make(seed=3)(ONES), make(seed=4)(ONES))


def test_gradients_take_the_mask_of_the_forward_pass():
    x = ONES.clone().requires_grad_()
    out = make()(x)
    out.sum().backward()
    torch.testing.assert_close(x.grad, out.detach())


def test_shapes_need_not_be_multiples_of_eight():
    assert make()(torch.ones(3, 5)).shape == (3, 5)


def test_masks_are_repeated_wherever_the_generator_is_then():
    dropout = make(0.5)
    first, again = dropout.same_masks()
    with first:
        expected = dropout.mask(ONES)
    dropout.is_on = False
    with again:
        assert torch.equal(dropout.mask(ONES), expected)
    assert not dropout.is_on


def test_repeating_masks_does_not_disturb_later_ones():
    dropout, undisturbed = make(0.5), make(0.5)
    first, again = dropout.same_masks()
    for one in (dropout, undisturbed):
        one.mask(ONES)
    with first, again:
        dropout.mask(ONES)
    assert torch.equal(dropout.mask(ONES), undisturbed.mask(ONES))


def test_shares_of_a_batch_have_masks_of_their_own():
    dropout = make()

    def draw(_):
        dropout.is_on = True
        return dropout(ONES)

    streams = Streams(2)
    first, second = streams.map(draw, range(2))
    streams.close()
    assert not torch.equal(first, second)
    assert torch.equal(first, make()(ONES))


def test_the_masks_of_a_share_do_not_depend_on_the_threads():
    def draw(n_threads):
        torch.set_num_threads(n_threads)
        dropout, streams = make(), Streams(2)

        def share(_):
            dropout.is_on = True
            return dropout(ONES)

        try:
            return streams.map(share, range(2))
        finally:
            streams.close()

    threads = torch.get_num_threads()
    try:
        one, two = draw(1), draw(2)
    finally:
        torch.set_num_threads(threads)
    for a, b in zip(one, two, strict=True):
        assert torch.equal(a, b)


def test_a_share_is_in_training_whatever_the_others_are():
    dropout, is_on, is_off = Dropout(0.1, 0, CPU), threading.Event(), threading.Event()

    def share(k):
        if k == 0:
            dropout.is_on = True
            is_on.set()
            is_off.wait(timeout=60)
            return [dropout.is_on]
        is_on.wait(timeout=60)
        seen = [dropout.is_on]
        dropout.is_on = True
        seen.append(dropout.is_on)
        dropout.is_on = False
        is_off.set()
        return seen

    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    streams = Streams(2)
    try:
        assert streams.map(share, range(2)) == [[True], [False, True]]
    finally:
        streams.close()
        torch.set_num_threads(threads)
