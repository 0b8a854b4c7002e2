"""Model folders of masked language models."""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from sklearn_bert._engine.checkpoints.architecture import Architecture, quietly
from sklearn_bert._engine.checkpoints.locate import PROMPTS
from sklearn_bert._engine.checkpoints.prompts import NO_PROMPTS
from sklearn_bert._engine.masked_lm.model import PackedMaskedModel, unpack_masked_model
from sklearn_bert._engine.text.special_tokens import CONTROL_NAMES, find_control


def save_masked_model(packed: PackedMaskedModel, folder: Path) -> None:
    """Write a folder that transformers and every estimator of this package can read.

    A temporary folder is written and renamed, so that the result is complete or absent.
    An existing folder, which may be a mount point, is filled instead. config.json,
    without which it is not a model, comes last.

    Parameters
    ----------
    packed : PackedMaskedModel
    folder : pathlib.Path
        Must not exist, or be empty.
    """
    exists = folder.exists()
    place = folder if exists else folder.parent
    place.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=place))
    try:
        _write(packed, new)
        if exists:
            parts = sorted(new.iterdir(), key=lambda path: path.name == "config.json")
            for path in parts:
                path.rename(folder / path.name)
            new.rmdir()
        else:
            new.chmod(0o755)
            new.rename(folder)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise


def _write(packed: PackedMaskedModel, folder: Path) -> None:
    from transformers import PreTrainedTokenizerFast

    model = unpack_masked_model(packed)
    whole = model.head.whole
    architecture = packed.encoder.architecture
    own = Tokenizer.from_str(packed.encoder.tokenizer)
    controls = {
        kind: name
        for kind, names in CONTROL_NAMES.items()
        if (name := find_control(own, names)) is not None
    }
    inputs = ["input_ids", "attention_mask"]
    if architecture.has_segments:
        inputs.insert(1, "token_type_ids")
    with quietly():
        setattr(whole, whole.base_model_prefix, model.checkpoint.model)
        whole.save_pretrained(folder)
        PreTrainedTokenizerFast(
            tokenizer_object=own,
            model_max_length=architecture.max_length,
            model_input_names=inputs,
            **controls,
        ).save_pretrained(folder)
    if architecture.prompts != NO_PROMPTS:
        _write_json(folder / PROMPTS, architecture.prompts.to_json())
    if architecture.pooling is not None:
        _write_declarations(architecture.pooling, architecture, folder)


def _write_declarations(pooling: str, architecture: Architecture, folder: Path) -> None:
    """Declare a pooling as sentence-transformers does."""
    package, pooler = "sentence_transformers.models", "1_Pooling"
    declared = pooling.split("+")
    keys = {
        "cls": "pooling_mode_cls_token",
        "mean": "pooling_mode_mean_tokens",
        "max": "pooling_mode_max_tokens",
    }
    contents: dict[str, Any] = {
        "modules.json": [
            {"idx": k, "name": str(k), "path": path, "type": f"{package}.{kind}"}
            for k, (path, kind) in enumerate([("", "Transformer"), (pooler, "Pooling")])
        ],
        f"{pooler}/config.json": {
            "word_embedding_dimension": architecture.hidden_size,
            **{key: name in declared for name, key in keys.items()},
            "include_prompt": architecture.include_prompt,
        },
        "sentence_bert_config.json": {"max_seq_length": architecture.max_length},
    }
    (folder / pooler).mkdir()
    for name, content in contents.items():
        _write_json(folder / name, content)


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2), encoding="utf-8")
