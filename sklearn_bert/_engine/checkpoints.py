"""From a checkpoint's files to a verified encoder. Imports transformers, alone.

It does so inside functions, because that import takes seconds and importing
sklearn_bert must not.

A checkpoint is refused before any work if it would run on random or dropped weights.
Remote code is never run, and only safetensors in the folder itself are read, so that
nothing is unpickled and every tensor is covered by the recorded digests.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from safetensors import SafetensorError
from tokenizers import Tokenizer
from torch import nn

from sklearn_bert._engine.locating import TOKENIZER_FILES, CheckpointFiles
from sklearn_bert._engine.tokenization import TextTokenizer
from sklearn_bert.exceptions import CheckpointError

_Digests = tuple[tuple[str, str], ...]
_DECODER_KINDS = ("is_encoder_decoder", "is_decoder")
# What a config.json is not to set: code to download, other formats of weights, other
# outputs than the ones read here. Keys with a leading underscore are transformers' own.
_IGNORED_KEYS = frozenset(
    {
        "attn_implementation",
        "auto_map",
        "chunk_size_feed_forward",
        "output_attentions",
        "output_hidden_states",
        "quantization_config",
        "return_dict",
        "torchscript",
        "trust_remote_code",
        "use_return_dict",
    }
)
# A tokenizer without a limit states a number as large as this.
_NO_LIMIT = 10**9
# A vocabulary far smaller than the embedding matrix is not the model's own. Some
# matrices are padded to a round number of rows.
_LEAST_COVERAGE = 0.9
_FEWEST_TOKENS = 3


@dataclass(frozen=True)
class Architecture:
    """What can be known of an encoder without its weights.

    Attributes
    ----------
    hidden_size, n_layers : int
    first_position : int
        Number of each sequence's first position; not 0 in models after RoBERTa.
    max_positions : int
        Longest sequence that the position table holds, in tokens.
    max_length : int
        Longest sequence that the checkpoint declares, in tokens.
    pooling : str or None
        What the checkpoint's sentence-transformers files declare; other names than
        "cls", "mean" and "max" are possible.
    has_segments : bool
        Whether the model tells the first text of a pair from the second.
    activation : str
        Name of the feed-forward activation.
    """

    hidden_size: int
    n_layers: int
    first_position: int
    max_positions: int
    max_length: int
    pooling: str | None
    has_segments: bool
    activation: str


@dataclass(frozen=True)
class Checkpoint:
    """A verified encoder on the CPU in float32, and its tokenizer."""

    model: nn.Module
    tokenizer: TextTokenizer
    architecture: Architecture


def register_attention(name: str, function: Any) -> None:
    """Make ``function`` an attention that transformers' models can be set to.

    A name without a mask function of its own gets no mask, which is what flat batches
    need.
    """

    from transformers import AttentionInterface

    AttentionInterface.register(name, function)


def read_architecture(files: CheckpointFiles) -> Architecture:
    """Read a checkpoint's shape from its configuration, without its weights."""
    return _read_architecture(files, tuple(files.digests.items()))


@lru_cache(maxsize=64)
def _read_architecture(files: CheckpointFiles, digests: _Digests) -> Architecture:
    config = _read_config(files)
    first_position, n_positions = _positions(files, config)
    limits = [n_positions]
    for name, key in (
        ("sentence_bert_config.json", "max_seq_length"),
        ("tokenizer_config.json", "model_max_length"),
    ):
        limit = _read_json(files, name).get(key)
        if isinstance(limit, int | float) and _FEWEST_TOKENS <= limit < _NO_LIMIT:
            limits.append(int(limit))
    return Architecture(
        hidden_size=config.hidden_size,
        n_layers=config.num_hidden_layers,
        first_position=first_position,
        max_positions=n_positions,
        max_length=min(limits),
        pooling=_declared_pooling(files),
        has_segments=getattr(config, "type_vocab_size", 0) > 1,
        activation=str(getattr(config, "hidden_act", "")),
    )


