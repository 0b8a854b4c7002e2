"""Errors and warnings that users of sklearn_bert may meet.

::

    SklearnBertError
    ├── InputError (ValueError)               texts that no estimator can read
    ├── DeviceError (ValueError)              a device or dtype this machine lacks
    ├── CheckpointError (ValueError)          a model that cannot be trusted or run
    │   ├── CheckpointNotFoundError           ... that is nowhere to be found
    │   └── CheckpointMismatchError           ... that is not the one of the fit
    └── DeviceMemoryError (RuntimeError)      one text does not fit into memory

    TruncationWarning (UserWarning)           texts were cut
    TextRepairWarning (UserWarning)           texts held characters that are no text
"""

__all__ = [
    "CheckpointError",
    "CheckpointMismatchError",
    "CheckpointNotFoundError",
    "DeviceError",
    "DeviceMemoryError",
    "InputError",
    "SklearnBertError",
    "TextRepairWarning",
    "TruncationWarning",
]


class SklearnBertError(Exception):
    """Base class of every error that sklearn_bert raises on purpose."""


class InputError(SklearnBertError, ValueError):
    """X does not hold one text, or one pair of texts, per sample."""


class DeviceError(SklearnBertError, ValueError):
    """The device or the dtype asked for does not exist on this machine."""


class CheckpointError(SklearnBertError, ValueError):
    """The model's files are damaged, incomplete or of an unsupported kind."""


class CheckpointNotFoundError(CheckpointError):
    """The model is neither on this machine nor within reach."""


class CheckpointMismatchError(CheckpointError):
    """The model found is not the one that the estimator was fitted with."""


class DeviceMemoryError(SklearnBertError, RuntimeError):
    """A single text does not fit into the device's memory."""


class TruncationWarning(UserWarning):
    """Texts longer than ``max_length`` were cut."""


class TextRepairWarning(UserWarning):
    """Texts held lone surrogates, which were replaced by U+FFFD."""
