"""Checkpoints as text and arrays, as in the pickle of a fitted estimator."""

import hashlib
import json
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn

from sklearn_bert._engine.checkpoints.adapter import PackedAdapter
from sklearn_bert._engine.checkpoints.architecture import (
    Architecture,
    shape_model,
)
from sklearn_bert._engine.checkpoints.config_files import make_config
from sklearn_bert._engine.checkpoints.load import Checkpoint
from sklearn_bert._engine.checkpoints.sentence_transformers.modules import make_modules
from sklearn_bert._engine.checkpoints.weights import set_weights
from sklearn_bert._engine.text.tokenizer import TextTokenizer


@dataclass(frozen=True, eq=False)
class PackedCheckpoint:
    """A checkpoint as text and arrays, for pickles.

    Attributes
    ----------
    config : str
        Content of config.json.
    tokenizer : str
        Content of tokenizer.json.
    architecture : Architecture
    weights : dict of str to ndarray
        The state dict of the transformers model.
    digest : str
        SHA-256 of the content. It is never computed again for a fitted estimator, so
        that estimators of earlier versions stay the models of others.
    module_weights : dict of str to ndarray, or None
        The state dict of the modules after the pooling, if there are some.
    """

    config: str
    tokenizer: str
    architecture: Architecture
    weights: dict[str, np.ndarray]
    digest: str
    module_weights: dict[str, np.ndarray] | None = None

    def __repr__(self) -> str:
        # scikit-learn's HTML shows 30 characters. The weights would take seconds.
        shape = self.architecture
        return f"<layers: {shape.n_layers}, features: {shape.hidden_size}>"

    @property
    def itemsize(self) -> int:
        """Number of bytes of a weight."""
        return max(array.itemsize for array in self.weights.values())

    @cached_property
    def vocabulary(self) -> dict[str, int]:
        """The id of each token."""
        return self.make_tokenizer().vocabulary

    def make_tokenizer(self) -> TextTokenizer:
        """Return the tokenizer."""
        return TextTokenizer(
            Tokenizer.from_str(self.tokenizer),
            has_segments=self.architecture.has_segments,
        )

    @cached_property
    def content_digest(self) -> str:
        """The SHA-256 of the content, which a file cannot claim to be another one."""
        return self.compute_digest()

    def compute_digest(self) -> str:
        """Return the SHA-256 of the content, the whole architecture included."""
        architecture = json.dumps(_declared(self.architecture), sort_keys=True)
        return self._digest_with(architecture)

    def matches_digest(self) -> bool:
        """Tell whether the digest is that of the content, in any version."""
        # Earlier versions left the architecture out of the digest, which is only tried
        # second, since all weights are read again for it.
        return self.digest == self.compute_digest() or (
            self.digest == self._digest_with("")
        )

    def _digest_with(self, architecture: str) -> str:
        more = self.module_weights or {}
        return digest_of(
            f"{self.config}{self.tokenizer}{architecture}",
            {**self.weights, **{f"modules.{name}": more[name] for name in more}},
        )


def _declared(value: Any) -> Any:
    """Return a dataclass as JSON, without what has its default.

    A field that a later version adds therefore changes no digest.
    """
    if isinstance(value, tuple):
        return [_declared(one) for one in value]
    if not is_dataclass(value):
        return value
    names_and_defaults = [(field.name, field.default) for field in fields(value)]
    return {
        name: _declared(getattr(value, name))
        for name, default in names_and_defaults
        if getattr(value, name) != default
    }


def pack(
    checkpoint: Checkpoint, adapter: PackedAdapter | None = None
) -> PackedCheckpoint:
    """Copy a checkpoint into text and arrays that can be read on any machine.

    Parameters
    ----------
    checkpoint : Checkpoint
    adapter : PackedAdapter or None
        Changes that are added to the copy.

    Returns
    -------
    PackedCheckpoint
    """
    model: Any = checkpoint.model
    # Without the private keys of transformers, one of which is a local path.
    content = json.loads(model.config.to_json_string(use_diff=False))
    config = json.dumps({key: content[key] for key in content if key[0] != "_"})
    tokenizer = checkpoint.tokenizer.to_str()
    weights, more = _to_arrays(model), _to_arrays(checkpoint.modules)
    if adapter is not None:
        adapter.add_to(weights)
    packed = PackedCheckpoint(
        config, tokenizer, checkpoint.architecture, weights, "", more or None
    )
    return replace(packed, digest=packed.compute_digest())


def _to_arrays(module: nn.Module) -> dict[str, np.ndarray]:
    return {
        name: tensor.detach().to("cpu", copy=True).numpy()
        for name, tensor in module.state_dict().items()
    }


def digest_of(text: str, arrays: dict[str, np.ndarray]) -> str:
    """Return the SHA-256 of a text and of arrays with their names."""
    digest = hashlib.sha256(text.encode())
    for name, array in arrays.items():
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def unpack(packed: PackedCheckpoint) -> Checkpoint:
    """Return an encoder with the weights that :func:`pack` copied."""
    # A copy, which the module may modify: weights may be a read-only memory map.
    weights, more = (
        {name: torch.tensor(array) for name, array in arrays.items()}
        for arrays in (packed.weights, packed.module_weights or {})
    )
    config = make_config(json.loads(packed.config))
    model = set_weights(type(shape_model(config)), config, weights)
    return Checkpoint(
        model.eval().requires_grad_(False),
        packed.make_tokenizer(),
        packed.architecture,
        is_fine_tuned=True,
        modules=make_modules(packed.architecture.modules, more),
    )
