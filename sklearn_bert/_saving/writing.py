"""From values to JSON and tensors.

Numbers, texts, None and lists are written as JSON has them. Every other value is an
object with one key, the tag that :mod:`sklearn_bert._saving.reading` reads.
"""

import math
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import RandomState

from sklearn_bert._config import quote
from sklearn_bert._engine.checkpoints.adapter import UnmergedEncoder
from sklearn_bert._engine.checkpoints.packed import PackedCheckpoint, digest_of
from sklearn_bert._engine.checkpoints.record import CheckpointRecord
from sklearn_bert._engine.masked_lm.model import PackedMaskedModel
from sklearn_bert._engine.text.tokenizer import TextTokenizer
from sklearn_bert._saving.bfloat16 import Halved, halve_all, widen_all
from sklearn_bert._saving.file import NAMES_OF_DTYPES, StoredTensor
from sklearn_bert._saving.schema import MOST_BYTES, RECORDS

# Longer texts, such as tokenizers, are written as tensors.
_LONGEST_TEXT = 4096


class UnwritableError(ValueError):
    """A value cannot be written. The message names the value."""


class Writer:
    """Turns values into JSON, and collects the tensors that they hold.

    Parameters
    ----------
    write_estimator : callable
        Returns the JSON of an estimator for it, its place and this writer, or raises
        :class:`UnwritableError` for any other object.
    in_bfloat16 : bool
        Whether weights are rounded.

    Attributes
    ----------
    tensors : dict of str to StoredTensor
    """

    def __init__(
        self,
        write_estimator: Callable[[Any, str, "Writer"], Any],
        *,
        in_bfloat16: bool,
    ) -> None:
        self.tensors: dict[str, StoredTensor] = {}
        self._write_estimator = write_estimator
        self._in_bfloat16 = in_bfloat16
        # The digest of each rounded encoder by that of the encoder.
        self._digests: dict[str, str] = {}

    def write(self, value: Any, place: str) -> Any:
        """Return a value in JSON types; ``place`` names its tensors."""
        kind = type(value)
        if value is None or kind in (bool, int):
            return value
        if kind is str:
            return value if len(value) <= _LONGEST_TEXT else self._text(value, place)
        if kind is float:
            return value if math.isfinite(value) else {"float": str(value)}
        if kind is list:
            return [self.write(x, f"{place}.{k}") for k, x in enumerate(value)]
        if kind is tuple:
            return {"tuple": self.write(list(value), place)}
        if kind is dict:
            return {"dict": self._items(value, place)}
        if isinstance(value, Path):
            return {"path": str(value)}
        if isinstance(value, np.generic):
            return {"scalar": self._scalar(value)}
        if kind in (np.ndarray, np.memmap):
            return self._array(np.asarray(value), place)
        if kind is Halved:
            stored = self._store(StoredTensor("BF16", value.codes), place)
            return {"array": [value.dtype, stored]}
        if kind is RandomState:
            return {"random_state": self._random_state(value, place)}
        if kind is TextTokenizer:
            content = {"json": value.to_str(), "has_segments": value.has_segments}
            return {"tokenizer": self._fields(content, place)}
        if RECORDS.get(kind.__name__) is kind:
            return {"record": self._record(value, place)}
        return self._write_estimator(value, place, self)

    def _fields(self, values: dict[str, Any], place: str) -> dict[str, Any]:
        return {name: self.write(x, f"{place}.{name}") for name, x in values.items()}

    def _items(self, values: dict[Any, Any], place: str) -> list[Any]:
        return [
            [self.write(key, f"{place}.key"), self.write(x, f"{place}.{key}")]
            for key, x in values.items()
        ]

    def _scalar(self, value: np.generic) -> list[Any]:
        if value.dtype.kind == "U" or value.dtype.str in NAMES_OF_DTYPES:
            return [value.dtype.str, self.write(value.item(), "")]
        raise UnwritableError(f"{quote(value)} of dtype {value.dtype}")

    def _text(self, text: str, place: str) -> Any:
        codes = np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)
        return {"text": self._store(StoredTensor("U8", codes), place)}

    def _array(self, array: np.ndarray, place: str) -> Any:
        is_list = array.dtype.kind in "OU" and array.ndim == 1
        if is_list and array.nbytes <= MOST_BYTES:
            values = self.write(array.tolist(), place)
            return {"values": [array.dtype.str, values]}
        plain = array.astype(array.dtype.newbyteorder("<"), order="C", copy=False)
        name = NAMES_OF_DTYPES.get(plain.dtype.str)
        if name is None:
            raise UnwritableError(
                f"an array of dtype {array.dtype} and shape {array.shape}"
            )
        stored = self._store(StoredTensor(name, plain), place)
        return {"array": [array.dtype.str, stored]}

    def _store(self, tensor: StoredTensor, place: str) -> str:
        """Add a tensor under a name that no other has, and return the name."""
        name, k = place, 1
        while name in self.tensors:
            name, k = f"{place}#{k}", k + 1
        self.tensors[name] = tensor
        return name

    def _random_state(self, random: RandomState, place: str) -> dict[str, Any]:
        state: dict[str, Any] = random.get_state(legacy=False)
        if state["bit_generator"] != "MT19937":
            raise UnwritableError(f"a RandomState of a {state['bit_generator']}")
        state = {**state["state"], **{k: state[k] for k in ("has_gauss", "gauss")}}
        return self._fields(state, place)

    def _record(self, record: Any, place: str) -> dict[str, Any]:
        if isinstance(record, CheckpointRecord):
            digests = self._digests
            new = {k: digests.get(x, x) for k, x in record.digests.items()}
            record = replace(record, digests=new)
        if isinstance(record, UnmergedEncoder) and self._digests:
            # The encoder that the adapter is added to has been rounded.
            digest = digest_of(record.digest, {})
            self._digests[record.digest] = digest
            record = replace(record, digest=digest)
        values = {field.name: getattr(record, field.name) for field in fields(record)}
        if self._in_bfloat16 and isinstance(record, PackedMaskedModel):
            values["head"] = halve_all(record.head)
        if self._in_bfloat16 and isinstance(record, PackedCheckpoint):
            values |= self._halve_weights(record)
        return {
            "class": type(record).__name__,
            "fields": self._fields(values, place),
        }

    def _halve_weights(self, packed: PackedCheckpoint) -> dict[str, Any]:
        """Return the fields of an encoder that change if its weights are rounded."""
        weights = halve_all(packed.weights)
        more = halve_all(packed.module_weights or {})
        digest = replace(
            packed,
            weights=widen_all(weights),
            module_weights=widen_all(more) or None,
        ).compute_digest()
        self._digests[packed.digest] = digest
        return {"weights": weights, "module_weights": more or None, "digest": digest}
