"""Whether a training still makes finite numbers, and the error if it does not."""

from math import isfinite

import torch
from torch import nn

from sklearn_bert._engine.encoding.encode import EncodingConfig, encode_sequences
from sklearn_bert._engine.encoding.readout import Readout
from sklearn_bert._engine.text.token_sequences import TokenSequences
from sklearn_bert._engine.training.config import LoopLog
from sklearn_bert._engine.training.model.trainable import TrainableEncoder
from sklearn_bert.exceptions import DivergenceError


def check_learning_rate(learning_rate: float, dtype: torch.dtype) -> None:
    """Refuse a learning rate that is no number of the weights' format."""
    largest = torch.finfo(dtype).max
    if learning_rate > largest:
        raise ValueError(
            f"learning_rate must be at most {largest:.3g}, the largest number of "
            f"{str(dtype).removeprefix('torch.')}. Got {learning_rate:g}. Lower it: "
            "fine-tuning takes some 1e-5 to 1e-3."
        )


def gives_finite_outputs(
    trainable: TrainableEncoder,
    head: nn.Linear,
    sequences: TokenSequences,
    readout: Readout,
) -> bool:
    """Tell whether the weights of the moment make finite numbers of some texts.

    Finite weights do not, if they are so large that a product of them overflows.
    """
    encoder = trainable.encoder
    config = EncodingConfig(readout, layers=(encoder.architecture.n_layers,))
    features = encode_sequences(encoder, sequences, config)
    with torch.no_grad():
        outputs = head(torch.from_numpy(features).to(head.weight))
    return bool(torch.isfinite(outputs).all())


def find_non_finite(loss: float, norm: float) -> str | None:
    """Return "loss" or "gradient" if it is no finite number, the first of them."""
    if not isfinite(loss):
        return "loss"
    return None if isfinite(norm) else "gradient"


def divergence(
    what: str,
    found: str,
    *,
    kept: str,
    step: int,
    n_steps: int,
    learning_rate: float,
    factor: float,
) -> DivergenceError:
    """Return the error of a training whose numbers are finite no more.

    Parameters
    ----------
    what : str
        What must be finite.
    found : str
        What was not, up to the word before the step's number.
    kept : str
        Which weights are kept.
    step, n_steps : int
    learning_rate : float
        The parameter.
    factor : float
        The share of it that the step used.
    """
    return DivergenceError(
        f"{what} must be finite numbers. The {found} step {step} of {n_steps}, with a "
        f"learning rate of {learning_rate * factor:.3g}. The {kept} are kept. Lower "
        f"learning_rate (it is {learning_rate:g}), raise warmup, or set "
        "dtype='float32'."
    )


def raise_error_of(log: LoopLog) -> None:
    """Raise the error that ended a training, if one did, and keep none of it."""
    error, log.error = log.error, None
    if error is None:
        return
    try:
        # Its traceback would keep the tensors of the training alive.
        raise error.with_traceback(None)
    finally:
        del error
