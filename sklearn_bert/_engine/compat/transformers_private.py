"""Private names of transformers."""

from typing import Any


def attention_of(model: Any) -> str:
    """Return the name of the attention that a model of transformers' is set to.

    Without the private name, the one that every model has.
    """
    return getattr(model.config, "_attn_implementation", None) or "eager"
