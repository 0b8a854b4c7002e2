"""The tokenizer of a checkpoint, made from the hashed content of known files.

transformers reads whatever files tokenizer_config.json names. It is given a temporary
folder instead, with the files and the settings that are known here.
"""

import json
import tempfile
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from sklearn_bert._engine.checkpoints.files.checkpoint_files import CheckpointFiles
from sklearn_bert._engine.checkpoints.files.content import (
    broken,
    read_bytes,
    read_json,
    reason,
)
from sklearn_bert._engine.checkpoints.files.names import TOKENIZER_FILES
from sklearn_bert._engine.checkpoints.tokenizer_rules import (
    check_added_tokens,
    check_components,
    check_vocabulary,
)
from sklearn_bert._engine.runtime.memory import raise_if_out_of_memory
from sklearn_bert._engine.runtime.quiet import quietly
from sklearn_bert._engine.text.tokenizer import is_panic

_MERGES = "merges.txt"
# The settings of tokenizer_config.json that are used, in addition to named tokens.
# Others are paths, code, templates of conversations and options of other libraries.
_SETTINGS = frozenset(
    {
        "add_bos_token",
        "add_eos_token",
        "add_prefix_space",
        "added_tokens_decoder",
        "additional_special_tokens",
        "clean_up_tokenization_spaces",
        "do_basic_tokenize",
        "do_lower_case",
        "errors",
        "extra_special_tokens",
        "keep_accents",
        "legacy",
        "model_max_length",
        "never_split",
        "remove_space",
        "split_by_punct",
        "strip_accents",
        "tokenize_chinese_chars",
        "tokenizer_class",
        "trim_offsets",
        "unk_id",
        "vocab_type",
    }
)
_SPECIAL = frozenset({"additional_special_tokens", "extra_special_tokens"})
_SETTINGS_FILES = {
    "tokenizer_config.json": _SETTINGS,
    "special_tokens_map.json": _SPECIAL,
    # It contains only tokens and their ids.
    "added_tokens.json": None,
}


def read_tokenizer(files: CheckpointFiles, config: Any) -> Tokenizer:
    """Return the tokenizer of a checkpoint.

    Parameters
    ----------
    files : CheckpointFiles
    config : PreTrainedConfig
        The configuration of the checkpoint.

    Returns
    -------
    tokenizers.Tokenizer

    Raises
    ------
    CheckpointError
        If a file is missing, damaged or breaks the rules of `tokenizer_rules`.
    """
    from transformers import AutoTokenizer

    if not any(any(_matching(files, name)) for name in TOKENIZER_FILES):
        raise broken(files, f"has no tokenizer file ({', '.join(TOKENIZER_FILES)})")
    contents = _contents(files, config.vocab_size)
    try:
        with tempfile.TemporaryDirectory() as folder, quietly():
            for name, content in contents.items():
                Path(folder, name).write_bytes(content)
            tokenizer = AutoTokenizer.from_pretrained(
                folder, config=config, trust_remote_code=False, local_files_only=True
            )
            # A copy, because transformers reconfigures the tokenizer on every call.
            own = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    # The tokenizers package raises plain Exception for every damaged file, or panics.
    except BaseException as error:
        if not isinstance(error, Exception) and not is_panic(error):
            raise
        raise_if_out_of_memory(error)
        raise broken(
            files, f"has no fast tokenizer that can be read ({reason(error)})"
        ) from error
    _check_ids_of_added_tokens(files, own)
    return own


def _check_ids_of_added_tokens(files: CheckpointFiles, tokenizer: Tokenizer) -> None:
    """Refuse added tokens that the vocabulary lacks, or that have other ids in it.

    The tokenizers package would give them the ids of other words.
    """
    for token in _read(files, "tokenizer.json").get("added_tokens") or []:
        found = tokenizer.token_to_id(str(token.get("content")))
        if found != token["id"]:
            raise broken(
                files,
                f"has a tokenizer.json whose added token {token.get('content')!r} of "
                f"id {token['id']} has id {found} in its vocabulary",
            )


def _matching(files: CheckpointFiles, pattern: str) -> list[str]:
    """Return the names of files in the folder of the encoder."""
    names = [
        name.removeprefix(files.encoder)
        for name in files.digests
        if name.startswith(files.encoder)
    ]
    return [name for name in names if fnmatchcase(name, pattern) and "/" not in name]


def _contents(files: CheckpointFiles, n_rows: int) -> dict[str, bytes]:
    """Return the content of the temporary folder, by name."""
    contents: dict[str, Any] = {
        name: read_bytes(files, f"{files.encoder}{name}")
        for pattern in (*TOKENIZER_FILES, _MERGES)
        for name in _matching(files, pattern)
    }
    settings = {name: _read(files, name) for name in _SETTINGS_FILES}
    check_added_tokens(files, settings, n_rows)
    check_vocabulary(files, "vocab.json", _read(files, "vocab.json"))
    if "tokenizer.json" in contents:
        tokenizer = _read(files, "tokenizer.json")
        check_components(files, tokenizer, n_rows)
        if _drop_settings(tokenizer):
            contents["tokenizer.json"] = json.dumps(tokenizer).encode()
    for name, content in settings.items():
        if f"{files.encoder}{name}" in files.digests:
            contents[name] = json.dumps(content).encode()
    return contents


def _drop_settings(tokenizer: dict[str, Any]) -> bool:
    """Remove the settings of a tokenizer.json that are not used, if it has any."""
    model = tokenizer.get("model")
    # Padding and truncation are done here. A length in the file could be of any size.
    places = [(tokenizer, "padding"), (tokenizer, "truncation")]
    if isinstance(model, dict):
        # The dropout of BPE in training makes tokens, and so the features, random.
        places.append((model, "dropout"))
    used = [(place, key) for place, key in places if place.get(key)]
    for place, key in used:
        place[key] = None
    return bool(used)


def _read(files: CheckpointFiles, name: str) -> dict[str, Any]:
    """Return the known settings of a file of the tokenizer, or all of its content."""
    content = read_json(files, f"{files.encoder}{name}")
    known = _SETTINGS_FILES.get(name)
    if known is None:
        return content
    return {
        key: value
        for key, value in content.items()
        if key in known or key.endswith("_token")
    }
