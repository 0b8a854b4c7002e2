"""The end of a pre-training and its learning rate, by steps and by time."""

import pytest

from sklearn_bert._engine.masked_lm.config import PretrainingConfig
from sklearn_bert._engine.masked_lm.schedule import PretrainingSchedule


class Clock:
    """A clock that is set by hand."""

    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr("time.monotonic", clock)
    return clock


def make_schedule(**changes):
    """Return a running schedule of two epochs of 50 steps."""
    options = {"learning_rate": 1e-3, "weight_decay": 0.0, "warmup": 0.1, "seed": 0}
    options |= {"schedule": "linear", "verbose": 0, "label": "", "n_epochs": 2}
    options |= {"max_steps": None, "max_time": None, "batch_tokens": 256}
    config = PretrainingConfig(**{**options, "save_interval": 60.0, **changes})
    schedule = PretrainingSchedule(config, steps_per_epoch=50)
    schedule.start()
    return schedule


@pytest.mark.parametrize(("max_steps", "n_steps"), [(None, 100), (30, 30), (999, 100)])
def test_max_steps_ends_a_training(max_steps, n_steps):
    assert make_schedule(max_steps=max_steps).n_steps == n_steps


def test_without_max_time_the_rate_follows_the_steps(clock):
    schedule = make_schedule()
    clock.now += 1e9
    assert [schedule.factor(step) for step in (0, 9, 10, 55)] == [0.1, 1.0, 1.0, 0.5]
    assert not schedule.is_time_up()
    assert schedule.expected_steps(7) == 100


def test_with_max_time_the_rate_follows_the_time(clock):
    schedule = make_schedule(max_time=100.0)
    clock.now += 55.0
    assert schedule.factor(3) == pytest.approx(0.5)
    # Here the steps end the training before the time does.
    assert schedule.factor(91) == pytest.approx(0.1)


def test_the_expected_steps_follow_the_current_pace(clock):
    schedule = make_schedule(max_time=100.0)
    assert schedule.expected_steps(0) == 100
    clock.now += 50.0
    assert schedule.expected_steps(7) == 14
    assert not schedule.is_time_up()
    clock.now += 50.0
    assert schedule.is_time_up()


def test_time_before_an_interruption_counts(clock):
    schedule = make_schedule(max_time=100.0)
    schedule.seconds_before = 70.0
    clock.now += 30.0
    assert schedule.seconds() == 100.0
    assert schedule.is_time_up()
