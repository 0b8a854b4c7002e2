"""A tokenizer.json that gives the ids that an ONNX graph reads."""

import json
from pathlib import Path

from tokenizers import Tokenizer

from sklearn_bert._engine.text.special_tokens import CONTROL_NAMES, find_control
from sklearn_bert._engine.text.tokenizer import TextTokenizer


def write_tokenizer_file(tokenizer: TextTokenizer, path: Path, max_length: int) -> None:
    """Write a tokenizer.json that truncates and pads, as ``transform`` reads texts.

    Parameters
    ----------
    tokenizer : TextTokenizer
    path : pathlib.Path
    max_length : int
        Maximum number of tokens per sequence, including special tokens.
    """
    own = Tokenizer.from_str(_without_controls(tokenizer.to_str()))
    own.enable_truncation(max_length, strategy="longest_first")
    # Without a padding token, any id will do: it is masked.
    padding = 0 if tokenizer.padding is None else tokenizer.padding
    token = find_control(own, CONTROL_NAMES["pad_token"]) or "[PAD]"
    own.enable_padding(direction="right", pad_id=padding, pad_token=token)
    path.write_text(own.to_str(), encoding="utf-8")


def _without_controls(content: str) -> str:
    """Return a tokenizer.json that reads "[SEP]" in a text as any other word.

    A file cannot hold the setting ``encode_special_tokens``. Without the list of
    special tokens no text is searched for them, while they are still added around
    texts.
    """
    changed = json.loads(content)
    added = changed["added_tokens"]
    kept = [token for token in added if not token["special"]]
    changed["added_tokens"] = kept
    own = Tokenizer.from_str(json.dumps(changed))
    ids = [own.token_to_id(token["content"]) for token in kept]
    # Added tokens outside the vocabulary are numbered in their order.
    return own.to_str() if ids == [token["id"] for token in kept] else content
