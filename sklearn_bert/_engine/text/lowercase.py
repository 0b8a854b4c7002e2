"""Tokenizers that convert texts to lower case."""

from tokenizers import Tokenizer, normalizers
from tokenizers.normalizers import Lowercase, Normalizer


def add_lowercase(tokenizer: Tokenizer) -> None:
    """Let a tokenizer convert texts to lower case before its other steps.

    The step becomes a part of the tokenizer, and so of everything that is made of it.
    """
    steps = _steps(tokenizer.normalizer)
    if not any(isinstance(step, Lowercase) for step in steps):
        tokenizer.normalizer = normalizers.Sequence([Lowercase(), *steps])


def _steps(normalizer: Normalizer | None) -> list[Normalizer]:
    if normalizer is None:
        return []
    if isinstance(normalizer, normalizers.Sequence):
        return [normalizer[k] for k in range(len(normalizer))]
    return [normalizer]
