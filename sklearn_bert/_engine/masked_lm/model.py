"""Encoders with a masked language modeling head.

The head is the masked language model of transformers for the family. Its encoder is
replaced by a module that returns its input, which is the output of our own encoder.
The files of all families can thus be read and written, and the head is computed only
for masked tokens.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_bert._engine.checkpoints.architecture import (
    Architecture,
    quietly,
    shape_model,
)
from sklearn_bert._engine.checkpoints.config_files import make_config
from sklearn_bert._engine.checkpoints.load import Checkpoint
from sklearn_bert._engine.checkpoints.packed import (
    PackedCheckpoint,
    digest_of,
    pack,
    unpack,
)
from sklearn_bert._engine.checkpoints.weights import remove_pooler
from sklearn_bert._engine.text.tokenizer import TextTokenizer
from sklearn_bert.exceptions import CheckpointError


@dataclass(frozen=True)
class MaskedModel:
    """An encoder and its language modeling head, which share the embeddings."""

    checkpoint: Checkpoint
    head: "MaskedHead"


@dataclass(frozen=True, eq=False)
class PackedMaskedModel:
    """A masked language model as text and arrays, for pickles.

    Attributes
    ----------
    encoder : PackedCheckpoint
    head : dict of str to ndarray
        The weights that the head does not share with the encoder, by name.
    """

    encoder: PackedCheckpoint
    head: dict[str, np.ndarray]

    @property
    def digest(self) -> str:
        """SHA-256 of the digest of the encoder and the weights of the head."""
        return digest_of(self.encoder.digest, self.head)


class _IdentityEncoder(nn.Module):
    """Replaces the encoder and returns its input."""

    def __init__(self, embeddings: nn.Module | None) -> None:
        super().__init__()
        # Some heads look up the shared embeddings here. EuroBERT has none by this name.
        self.embeddings = embeddings

    def forward(self, *args: Any, inputs_embeds: Tensor, **kwargs: Any) -> Any:
        from transformers.modeling_outputs import BaseModelOutput

        return BaseModelOutput(last_hidden_state=inputs_embeds)


class MaskedHead(nn.Module):
    """Computes the scores of the vocabulary from hidden states.

    Parameters
    ----------
    whole : PreTrainedModel
        A masked language model of transformers, whose encoder is replaced.
    """

    def __init__(self, whole: Any) -> None:
        super().__init__()
        self.whole = whole
        encoder = getattr(whole, whole.base_model_prefix)
        shared = set(map(id, encoder.parameters()))
        identity = _IdentityEncoder(getattr(encoder, "embeddings", None))
        setattr(whole, whole.base_model_prefix, identity)
        # Names, since a copy has other parameters.
        self._own_names = {
            name
            for name, parameter in whole.named_parameters()
            if id(parameter) not in shared
        }

    def forward(self, states: Tensor) -> Tensor:
        """Return the scores: (m, hidden_size) to (m, n_tokens)."""
        return self.whole(inputs_embeds=states[None], return_dict=True).logits[0]

    def own_parameters(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Yield the parameters that are not shared with the encoder, by name."""
        for name, parameter in self.whole.named_parameters():
            if name in self._own_names:
                yield name, parameter


def make_masked_model(
    tokenizer: TextTokenizer,
    *,
    n_layers: int,
    hidden_size: int,
    n_heads: int,
    max_length: int,
    seed: int,
) -> MaskedModel:
    """Return a BERT model with random weights.

    Parameters
    ----------
    tokenizer : TextTokenizer
        A WordPiece tokenizer.
    n_layers, hidden_size, n_heads : int
    max_length : int
        Number of positions.
    seed : int
        Seed of the weights.

    Returns
    -------
    MaskedModel
    """
    config = make_config(
        {
            "model_type": "bert",
            "vocab_size": tokenizer.largest_id + 1,
            "hidden_size": hidden_size,
            "num_hidden_layers": n_layers,
            "num_attention_heads": n_heads,
            "intermediate_size": 4 * hidden_size,
            "max_position_embeddings": max_length,
            "pad_token_id": tokenizer.padding,
        }
    )
    architecture = Architecture(
        hidden_size=hidden_size,
        n_layers=n_layers,
        first_position=0,
        max_positions=max_length,
        max_length=max_length,
        # Pre-training does not train the state of [CLS].
        pooling="mean",
        has_segments=True,
        activation=config.hidden_act,
    )
    generator = torch.Generator().manual_seed(seed)
    shapes = shape_model(config)
    remove_pooler(shapes)
    weights = {
        name: _draw(name, tensor.shape, config, generator).numpy()
        for name, tensor in shapes.state_dict().items()
    }
    packed = PackedCheckpoint(
        config.to_json_string(use_diff=False),
        tokenizer.to_str(),
        architecture,
        weights,
        digest="",
    )
    checkpoint = unpack(packed)
    return join(checkpoint, make_whole_model(checkpoint), generator)


