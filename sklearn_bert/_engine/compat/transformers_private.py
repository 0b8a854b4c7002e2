"""Private names of transformers."""

from typing import Any


def attention_of(model: Any) -> str:
    """Return the name of the attention implementation of a transformers model.

    Without the private name, return the one that every model has.
    """
    return getattr(model.config, "_attn_implementation", None) or "eager"