def load_checkpoint(files: CheckpointFiles) -> Checkpoint:
    """Load an encoder and its tokenizer and verify that they are whole.

    Parameters
    ----------
    files : CheckpointFiles

    Returns
    -------
    Checkpoint

    Raises
    ------
    CheckpointError
        If a file is missing or damaged, if tensors are missing, left over or of
        another shape than the configuration says, or if the vocabulary does not fit
        the embedding matrix.
    """
    architecture = read_architecture(files)
    model = _load_model(files)
    tokenizer = _load_tokenizer(files, architecture)
    _check_vocabulary(files, tokenizer, model)
    return Checkpoint(model, tokenizer, architecture)


def _broken(files: CheckpointFiles, what: str) -> CheckpointError:
    return CheckpointError(
        f"The checkpoint of model {files.model!r} in {files.folder} {what}. Restore "
        "the folder from its source, or give another model."
    )


def _reason(error: Exception) -> str:
    """Return an error's first line, or its name if it has none."""
    return str(error).strip().split("\n")[0] or type(error).__name__


def _read_json(files: CheckpointFiles, name: str) -> dict[str, Any]:
    """Return a JSON object's content; nothing if the file is not there."""
    path = files.folder / name
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise _broken(files, f"has a {name} that cannot be read ({error})") from error
    return content if isinstance(content, dict) else {}


def _declared_pooling(files: CheckpointFiles) -> str | None:
    """Return the name of the declared pooling, or several joined by "+"."""
    for name in (
        name for name in files.digests if name.endswith("_Pooling/config.json")
    ):
        content = _read_json(files, name)
        # Newer files hold one name instead of one switch per mode.
        if isinstance(content.get("pooling_mode"), str):
            return content["pooling_mode"]
        prefix = "pooling_mode_"
        modes = [
            key.removeprefix(prefix).removesuffix("_tokens").removesuffix("_token")
            for key, is_on in content.items()
            if key.startswith(prefix) and is_on
        ]
        return "+".join(modes) or None
    return None


def _read_config(files: CheckpointFiles) -> Any:

    from transformers import AutoConfig

    path = files.folder / "config.json"
    if not path.is_file():
        raise _broken(files, "has no config.json")
    try:
        content = _read_json(files, path.name)
        content = {
            key: value
            for key, value in content.items()
            if not key.startswith("_") and key not in _IGNORED_KEYS
        }
        config = AutoConfig.for_model(**content)
    # transformers checks each kind's values in its own way.
    except Exception as error:
        raise _broken(
            files, f"has a config.json that cannot be read ({_reason(error)})"
        ) from error
    if any(getattr(config, kind, False) for kind in _DECODER_KINDS):
        raise CheckpointError(
            "model must be an encoder such as BERT, RoBERTa or MiniLM. Got "
            f"{files.model!r}, a {config.model_type!r} model that decodes. Choose an "
            "encoder checkpoint."
        )
    return config


def _positions(files: CheckpointFiles, config: Any) -> tuple[int, int]:
    """Return the first position's number and how many positions there are."""
    from transformers import AutoModel

    try:
        # On the meta device a model has shapes and no weights.
        with _quietly(), torch.device("meta"):
            model = AutoModel.from_config(config)
    except Exception as error:
        raise _broken(
            files, f"has a config.json of no model ({_reason(error)})"
        ) from error
    table = getattr(getattr(model, "embeddings", None), "position_embeddings", None)
    if not isinstance(table, nn.Embedding):
        return 0, int(getattr(config, "max_position_embeddings", None) or 512)
    padding = table.padding_idx
    first = 0 if padding is None else padding + 1
    return first, table.num_embeddings - first


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep transformers' bars and reports off the screen and the generators as is."""

    from transformers.utils import logging as transformers_logging

    verbosity = transformers_logging.get_verbosity()
    had_bars = transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        # Heads that a checkpoint lacks would be drawn from the global generator.
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if had_bars:
            transformers_logging.enable_progress_bar()


