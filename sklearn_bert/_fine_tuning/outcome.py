"""What is said of a training after it."""

from typing import Any

from sklearn_bert._engine.training.config import TrainingLog
from sklearn_bert._warnings import warn_user
from sklearn_bert.exceptions import InterruptedFitWarning, MemoryWarning


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
