"""Loading and verification of checkpoints.

A checkpoint with missing or unexpected weights raises an error. Remote code is never
run, and only safetensors in the folder itself are read, so that nothing is unpickled
and the digests cover every tensor.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from sklearn_bert._engine.checkpoints.architecture import (
    Architecture,
    read_architecture,
    shape_model,
)
from sklearn_bert._engine.checkpoints.config_files import has_code, read_config
from sklearn_bert._engine.checkpoints.files.checkpoint_files import CheckpointFiles
from sklearn_bert._engine.checkpoints.files.content import broken, reason
from sklearn_bert._engine.checkpoints.files.names import WEIGHTS
from sklearn_bert._engine.checkpoints.sentence_transformers.modules import (
    SentenceModules,
    load_modules,
)
from sklearn_bert._engine.checkpoints.sentence_transformers.sentence_config import (
    read_sentence_config,
)
from sklearn_bert._engine.checkpoints.tokenizer_files import read_tokenizer
from sklearn_bert._engine.checkpoints.weights import (
    check_headers,
    read_weights,
    remove_pooler,
    weight_files,
)
from sklearn_bert._engine.runtime.memory import raise_if_out_of_memory
from sklearn_bert._engine.text.lowercase import add_lowercase
from sklearn_bert._engine.text.tokenizer import TextTokenizer, is_panic
from sklearn_bert.exceptions import CheckpointError

# A vocabulary much smaller than the embedding matrix does not belong to the model. Some
# matrices are padded to a round number of rows.
_LEAST_COVERAGE = 0.9
# Rows of padded matrices are a multiple of this. It is required only of vocabularies
# without ids, one token per line: others show by their ids what is missing.
_PADDED_TO = 8


@dataclass(frozen=True)
class Checkpoint:
    """A verified encoder on the CPU in float32, and its tokenizer.

    Attributes
    ----------
    model : nn.Module
    tokenizer : TextTokenizer
    architecture : Architecture
    is_fine_tuned : bool
        Whether the weights were trained by an estimator of this package.
    modules : SentenceModules
        Those that the architecture names.
    """

    model: nn.Module
    tokenizer: TextTokenizer
    architecture: Architecture
    is_fine_tuned: bool = False
    modules: SentenceModules = field(default_factory=SentenceModules)


def load_checkpoint(files: CheckpointFiles) -> Checkpoint:
    """Load an encoder and its tokenizer and verify that they are complete.

    Parameters
    ----------
    files : CheckpointFiles

    Returns
    -------
    Checkpoint

    Raises
    ------
    CheckpointError
        If a file is missing or damaged, if tensors are missing, unexpected or of the
        wrong shape, or if the vocabulary does not match the embedding matrix.
    """
    architecture = read_architecture(files)
    model: Any = _load_model(files)
    # The weights fit config.json, so that the tokenizer which fits it belongs to them.
    tokenizer = load_tokenizer(files)
    modules = load_modules(files, architecture.modules)
    return Checkpoint(model, tokenizer, architecture, modules=modules)


@lru_cache(maxsize=4)
def load_tokenizer(files: CheckpointFiles) -> TextTokenizer:
    """Load the tokenizer of a checkpoint, and verify that it belongs to the model.

    Parameters
    ----------
    files : CheckpointFiles

    Returns
    -------
    TextTokenizer

    Raises
    ------
    CheckpointError
        If a file is missing or damaged, or if the size of the vocabulary differs from
        the configuration.
    """
    tokenizer = _load_tokenizer(files, read_architecture(files))
    _check_vocabulary(files, tokenizer, read_config(files).vocab_size)
    return tokenizer


def check_weight_files(files: CheckpointFiles) -> None:
    """Raise an error if weight files are missing or damaged, without reading them.

    Parameters
    ----------
    files : CheckpointFiles

    Raises
    ------
    CheckpointError
        If a weight file is missing, truncated or of another format.
    """
    modules = read_architecture(files).modules
    of_modules = [f"{one.folder}{WEIGHTS}" for one in modules if one.folder]
    for name in [*weight_files(files), *of_modules]:
        try:
            with safe_open(files.folder / name, "pt"):
                pass
        except (SafetensorError, OSError) as error:
            raise_if_out_of_memory(error)
            raise broken(
                files, f"has weights that cannot be read ({reason(error)})"
            ) from error


def _load_model(files: CheckpointFiles) -> nn.Module:
    check_weight_files(files)
    config = read_config(files)
    shapes = shape_model(config)
    check_headers(files, shapes)
    try:
        model, info = read_weights(type(shapes), files, config)
    except CheckpointError:
        raise
    except (RuntimeError, ValueError, SafetensorError, OSError) as error:
        raise_if_out_of_memory(error)
        raise _unfit(
            files, f"does not fit its config.json ({reason(error)})"
        ) from error
    _check_tensors(files, model, info)
    remove_pooler(model)
    for name, parameter in model.named_parameters():
        if not torch.isfinite(parameter).all():
            raise broken(files, f"has NaN or infinite values in {name}")
    return model.eval().requires_grad_(False)


def _check_tensors(files: CheckpointFiles, model: nn.Module, info: Any) -> None:
    """Raise an error if weights are missing, unexpected or of the wrong shape."""
    missing = sorted(key for key in info["missing_keys"] if "pooler" not in key)
    if missing:
        raise _unfit(files, f"lacks {len(missing)} tensors, {missing[0]} first")
    mismatched = sorted(str(key[0]) for key in info["mismatched_keys"])
    if mismatched:
        raise _unfit(
            files,
            f"has {len(mismatched)} tensors whose shapes do not match its "
            f"config.json, {mismatched[0]} first",
        )
    parts = {name for name, _ in model.named_children()} - {"pooler"}
    prefix = re.compile(rf"^({re.escape(getattr(model, 'base_model_prefix', ''))}\.)?")
    left_over = sorted(
        key
        for key in info["unexpected_keys"]
        if prefix.sub("", key).split(".")[0] in parts and "position_ids" not in key
    )
    if left_over:
        raise _unfit(
            files,
            f"has {len(left_over)} encoder tensors that are not in its config.json, "
            f"{left_over[0]} first",
        )


def _unfit(files: CheckpointFiles, what: str) -> CheckpointError:
    """Return the error about weights that are not those of the configuration."""
    if not has_code(files):
        return broken(files, what)
    return CheckpointError(
        f"The checkpoint of model {files.model!r} in {files.folder} {what}. Its "
        "config.json names code of its own, which is never run and may define another "
        "model. Choose an encoder without such code, or restore the folder."
    )


def _load_tokenizer(
    files: CheckpointFiles, architecture: Architecture
) -> TextTokenizer:
    own = read_tokenizer(files, read_config(files))
    if read_sentence_config(files).lowercase:
        add_lowercase(own)
    n_special = own.num_special_tokens_to_add(is_pair=True)
    if n_special >= architecture.max_positions:
        raise broken(
            files,
            f"has a tokenizer that adds {n_special} special tokens to a pair of texts, "
            f"and only {architecture.max_positions} positions",
        )
    try:
        return TextTokenizer(own, has_segments=architecture.has_segments)
    # Special tokens are found by tokenizing a text, which may fail in any way.
    except BaseException as error:
        if not isinstance(error, Exception) and not is_panic(error):
            raise
        raise_if_out_of_memory(error)
        raise broken(
            files, f"has a tokenizer that cannot tokenize ({reason(error)})"
        ) from error


def _check_vocabulary(
    files: CheckpointFiles, tokenizer: TextTokenizer, n_rows: int
) -> None:
    size = tokenizer.vocab_size
    fits = tokenizer.largest_id < n_rows and size >= _LEAST_COVERAGE * n_rows
    if "tokenizer.json" not in files.digests and "vocab.txt" in files.digests:
        # A line that is lost shifts the ids of those after it.
        fits = fits and (size == n_rows or n_rows % _PADDED_TO == 0)
    if not fits:
        raise broken(
            files,
            f"has a vocabulary of {size} tokens with ids up to "
            f"{tokenizer.largest_id}, which does not match its embedding matrix of "
            f"{n_rows} rows",
        )
