"""A tokenizer.json that gives the ids that an ONNX graph reads."""

import json
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from sklearn_bert._engine.text.special_tokens import CONTROL_NAMES, find_control
from sklearn_bert._engine.text.tokenizer import TextTokenizer

# Unicode reserves it for use inside programs: it is never a part of a text.
NONCHARACTER = "\ufdd0"


def write_tokenizer_file(tokenizer: TextTokenizer, path: Path, max_length: int) -> None:
    """Write a tokenizer.json that truncates and pads, as ``transform`` reads texts.

    Parameters
    ----------
    tokenizer : TextTokenizer
    path : pathlib.Path
    max_length : int
        Maximum number of tokens per sequence, including special tokens.
    """
    content = tokenizer.to_str()
    own = Tokenizer.from_str(_without_controls(content))
    own.enable_truncation(max_length, strategy="longest_first")
    # Without a padding token, any id will do: it is masked.
    padding = 0 if tokenizer.padding is None else tokenizer.padding
    names = CONTROL_NAMES["pad_token"]
    token = find_control(Tokenizer.from_str(content), names) or "[PAD]"
    own.enable_padding(direction="right", pad_id=padding, pad_token=token)
    path.write_text(own.to_str(), encoding="utf-8")


def _without_controls(content: str) -> str:
    """Return a tokenizer.json that reads "[SEP]" in a text as any other word.

    A file cannot hold the setting ``encode_special_tokens``. Without the list of
    special tokens no text is searched for them, while they are still added around
    texts.
    """
    changed = json.loads(content)
    vocabulary = Tokenizer.from_str(content).get_vocab(with_added_tokens=False)
    words = [token["id"] for token in changed["added_tokens"] if not token["special"]]
    last = max(words, default=-1)
    kept = []
    for token in changed["added_tokens"]:
        if not token["special"]:
            kept.append(token)
        elif token["content"] not in vocabulary and token["id"] < last:
            kept.append(_hide(token))
    changed["added_tokens"] = kept
    return json.dumps(changed)


def _hide(token: dict[str, Any]) -> dict[str, Any]:
    """Return a token that keeps its id, under a name that no text contains.

    Added tokens outside the vocabulary are numbered in their order. Without a special
    token the words that follow it would get other ids.
    """
    return {
        **token,
        "content": NONCHARACTER + token["content"],
        "special": False,
        "normalized": False,
    }
