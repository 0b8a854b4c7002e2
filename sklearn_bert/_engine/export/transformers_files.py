"""Models and tokenizers in the files of transformers."""

import json
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from torch import nn

from sklearn_bert._engine.checkpoints.architecture import shape_model
from sklearn_bert._engine.runtime.quiet import quietly
from sklearn_bert._engine.text.special_tokens import CONTROL_NAMES, find_control
from sklearn_bert._engine.text.tokenizer import TextTokenizer


def write_model(model: Any, folder: Path, *, with_all_layers: bool = False) -> None:
    """Write a model of transformers.

    Parameters
    ----------
    model : PreTrainedModel
    folder : pathlib.Path
    with_all_layers : bool
        Whether the model shall return the states of all layers, which modules of
        sentence-transformers need that average layers.
    """
    with quietly():
        if with_all_layers:
            model.config.output_hidden_states = True
        model.save_pretrained(folder)


def add_pooler(model: Any) -> None:
    """Give an encoder the pooler of its class, which returns zeros.

    No estimator uses it, and it is removed when a checkpoint is loaded. Without it,
    transformers would warn, and draw random weights for it.

    Parameters
    ----------
    model : PreTrainedModel
    """
    pooler = getattr(shape_model(model.config), "pooler", None)
    if pooler is None:
        return
    pooler.to_empty(device="cpu")
    for weight in pooler.parameters():
        nn.init.zeros_(weight)
    model.pooler = pooler


def write_tokenizer(
    tokenizer: TextTokenizer,
    folder: Path,
    max_length: int | None,
    *,
    reads_masks: bool = False,
) -> None:
    """Write a tokenizer that ``AutoTokenizer`` reads.

    Parameters
    ----------
    tokenizer : TextTokenizer
    folder : pathlib.Path
    max_length : int or None
        Maximum number of tokens per sequence; None without a limit.
    reads_masks : bool
        Whether special tokens in a text have their meaning, as "[MASK]" must have for a
        masked language model. Otherwise they are text.
    """
    from transformers import PreTrainedTokenizerFast

    own = Tokenizer.from_str(tokenizer.to_str())
    controls = {
        kind: name
        for kind, names in CONTROL_NAMES.items()
        if (name := find_control(own, names)) is not None
    }
    inputs = ["input_ids", "attention_mask"]
    if tokenizer.has_segments:
        inputs.insert(1, "token_type_ids")
    limit = {} if max_length is None else {"model_max_length": max_length}
    with quietly():
        PreTrainedTokenizerFast(
            tokenizer_object=own,
            model_input_names=inputs,
            split_special_tokens=not reads_masks,
            **limit,
            **controls,
        ).save_pretrained(folder)
    _name_class(folder / "tokenizer_config.json")


def _name_class(path: Path) -> None:
    """Name a class that the versions of transformers before 5 have too."""
    content = json.loads(path.read_text(encoding="utf-8"))
    content["tokenizer_class"] = "PreTrainedTokenizerFast"
    write_json(path, content)


def write_json(path: Path, content: Any) -> None:
    """Write a value as indented JSON."""
    path.write_text(json.dumps(content, indent=2), encoding="utf-8")
