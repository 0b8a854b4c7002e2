"""The errors and warnings of sklearn_bert.

::

    SklearnBertError
    ├── InputError (ValueError)               X is not valid text input
    ├── DeviceError (ValueError)              device or dtype not available
    ├── CheckpointError (ValueError)          model damaged or not supported
    │   ├── CheckpointNotFoundError           model not found
    │   ├── CheckpointMismatchError           model differs from that of fit
    │   └── ModelNotFittedError               model is an estimator, and not fitted
    ├── CacheError (ValueError)               cache of features not usable
    ├── ResumeError (ValueError)              checkpoint_dir or target of another run
    ├── SavedFileError (ValueError)           not a saved estimator, or cannot be saved
    ├── HubError (RuntimeError)               model not pushed to the Hub
    ├── DeviceMemoryError (RuntimeError)      model or text does not fit into memory
    ├── DistributedError (RuntimeError)       processes that fit together do not agree
    └── NonFiniteError (RuntimeError)         the model gave NaN or infinite values
        └── DivergenceError                   training gave them

    CacheWarning (UserWarning)                cache of features not used
    ConstantTargetWarning (UserWarning)       first partial_fit has a constant target
    InterruptedFitWarning (UserWarning)       Ctrl-C ended a fit early
    MemoryWarning (UserWarning)               batches were split to fit into memory
    RareClassWarning (UserWarning)            class too rare for the validation split
    TruncationWarning (UserWarning)           texts were truncated
    TextRepairWarning (UserWarning)           texts had invalid characters
"""

from sklearn.exceptions import NotFittedError

__all__ = [
    "CacheError",
    "CacheWarning",
    "CheckpointError",
    "CheckpointMismatchError",
    "CheckpointNotFoundError",
    "ConstantTargetWarning",
    "DeviceError",
    "DeviceMemoryError",
    "DistributedError",
    "DivergenceError",
    "HubError",
    "InputError",
    "InterruptedFitWarning",
    "MemoryWarning",
    "ModelNotFittedError",
    "NonFiniteError",
    "RareClassWarning",
    "ResumeError",
    "SavedFileError",
    "SklearnBertError",
    "TextRepairWarning",
    "TruncationWarning",
]


class SklearnBertError(Exception):
    """Base class of every error that sklearn_bert raises on purpose."""


class InputError(SklearnBertError, ValueError):
    """X does not contain one text, or one pair of texts, per sample."""


class DeviceError(SklearnBertError, ValueError):
    """The device or the dtype is not available on this machine."""


class CheckpointError(SklearnBertError, ValueError):
    """The files of the model are damaged, incomplete or not supported."""


class CheckpointNotFoundError(CheckpointError):
    """The model is neither on this machine nor on the Hub."""


class CheckpointMismatchError(CheckpointError):
    """The model is not the one that the estimator was fitted with."""


class ModelNotFittedError(CheckpointError, NotFittedError):
    """The model is an estimator that is not fitted."""


class CacheError(SklearnBertError, ValueError):
    """A cache of features cannot be read or written."""


class ResumeError(SklearnBertError, ValueError):
    """What was saved belongs to another run, is damaged, or is being written to."""


class SavedFileError(SklearnBertError, ValueError):
    """A file is not a saved estimator, or an estimator cannot be saved to it."""


class HubError(SklearnBertError, RuntimeError):
    """A model cannot be pushed to the Hugging Face Hub."""


class DeviceMemoryError(SklearnBertError, RuntimeError):
    """A model, or a single text, does not fit into the memory of the device."""


class DistributedError(SklearnBertError, RuntimeError):
    """A process that fits together with others lost them, or differs from them."""


class NonFiniteError(SklearnBertError, RuntimeError):
    """Features or outputs of a model are NaN or infinite."""


class DivergenceError(NonFiniteError):
    """In training, a loss, a gradient or an output became NaN or infinite."""


class CacheWarning(UserWarning):
    """A cache of features could not be used; the features were computed instead."""


class ConstantTargetWarning(UserWarning):
    """The first call of ``partial_fit`` has a target with a single value."""


class InterruptedFitWarning(UserWarning):
    """Ctrl-C ended a fit early; the weights learned so far were kept."""


class MemoryWarning(UserWarning):
    """Batches did not fit into memory and were trained in parts."""


class RareClassWarning(UserWarning):
    """A class or label has too few samples to be in the validation split."""


class TruncationWarning(UserWarning):
    """Texts longer than ``max_length`` were truncated."""


class TextRepairWarning(UserWarning):
    """Texts contained lone surrogates, which were replaced by U+FFFD."""