def _load_model(files: CheckpointFiles) -> nn.Module:
    from transformers import AutoModel

    if not any(files.folder.glob("model*.safetensors")):
        raise _broken(
            files,
            "has no model.safetensors (other formats can run code and are not read)",
        )
    _check_shards(files)
    config = _read_config(files)
    try:
        with _quietly():
            model, info = AutoModel.from_pretrained(
                files.folder,
                config=config,
                dtype=torch.float32,
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=True,
                output_loading_info=True,
                # So that they are named in our own error.
                ignore_mismatched_sizes=True,
            )
    except (SafetensorError, OSError) as error:
        raise _broken(
            files, f"has weights that cannot be read ({_reason(error)})"
        ) from error
    except (RuntimeError, ValueError) as error:
        raise _broken(
            files, f"does not fit its config.json ({_reason(error)})"
        ) from error
    _check_tensors(files, model, info)
    if hasattr(model, "pooler"):
        # Only next-sentence prediction used it, and many checkpoints do not hold it.
        model.pooler = _NoPooler()
    for name, parameter in model.named_parameters():
        if not torch.isfinite(parameter).all():
            raise _broken(files, f"holds a NaN or an infinity in {name}")
    return model.eval().requires_grad_(False)


class _NoPooler(nn.Module):
    """Stands where some models call their pooler without asking whether it is there."""

    def forward(self, hidden: torch.Tensor, *args: Any) -> torch.Tensor:
        return hidden


def _check_shards(files: CheckpointFiles) -> None:
    """Refuse an index that leads out of the folder or to another format."""
    index = "model.safetensors.index.json"
    for shard in set(_read_json(files, index).get("weight_map", {}).values()):
        if not str(shard).endswith(".safetensors") or shard not in files.digests:
            raise _broken(
                files, f"has an index that names {shard!r}, no safetensors file in it"
            )


def _check_tensors(files: CheckpointFiles, model: nn.Module, info: Any) -> None:
    """Refuse weights that are missing, left over or of another shape."""
    missing = sorted(key for key in info["missing_keys"] if "pooler" not in key)
    if missing:
        raise _broken(files, f"lacks {len(missing)} tensors, {missing[0]} first")
    mismatched = sorted(str(key[0]) for key in info["mismatched_keys"])
    if mismatched:
        raise _broken(
            files,
            f"has {len(mismatched)} tensors of another shape than its config.json "
            f"says, {mismatched[0]} first",
        )
    parts = {name for name, _ in model.named_children()} - {"pooler"}
    prefix = re.compile(rf"^({re.escape(getattr(model, 'base_model_prefix', ''))}\.)?")
    left_over = sorted(
        key
        for key in info["unexpected_keys"]
        if prefix.sub("", key).split(".")[0] in parts and "position_ids" not in key
    )
    if left_over:
        raise _broken(
            files,
            f"holds {len(left_over)} encoder tensors that its config.json does not "
            f"know, {left_over[0]} first",
        )


def _load_tokenizer(
    files: CheckpointFiles, architecture: Architecture
) -> TextTokenizer:
    from transformers import AutoTokenizer

    if not any(any(files.folder.glob(name)) for name in TOKENIZER_FILES):
        raise _broken(files, f"has no tokenizer file ({', '.join(TOKENIZER_FILES)})")
    try:
        with _quietly():
            tokenizer = AutoTokenizer.from_pretrained(
                files.folder,
                config=_read_config(files),
                trust_remote_code=False,
                local_files_only=True,
            )
        # A copy: transformers reconfigures its own on every call.
        own = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    # The tokenizers package raises plain Exception for every damaged file.
    except Exception as error:
        raise _broken(
            files, f"has no fast tokenizer that can be read ({_reason(error)})"
        ) from error
    return TextTokenizer(own, has_segments=architecture.has_segments)


def _check_vocabulary(
    files: CheckpointFiles, tokenizer: TextTokenizer, model: Any
) -> None:
    n_rows = model.get_input_embeddings().weight.shape[0]
    fits = tokenizer.largest_id < n_rows
    if not fits or tokenizer.n_words < _LEAST_COVERAGE * n_rows:
        raise _broken(
            files,
            f"has a vocabulary of {tokenizer.n_words} tokens with ids up to "
            f"{tokenizer.largest_id}, which does not fit its embedding matrix of "
            f"{n_rows} rows",
        )
