"""The names of the files that are read from a checkpoint, and which it lacks."""

import json
import os
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path

from sklearn_bert._engine.checkpoints.files.disk import read_file
from sklearn_bert._engine.checkpoints.files.module_list import (
    MODULES,
    ListedModule,
    files_of_modules,
    folder_of_encoder,
    list_modules,
)

# The names of the sentence-transformers file next to the transformer. The first that
# has content counts.
SENTENCE_CONFIGS = (
    "sentence_bert_config.json",
    "sentence_roberta_config.json",
    "sentence_distilbert_config.json",
    "sentence_camembert_config.json",
    "sentence_albert_config.json",
    "sentence_xlm-roberta_config.json",
    "sentence_xlnet_config.json",
)
# The sentence-transformers file with the prompts.
PROMPTS = "config_sentence_transformers.json"
# The files that are read, and so the only ones that are downloaded besides those of the
# modules after the encoder: of the folder of the encoder, and of the whole checkpoint.
PATTERNS = (
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "*.model",
    "model*.safetensors",
    "model.safetensors.index.json",
    *SENTENCE_CONFIGS,
)
OF_THE_WHOLE = (MODULES, PROMPTS)

# The sentence-transformers files with the declarations of a checkpoint.
DECLARATIONS = (*OF_THE_WHOLE, "sentence_bert_config.json")
WEIGHTS = "model.safetensors"
# The model card, of which only the license is read, for the card of another model.
README = "README.md"
# Weights that are not read, only converted.
PICKLES = "pytorch_model*.bin"
WEIGHTS_INDEX = "model.safetensors.index.json"
TOKENIZER_FILES = ("tokenizer.json", "vocab.txt", "vocab.json", "*.model")


def names_of_files(folder: Path, modules: tuple[ListedModule, ...]) -> list[str]:
    """Return the relative paths of the files that are read."""
    encoder = folder_of_encoder(modules)
    names = [*OF_THE_WHOLE, *files_of_modules(modules)]
    names = [name for name in names if os.path.lexists(folder / name)]
    names += [f"{encoder}{name}" for name in files_of_encoder(folder / encoder)]
    return sorted(set(names))


def files_of_encoder(place: Path) -> list[str]:
    names = os.listdir(place) if place.is_dir() else []
    return [name for name in names if _is_read(name)]


@lru_cache
def _is_read(name: str) -> bool:
    # Every call of transform looks at every file.
    return any(fnmatchcase(name, pattern) for pattern in PATTERNS)


def files_without_weights(folder: Path) -> list[str]:
    """Return the files that are read, except for weights that are also pickles."""
    return [
        name
        for name in names_of_files(folder, list_modules(folder))
        if "safetensors" not in name or not any((folder / name).parent.glob(PICKLES))
    ]


def find_lacking(folder: Path, modules: tuple[ListedModule, ...]) -> list[str]:
    """Return what a snapshot lacks, of which a download may have been interrupted."""
    place = folder / folder_of_encoder(modules)
    there = files_of_encoder(place)
    lacking = [name for name in there if not (place / name).exists()]
    if not any(any(place.glob(name)) for name in TOKENIZER_FILES):
        lacking.append("a fast tokenizer")
    if WEIGHTS not in there:
        shards = _shards(place)
        lacking += [name for name in shards if not (place / name).exists()]
        if not shards:
            has_shards = any(place.glob("model-*.safetensors"))
            lacking.append(WEIGHTS_INDEX if has_shards else WEIGHTS)
    return sorted(set(lacking))


def _shards(place: Path) -> list[str]:
    """Return the files of weights that the index names; none without a valid index."""
    try:
        index = json.loads(read_file(place, WEIGHTS_INDEX))
        return sorted(set(map(str, index["weight_map"].values())))
    except (ValueError, LookupError, AttributeError, TypeError, RecursionError):
        return []
