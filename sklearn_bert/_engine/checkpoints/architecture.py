"""The architecture of a checkpoint, read from its configuration.

transformers is imported inside functions, here as elsewhere, because that import takes
seconds and importing sklearn_bert must not.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import nn

from sklearn_bert._engine.checkpoints.config_files import read_config
from sklearn_bert._engine.checkpoints.files.checkpoint_files import CheckpointFiles
from sklearn_bert._engine.checkpoints.files.content import broken, read_json, reason
from sklearn_bert._engine.checkpoints.sentence_transformers.declaration import (
    read_declaration,
)
from sklearn_bert._engine.checkpoints.sentence_transformers.module_configs import (
    DeclaredModule,
)
from sklearn_bert._engine.checkpoints.sentence_transformers.prompts import (
    NO_PROMPTS,
    Prompts,
    read_prompts,
)
from sklearn_bert._engine.checkpoints.sentence_transformers.sentence_config import (
    FEWEST_TOKENS,
    read_sentence_config,
)
from sklearn_bert._engine.runtime.memory import raise_if_out_of_memory
from sklearn_bert._engine.runtime.quiet import quietly

_Digests = tuple[tuple[str, str], ...]
# Tokenizers without a limit declare a larger number.
_NO_LIMIT = 10**9


@dataclass(frozen=True)
class Architecture:
    """What is known about an encoder without its weights.

    Attributes
    ----------
    hidden_size, n_layers : int
    first_position : int
        Position id of the first token; not 0 in models derived from RoBERTa.
    max_positions : int
        Number of positions of the model.
    max_length : int
        Maximum number of tokens that the checkpoint declares.
    pooling : str or None
        The declared modes, joined by "+".
    has_segments : bool
        Whether the model has segment ids.
    activation : str
        Name of the feed-forward activation.
    prompts : Prompts
    include_prompt, modules, truncate_dim, refusal, layer_weights
        As declared, see :class:`Declaration`.
    """

    hidden_size: int
    n_layers: int
    first_position: int
    max_positions: int
    max_length: int
    pooling: str | None
    has_segments: bool
    activation: str
    prompts: Prompts = NO_PROMPTS
    include_prompt: bool = True
    modules: tuple[DeclaredModule, ...] = ()
    truncate_dim: int | None = None
    refusal: str | None = None
    layer_weights: tuple[float, ...] | None = None


def read_architecture(files: CheckpointFiles) -> Architecture:
    """Read the architecture of a checkpoint from its configuration."""
    return _read_architecture(files, tuple(files.digests.items()))


@lru_cache(maxsize=64)
def _read_architecture(files: CheckpointFiles, digests: _Digests) -> Architecture:
    config = read_config(files)
    first_position, n_positions = _positions(files, config)
    return Architecture(
        hidden_size=config.hidden_size,
        n_layers=config.num_hidden_layers,
        first_position=first_position,
        max_positions=n_positions,
        max_length=min(_declared_length(files), n_positions),
        has_segments=getattr(config, "type_vocab_size", 0) > 1,
        activation=str(getattr(config, "hidden_act", "")),
        prompts=read_prompts(files),
        **vars(read_declaration(files, config.hidden_size, config.num_hidden_layers)),
    )


def _declared_length(files: CheckpointFiles) -> int:
    """Return the maximum number of tokens, as in sentence-transformers."""
    limit = read_sentence_config(files).max_length
    if limit is not None:
        return limit
    name = f"{files.encoder}tokenizer_config.json"
    of_tokenizer = read_json(files, name).get("model_max_length")
    if isinstance(of_tokenizer, int | float) and of_tokenizer >= FEWEST_TOKENS:
        return int(min(of_tokenizer, _NO_LIMIT))
    return _NO_LIMIT


def _positions(files: CheckpointFiles, config: Any) -> tuple[int, int]:
    """Return the position id of the first token and the number of positions."""
    try:
        model = shape_model(config)
    # So does each model class on a configuration that it cannot build.
    except Exception as error:
        raise_if_out_of_memory(error)
        raise broken(
            files, f"has a config.json of no model ({reason(error)})"
        ) from error
    table = getattr(getattr(model, "embeddings", None), "position_embeddings", None)
    if not isinstance(table, nn.Embedding):
        return 0, int(getattr(config, "max_position_embeddings", None) or 512)
    padding = table.padding_idx
    first = 0 if padding is None else padding + 1
    return first, table.num_embeddings - first


def shape_model(config: Any) -> Any:
    """Return the model of a configuration on the meta device, without weights."""
    from transformers import AutoModel

    with quietly(), torch.device("meta"):
        return AutoModel.from_config(config)
