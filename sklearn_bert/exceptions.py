"""Errors and warnings that users of sklearn_bert may meet.

::

    SklearnBertError
    ├── InputError (ValueError)               texts that no estimator can read
    ├── DeviceError (ValueError)              a device or dtype this machine lacks
    ├── CheckpointError (ValueError)          a model that cannot be trusted or run
    │   ├── CheckpointNotFoundError           ... that is nowhere to be found
    │   └── CheckpointMismatchError           ... that is not the one of the fit
    ├── ResumeError (ValueError)              checkpoint_dir holds another training
    ├── DeviceMemoryError (RuntimeError)      a model or a text does not fit into memory
    └── DivergenceError (RuntimeError)        training met a number that is not finite

    ConstantTargetWarning (UserWarning)       a first part has a constant target
    InterruptedFitWarning (UserWarning)       Ctrl-C ended a fit early
    MemoryWarning (UserWarning)               batches were split to fit into memory
    RareClassWarning (UserWarning)            a class is too rare to be validated
    TruncationWarning (UserWarning)           texts were cut
    TextRepairWarning (UserWarning)           texts held characters that are no text
"""

__all__ = [
    "CheckpointError",
    "CheckpointMismatchError",
    "CheckpointNotFoundError",
    "ConstantTargetWarning",
    "DeviceError",
    "DeviceMemoryError",
    "DivergenceError",
    "InputError",
    "InterruptedFitWarning",
    "MemoryWarning",
    "RareClassWarning",
    "ResumeError",
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


class ResumeError(SklearnBertError, ValueError):
    """What was saved belongs to another training, or is damaged."""


class DeviceMemoryError(SklearnBertError, RuntimeError):
    """A model, or a single text, does not fit into the device's memory."""


class DivergenceError(SklearnBertError, RuntimeError):
    """A loss, a gradient or an output was not a finite number."""


class ConstantTargetWarning(UserWarning):
    """The first part given to ``partial_fit`` has a target without any spread."""


class InterruptedFitWarning(UserWarning):
    """Ctrl-C ended a fit early; what was learnt so far was kept."""


class MemoryWarning(UserWarning):
    """Memory was short, so batches were trained in parts."""


class RareClassWarning(UserWarning):
    """A class or a label has too few samples to be in the validation split too."""


class TruncationWarning(UserWarning):
    """Texts longer than ``max_length`` were cut."""


class TextRepairWarning(UserWarning):
    """Texts held lone surrogates, which were replaced by U+FFFD."""
