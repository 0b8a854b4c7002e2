"""From a checkpoint's files to a verified encoder. Imports transformers, alone.

It does so inside functions, because that import takes seconds and importing
sklearn_bert must not.

A checkpoint is refused before any work if it would run on random or dropped weights.
Remote code is never run, and only safetensors are read, so nothing is unpickled.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from tokenizers import Tokenizer
from torch import nn

from sklearn_bert._engine.locating import CheckpointFiles
from sklearn_bert._engine.pooling import POOLINGS
from sklearn_bert._engine.tokenization import TextTokenizer
from sklearn_bert.exceptions import CheckpointError

_TOKENIZER_FILES = ("tokenizer.json", "vocab.txt", "vocab.json", "*.model")
# What a config.json must not set: code to download, or (with a leading underscore)
# transformers' own state.
_KEYS_NAMING_CODE = frozenset({"auto_map", "attn_implementation", "trust_remote_code"})
_Digests = tuple[tuple[str, str], ...]
_DECODER_KINDS = ("is_encoder_decoder", "is_decoder")
# A tokenizer without a limit states a number as large as this.
_NO_LIMIT = 10**9
# A vocabulary far smaller than the embedding matrix is not the model's own.
_LEAST_COVERAGE = 0.5


@dataclass(frozen=True)
class Architecture:
    """What can be known of an encoder without its weights.

    Attributes
    ----------
    hidden_size, n_layers : int
    max_positions : int
        Longest sequence that the position table holds, in tokens.
    max_length : int
        Longest sequence that the checkpoint declares, in tokens.
    pooling : {"cls", "mean", "max"} or None
        What the checkpoint's sentence-transformers files declare.
    has_segments : bool
        Whether the model tells the first text of a pair from the second.
    activation : str
        Name of the feed-forward activation.
    """

    hidden_size: int
    n_layers: int
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
    first_position: int


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
    n_positions = _n_positions(config)
    declared = _read_json(files.folder / "sentence_bert_config.json")
    limits = [n_positions, declared.get("max_seq_length") or n_positions]
    tokenizer_config = _read_json(files.folder / "tokenizer_config.json")
    limit = tokenizer_config.get("model_max_length")
    if isinstance(limit, int | float) and limit < _NO_LIMIT:
        limits.append(int(limit))
    return Architecture(
        hidden_size=config.hidden_size,
        n_layers=config.num_hidden_layers,
        max_positions=n_positions,
        max_length=min(limits),
        pooling=_declared_pooling(files.folder),
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
    embeddings = getattr(model, "embeddings", None)
    table = getattr(embeddings, "position_embeddings", None)
    first_position = 0
    if getattr(table, "padding_idx", None) is not None:
        first_position = table.padding_idx + 1  # type: ignore[union-attr]
    return Checkpoint(model, tokenizer, architecture, first_position)


def _broken(files: CheckpointFiles, what: str) -> CheckpointError:
    return CheckpointError(
        f"The checkpoint of model {files.model!r} in {files.folder} {what}. Restore "
        "the folder from its source, or give another model."
    )


def _read_json(path: Path) -> dict[str, Any]:
    """Return a JSON object's content; nothing if the file is not there."""
    if not path.is_file():
        return {}
    content = json.loads(path.read_text(encoding="utf-8"))
    return content if isinstance(content, dict) else {}


def _declared_pooling(folder: Path) -> str | None:
    for path in sorted(folder.glob("*_Pooling/config.json")):
        content = _read_json(path)
        modes = {"cls": "cls_token", "mean": "mean_tokens", "max": "max_tokens"}
        for pooling in POOLINGS:
            if content.get(f"pooling_mode_{modes[pooling]}"):
                return pooling
        # Newer files hold one name instead of one switch per mode.
        if content.get("pooling_mode") in POOLINGS:
            return str(content["pooling_mode"])
    return None


def _read_config(files: CheckpointFiles) -> Any:

    from transformers import AutoConfig

    path = files.folder / "config.json"
    if not path.is_file():
        raise _broken(files, "has no config.json")
    try:
        content = _read_json(path)
        content = {
            key: value
            for key, value in content.items()
            if not key.startswith("_") and key not in _KEYS_NAMING_CODE
        }
        config = AutoConfig.for_model(**content)
    except (ValueError, KeyError, TypeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise _broken(files, f"has a config.json that cannot be read ({reason})") from (
            error
        )
    if any(getattr(config, kind, False) for kind in _DECODER_KINDS):
        raise CheckpointError(
            "model must be an encoder such as BERT, RoBERTa or MiniLM. Got "
            f"{files.model!r}, a {config.model_type!r} model that decodes. Choose an "
            "encoder checkpoint."
        )
    return config


def _n_positions(config: Any) -> int:
    n_positions = int(getattr(config, "max_position_embeddings", None) or 512)
    if config.model_type in _POSITIONS_AFTER_PADDING:
        n_positions -= (config.pad_token_id or 0) + 1
    return n_positions


# Kinds whose position table keeps rows for padding, after fairseq's RoBERTa.
_POSITIONS_AFTER_PADDING = frozenset(
    {"roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "mpnet", "longformer"}
)


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
            )
    except (SafetensorError, OSError) as error:
        raise _broken(files, f"has weights that cannot be read ({error})") from error
    except (RuntimeError, ValueError) as error:
        raise _broken(files, f"does not fit its config.json ({error})") from error
    _check_tensors(files, model, info)
    if hasattr(model, "pooler"):
        # Only next-sentence prediction used it, and many checkpoints do not hold it.
        model.pooler = None
    for name, parameter in model.named_parameters():
        if not torch.isfinite(parameter).all():
            raise _broken(files, f"holds a NaN or an infinity in {name}")
    return model.eval().requires_grad_(False)


def _check_tensors(files: CheckpointFiles, model: nn.Module, info: Any) -> None:
    """Refuse weights that are missing, left over or of another shape."""
    missing = sorted(key for key in info["missing_keys"] if "pooler" not in key)
    if missing:
        raise _broken(files, f"lacks {len(missing)} tensors, {missing[0]} first")
    mismatched = sorted(map(str, info["mismatched_keys"]))
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

    if not any(any(files.folder.glob(name)) for name in _TOKENIZER_FILES):
        raise _broken(files, f"has no tokenizer file ({', '.join(_TOKENIZER_FILES)})")
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
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise _broken(files, f"has a tokenizer that cannot be read ({reason})") from (
            error
        )
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
