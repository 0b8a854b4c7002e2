"""What is kept and said of a training after it."""

from typing import Any

from sklearn_bert._engine.runtime.memory import peak_memory
from sklearn_bert._engine.training.config import TrainingLog
from sklearn_bert._engine.training.loop import FineTuning
from sklearn_bert._warnings import warn_user
from sklearn_bert.exceptions import InterruptedFitWarning, MemoryWarning


def note_course(
    fitted: Any, training: FineTuning, n_tokens: int, before: Any | None
) -> None:
    """Set the attributes that tell how a training went.

    Parameters
    ----------
    fitted : BaseFineTuner
        The copy of a fit.
    training : FineTuning
        It has ended.
    n_tokens : int
        Number of tokens of an epoch.
    before : BaseFineTuner or None
        The estimator whose epochs come before these.
    """
    log, optimizer = training.log, training.optimizer
    n_read = n_tokens * len(log.loss_curve)
    losses: list[float] = []
    times: list[float] = []
    if before is not None:
        losses = before.loss_curve_
        # An estimator of an earlier version has not measured the time.
        times = getattr(before, "epoch_times_", [])
        n_read += getattr(before, "n_tokens_", 0)
    fitted.loss_curve_ = [*losses, *log.loss_curve]
    fitted.epoch_times_ = [*times, *log.epoch_times]
    fitted.n_iter_ = len(fitted.loss_curve_)
    fitted.validation_scores_ = log.validation_scores
    fitted.n_tokens_ = n_read
    fitted.n_trained_parameters_ = optimizer.n_parameters
    fitted.peak_memory_ = peak_memory(optimizer.device)


def report(estimator: Any, log: TrainingLog) -> None:
    """Issue warnings, and raise the error of a divergence.

    Parameters
    ----------
    estimator : BaseFineTuner
        It has the results.
    log : TrainingLog

    Raises
    ------
    DivergenceError
        If the loss, a gradient or an output became NaN or infinite.
    KeyboardInterrupt
        If the user interrupted the fit, and it is one of several.
    """
    if log.n_memory_errors:
        effect = (
            "Texts are only compared with the others of their part"
            if getattr(estimator, "contrastive_", 0)
            else "The gradient is still that of the whole batch, but rounding and "
            "dropout masks differ"
        )
        warn_user(
            f"Batches of batch_size={estimator.batch_size} texts do not fit into the "
            f"memory of device {estimator.device_!r} and were split into parts of "
            f"{log.part_size}. {effect}. Lower max_length or freeze layers to "
            "train faster.",
            MemoryWarning,
        )
    if log.was_interrupted:
        if estimator._is_inner:
            raise KeyboardInterrupt
        warn_user(
            f"The fit was interrupted after {log.n_steps} steps and "
            f"{len(log.loss_curve)} complete epochs. The weights are kept, and the "
            "estimator can be used. Fit again with warm_start=True to continue.",
            InterruptedFitWarning,
        )
    log.raise_error()
