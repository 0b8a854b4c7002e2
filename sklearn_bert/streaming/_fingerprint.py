"""A checksum of all that an estimator's results depend on."""

import hashlib
from collections.abc import Iterator, Mapping, Set
from functools import partial
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any

import joblib
import numpy as np
from sklearn.base import BaseEstimator

from sklearn_bert._engine.checkpoints.source import digests_of
from sklearn_bert._vectorizer import BertVectorizer

# Parameters and attributes without influence on results, or only on their rounding: a
# run may be resumed with fewer texts per batch, or on another device.
_NO_CONTENT = {
    *("batch_size", "cache", "device", "device_", "memory", "n_jobs", "verbose"),
    # An address of scikit-learn's, different in each process.
    "_stop_words_id",
}


def fingerprint(estimator: Any) -> str:
    """Return a checksum of an estimator: its class, parameters and fitted attributes.

    Unlike a checksum of its pickle, it is the same in another process, and after saving
    and loading. It includes the files of the checkpoint of a vectorizer that is not
    fitted.
    """
    return _digest(estimator, ()).hex()


def _digest(value: Any, outer: tuple[int, ...]) -> bytes:
    """Return the digest of a value inside of others, which are given by their ids."""
    if id(value) in outer:
        return b"a circle"
    outer = (*outer, id(value))
    whole = hashlib.sha256(
        f"{type(value).__module__}.{type(value).__qualname__}".encode()
    )
    for part in _parts(value, outer):
        whole.update(part if isinstance(part, bytes) else _digest(part, outer))
    return whole.digest()


def _parts(value: Any, outer: tuple[int, ...]) -> Iterator[Any]:
    """Yield what a value consists of, as bytes or as other values."""
    if value is None or isinstance(value, str | bytes | int | float | complex | type):
        yield repr(value).encode("utf-8", "surrogatepass")
    elif isinstance(value, np.ndarray) and not value.dtype.hasobject:
        yield repr((value.dtype.str, value.shape)).encode()
        yield np.ascontiguousarray(value).tobytes()
    elif isinstance(value, list | tuple):
        yield from value
    elif isinstance(value, np.ndarray):
        yield from (value.shape, value.tolist())
    elif isinstance(value, Mapping):
        # The order is another after loading.
        yield b"".join(sorted(_digest(pair, outer) for pair in value.items()))
    elif isinstance(value, Set):
        yield b"".join(sorted(_digest(one, outer) for one in value))
    elif isinstance(value, FunctionType):
        yield from (value.__module__, value.__qualname__, value.__code__)
        yield from (value.__defaults__, value.__kwdefaults__)
        # A cell is empty until its variable has a value.
        cells = [cell for cell in value.__closure__ or () if cell != CellType()]
        yield [cell.cell_contents for cell in cells]
    elif isinstance(value, CodeType):
        # Numbers and names are not in the code itself, but their positions.
        yield from (value.co_code, value.co_names, value.co_consts)
    elif isinstance(value, partial):
        yield from (value.func, value.args, value.keywords)
    elif isinstance(value, ModuleType):
        yield value.__name__
    elif isinstance(state := value.__getstate__(), dict):
        if isinstance(value, BaseEstimator):
            state = {k: v for k, v in state.items() if k not in _NO_CONTENT}
        yield state
        if isinstance(value, BertVectorizer) and not hasattr(value, "checkpoint_"):
            yield digests_of(value._find_source())
    else:
        yield joblib.hash(value)
