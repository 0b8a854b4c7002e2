"""From JSON and tensors to values: what :mod:`sklearn_bert._saving.writing` wrote."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import RandomState
from tokenizers import Tokenizer

from sklearn_bert._engine.text.tokenizer import TextTokenizer
from sklearn_bert._saving.bfloat16 import Halved, widen
from sklearn_bert._saving.file import NAMES_OF_DTYPES, StoredTensor
from sklearn_bert._saving.hints import make_record
from sklearn_bert._saving.schema import MOST_BYTES, RECORDS

# Of the state of the generator of NumPy's RandomState.
_N_KEYS = 624


class Reader:
    """Turns the JSON and the tensors of a file into values.

    Each method raises a ValueError, a TypeError or a LookupError if its node is not as
    it is written.

    Parameters
    ----------
    tensors : dict of str to StoredTensor
    read_estimator : dict of str to callable
        For each tag of an estimator, a function of this reader and the JSON of the
        estimator that returns the estimator.
    check_tokenizer : callable
        Raises an error for the JSON of a tokenizer that must not be used.
    """

    def __init__(
        self,
        tensors: Mapping[str, StoredTensor],
        read_estimator: dict[str, Callable[["Reader", Any], Any]],
        check_tokenizer: Callable[[str], None],
    ) -> None:
        self._tensors = dict(tensors)
        self._check_tokenizer = check_tokenizer
        self._kinds: dict[str, Callable[[Any], Any]] = {
            "float": self._float,
            "tuple": lambda node: tuple(self._list(node)),
            "dict": self._dict,
            "path": self._path,
            "scalar": self._scalar,
            "text": self._text,
            "values": self._values,
            "array": self._array,
            "random_state": self._random_state,
            "tokenizer": self._tokenizer,
            "record": self._record,
            **{tag: partial(read, self) for tag, read in read_estimator.items()},
        }

    def read(self, node: Any) -> Any:
        """Return the value of a node."""
        if node is None or isinstance(node, bool | int | float | str):
            return node
        if isinstance(node, list):
            return self._list(node)
        ((tag, content),) = node.items()
        return self._kinds[tag](content)

    def read_all(self, nodes: Any) -> dict[str, Any]:
        """Return the values of a JSON object."""
        return {str(name): self.read(node) for name, node in nodes.items()}

    def check_that_all_is_read(self) -> None:
        """Refuse tensors that no value holds."""
        if self._tensors:
            raise ValueError(f"{len(self._tensors)} tensors without a use")

    def _list(self, node: Any) -> list[Any]:
        return [self.read(x) for x in _typed(list, node)]

    def _dict(self, node: Any) -> dict[Any, Any]:
        pairs = [(self.read(key), self.read(x)) for key, x in node]
        if len(values := dict(pairs)) < len(pairs):
            raise ValueError("a dict with a repeated key")
        return values

    def _float(self, node: Any) -> float:
        if node not in ("nan", "inf", "-inf"):
            raise ValueError("an unknown float")
        return float(node)

    def _path(self, node: Any) -> Path:
        return Path(_typed(str, node))

    def _scalar(self, node: Any) -> Any:
        name, value = node
        return _plain_dtype(name).type(self.read(value))

    def _take(self, name: Any) -> StoredTensor:
        """Return a tensor; each is used once."""
        return self._tensors.pop(name)

    def _text(self, node: Any) -> str:
        return self._take(node).array.tobytes().decode("utf-8", "surrogatepass")

    def _values(self, node: Any) -> np.ndarray:
        name, items = node
        values = self._list(items)
        if name == "|O":
            array = np.empty(len(values), dtype=object)
            array[:] = values
            return array
        dtype = _plain_dtype(name)
        longest = max((len(_typed(str, x)) for x in values), default=0)
        n_bytes = dtype.itemsize * len(values)
        if dtype.kind != "U" or dtype.itemsize < 4 * longest or n_bytes > MOST_BYTES:
            raise ValueError("an array of texts of the wrong dtype")
        return np.array(values, dtype=dtype)

    def _array(self, node: Any) -> np.ndarray:
        name, stored = node
        dtype, tensor = _plain_dtype(name), self._take(stored)
        if tensor.dtype == "BF16":
            return widen(Halved(tensor.array, dtype.str))
        if dtype.newbyteorder("<") != tensor.array.dtype:
            raise ValueError("an array of another dtype than its tensor")
        return tensor.array.astype(dtype, copy=False)

    def _random_state(self, node: Any) -> RandomState:
        state = self.read_all(node)
        if {*state} != {"key", "pos", "has_gauss", "gauss"}:
            raise ValueError("a random state of other keys")
        key, pos = state.pop("key"), _typed(int, state.pop("pos"))
        # NumPy would read beyond its memory.
        is_key = key.shape == (_N_KEYS,) and key.dtype == np.uint32
        if not is_key or pos not in range(_N_KEYS + 1):
            raise ValueError("a random state that is not valid")
        random = RandomState(0)
        generator = {"bit_generator": "MT19937", "state": {"key": key, "pos": pos}}
        random.set_state({**generator, **state})
        return random

    def _tokenizer(self, node: Any) -> TextTokenizer:
        content = self.read_all(node)
        text, has_segments = content["json"], _typed(bool, content["has_segments"])
        self._check_tokenizer(text)
        return TextTokenizer(Tokenizer.from_str(text), has_segments=has_segments)

    def _record(self, node: Any) -> Any:
        return make_record(RECORDS[node["class"]], self.read_all(node["fields"]))


def _typed(kind: type[Any], node: Any) -> Any:
    if type(node) is not kind:
        raise TypeError(f"a value that is not a {kind.__name__}")
    return node


def _plain_dtype(name: Any) -> np.dtype[Any]:
    """Return a dtype of numbers, of bool or of texts."""
    dtype = np.dtype(_typed(str, name))
    if dtype.kind != "U" and dtype.newbyteorder("<").str not in NAMES_OF_DTYPES:
        raise ValueError("an unknown dtype")
    return dtype
