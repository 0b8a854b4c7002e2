"""What is said of a training that memory, a user or a divergence has disturbed."""

import warnings
from types import SimpleNamespace

import pytest

from sklearn_bert._engine.training.config import TrainingLog
from sklearn_bert._fine_tuning.outcome import report
from sklearn_bert.exceptions import (
    DivergenceError,
    InterruptedFitWarning,
    MemoryWarning,
)


def estimator(**changes):
    fitted = {"batch_size": 32, "device_": "cpu", "contrastive_": 0.0}
    return SimpleNamespace(**{**fitted, "_is_inner": False, **changes})


def test_nothing_is_said_of_an_ordinary_training():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report(estimator(), TrainingLog(part_size=32))


@pytest.mark.parametrize(
    ("contrastive", "effect"),
    [(0.0, "still that of the whole batch"), (0.5, "only compared with the others")],
)
def test_what_splitting_a_batch_changes_is_said(contrastive, effect):
    log = TrainingLog(part_size=8)
    log.n_memory_errors = 2
    with pytest.warns(MemoryWarning, match=rf"batch_size=32 .*parts of 8\..*{effect}"):
        report(estimator(contrastive_=contrastive), log)


def test_an_interrupted_fit_can_be_continued():
    log = TrainingLog(part_size=32)
    log.was_interrupted, log.n_steps, log.loss_curve = True, 7, [0.5]
    with pytest.warns(InterruptedFitWarning, match="7 steps and 1 complete epochs"):
        report(estimator(), log)


def test_an_interruption_ends_all_fits_of_several():
    log = TrainingLog(part_size=32)
    log.was_interrupted = True
    with pytest.raises(KeyboardInterrupt):
        report(estimator(_is_inner=True), log)


def test_a_divergence_is_raised():
    log = TrainingLog(part_size=32)
    log.error = DivergenceError("The loss became NaN.")
    with pytest.raises(DivergenceError, match="became NaN"):
        report(estimator(), log)
