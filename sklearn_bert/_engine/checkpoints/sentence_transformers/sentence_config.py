"""How sentence-transformers tokenizes texts for a checkpoint.

Its file next to the transformer has one of seven names, after the family of the first
models. What the file may contain has grown with the versions; a setting that would
change the tokens and that is not known here is refused rather than ignored. What it
says about the output of the transformer is read with the other declarations.
"""

from dataclasses import dataclass
from reprlib import repr as shorten
from typing import Any

from sklearn_bert._engine.checkpoints.files.checkpoint_files import CheckpointFiles
from sklearn_bert._engine.checkpoints.files.content import broken, read_json
from sklearn_bert._engine.checkpoints.files.names import SENTENCE_CONFIGS
from sklearn_bert.exceptions import CheckpointError

FEWEST_TOKENS = 3
_Content = dict[str, Any]
# The keys of the file, and the type of their values. None is as good as no value.
_TYPES: dict[str, type] = {
    "max_seq_length": int,
    "do_lower_case": bool,
    "processing_kwargs": dict,
    "processor_kwargs": dict,
    "tokenizer_args": dict,
    # The output of the transformer.
    "transformer_task": str,
    "modality_config": dict,
    "module_output_name": str,
    "model_kwargs": dict,
    "model_args": dict,
    "config_kwargs": dict,
    "config_args": dict,
    # Only for queries and documents, which are not told apart here, and for speed.
    "query_length": int,
    "document_length": int,
    "query_expansion": dict,
    "unpad_inputs": bool,
}
# Arguments of a tokenizer that change no tokens.
_HARMLESS = frozenset(
    {
        "cache_dir",
        "clean_up_tokenization_spaces",
        "local_files_only",
        "pad_to_multiple_of",
        "padding",
        "padding_side",
        "return_attention_mask",
        "return_tensors",
        "return_token_type_ids",
        "revision",
        "subfolder",
        "token",
        "trust_remote_code",
        "use_fast",
    }
)


@dataclass(frozen=True)
class SentenceConfig:
    """How texts are tokenized.

    Attributes
    ----------
    max_length : int or None
        Maximum number of tokens, which takes precedence over that of the tokenizer.
    lowercase : bool
        Whether texts are converted to lower case before the tokenizer's own steps.
    """

    max_length: int | None = None
    lowercase: bool = False


def read_sentence_config(files: CheckpointFiles) -> SentenceConfig:
    """Read how texts are tokenized.

    Parameters
    ----------
    files : CheckpointFiles

    Returns
    -------
    SentenceConfig

    Raises
    ------
    CheckpointError
        If a value is not of its type, or if a setting is not supported.
    """
    name, content = find_sentence_config(files)
    for key, value in content.items():
        if key not in _TYPES:
            raise _unsupported(files, name, key, value)
        _check_type(files, name, key, value, _TYPES[key])
    limit = content.get("max_seq_length")
    for part in ("tokenizer_args", "processor_kwargs"):
        limit = _read_arguments(files, name, part, content, "model_max_length", limit)
    processing = content.get("processing_kwargs", {})
    for part in ("common", "text"):
        _check_type(files, name, part, processing.get(part), dict)
        limit = _read_arguments(files, name, part, processing, "max_length", limit)
    if limit is not None and limit < FEWEST_TOKENS:
        raise broken(files, f"has a {name} that limits texts to {limit} tokens")
    return SentenceConfig(limit, content.get("do_lower_case", False))


def find_sentence_config(files: CheckpointFiles) -> tuple[str, _Content]:
    """Return the name of the file that counts, the first with content, and its content.

    Values of None are left out.
    """
    for name in SENTENCE_CONFIGS:
        name = f"{files.encoder}{name}"
        if content := read_json(files, name):
            known = {k: v for k, v in content.items() if v is not None}
            return name, known
    return f"{files.encoder}{SENTENCE_CONFIGS[0]}", {}


def _read_arguments(
    files: CheckpointFiles,
    name: str,
    part: str,
    content: _Content,
    key_of_limit: str,
    limit: int | None,
) -> int | None:
    """Return the limit that arguments of a tokenizer set, by default ``limit``."""
    given = content.get(part) or {}
    arguments = {key: value for key, value in given.items() if value is not None}
    for key, value in arguments.items():
        is_usual = key == "truncation" and value in (True, "longest_first")
        if key == key_of_limit:
            _check_type(files, name, f"{part}.{key}", value, int)
        elif key not in _HARMLESS and not is_usual:
            raise _unsupported(files, name, f"{part}.{key}", value)
    return arguments.get(key_of_limit, limit)


def _check_type(
    files: CheckpointFiles, name: str, key: str, value: Any, kind: type
) -> None:
    # In Python, but not in JSON, a bool is an int.
    if value is not None and type(value) is not kind:
        raise broken(
            files,
            f"has a {name} whose {key} must be of type {kind.__name__}, but is "
            f"{shorten(value)}",
        )


def _unsupported(
    files: CheckpointFiles, name: str, key: str, value: Any
) -> CheckpointError:
    return CheckpointError(
        f"The settings of a checkpoint in {name} must be known, since they may change "
        f"the tokens. Got {key}={shorten(value)} for model {files.model!r} in "
        f"{files.folder}. Remove it if the features do not depend on it, or give "
        "another model."
    )