def shape_whole_model(config: Any) -> Any:
    """Return the masked language model of a family on the meta device."""
    from transformers import AutoModelForMaskedLM

    try:
        with quietly(), torch.device("meta"):
            return AutoModelForMaskedLM.from_config(config)
    except ValueError as error:
        raise CheckpointError(
            "model must belong to a family with a masked language model in "
            f"transformers. Got a {config.model_type!r} model. Choose an encoder such "
            "as BERT, RoBERTa or MiniLM."
        ) from error


def shape_head(config: Any) -> dict[str, Tensor]:
    """Return the parameters that a head has of its own, without their values."""
    whole = shape_whole_model(config)
    with quietly():
        whole.tie_weights()
    return dict(MaskedHead(whole).own_parameters())


def make_whole_model(checkpoint: Checkpoint) -> Any:
    """Return the masked language model of an encoder on the meta device."""
    model: Any = checkpoint.model
    return shape_whole_model(model.config)


def join(
    checkpoint: Checkpoint, whole: Any, generator: torch.Generator | None = None
) -> MaskedModel:
    """Put a verified encoder into a masked language model, sharing its embeddings.

    If a generator is given, the weights of the head are random.
    """
    with quietly():
        setattr(whole, whole.base_model_prefix, checkpoint.model)
        whole.tie_weights()
    head = MaskedHead(whole)
    if generator is not None:
        _allocate_weights(whole)
        draw_head(head, generator)
    return MaskedModel(checkpoint, head.eval().requires_grad_(False))


def _allocate_weights(whole: Any) -> None:
    """Replace tensors on the meta device with uninitialized tensors."""
    # Shared parameters must remain shared.
    made: dict[int, nn.Parameter] = {}
    for module in whole.modules():
        for name, parameter in list(module.named_parameters(recurse=False)):
            if parameter.is_meta:
                empty = torch.empty(parameter.shape, dtype=torch.float32)
                new = made.setdefault(id(parameter), nn.Parameter(empty))
                setattr(module, name, new)


@torch.no_grad()
def draw_head(head: MaskedHead, generator: torch.Generator) -> None:
    """Draw the weights of a head that are not shared with the encoder."""
    config = head.whole.config
    for name, parameter in head.own_parameters():
        parameter.copy_(_draw(name, parameter.shape, config, generator))


def _draw(
    name: str, shape: torch.Size, config: Any, generator: torch.Generator
) -> Tensor:
    """Initialize a tensor as in BERT: small random weights, biases 0, norms 1."""
    if len(shape) < 2:
        return torch.zeros(shape) if name.endswith("bias") else torch.ones(shape)
    scale = float(getattr(config, "initializer_range", 0.02))
    return torch.randn(shape, generator=generator) * scale


def pack_masked_model(model: MaskedModel) -> PackedMaskedModel:
    """Copy a masked language model into text and arrays."""
    head = {
        name: parameter.detach().to("cpu", copy=True).numpy()
        for name, parameter in model.head.own_parameters()
    }
    return PackedMaskedModel(pack(model.checkpoint), head)


def unpack_masked_model(packed: PackedMaskedModel) -> MaskedModel:
    """Return a masked language model with packed weights."""
    checkpoint = unpack(packed.encoder)
    model = join(checkpoint, make_whole_model(checkpoint), torch.Generator())
    own = dict(model.head.own_parameters())
    with torch.no_grad():
        for name, array in packed.head.items():
            own[name].copy_(torch.tensor(array))
    return model
