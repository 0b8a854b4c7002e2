"""Tokenizers that convert texts to lower case."""

import pytest
from tokenizers import Tokenizer, normalizers
from tokenizers.models import WordLevel
from tokenizers.normalizers import NFD, Lowercase, Replace, StripAccents

from sklearn_bert._engine.text.lowercase import add_lowercase

SEVERAL = [NFD(), StripAccents()]


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (None, "écol"),
        (NFD(), "e\u0301col"),
        (normalizers.Sequence(SEVERAL), "ecol"),
    ],
)
def test_a_tokenizer_converts_to_lower_case_first(before, expected):
    tokenizer = Tokenizer(WordLevel({}, "?"))
    if before is not None:
        tokenizer.normalizer = before
    add_lowercase(tokenizer)
    assert tokenizer.normalizer.normalize_str("ÉCOL") == expected


@pytest.mark.parametrize(
    "before", [Lowercase(), normalizers.Sequence([Replace("A", "x"), Lowercase()])]
)
def test_a_tokenizer_that_does_so_stays_as_it_is(before):
    tokenizer = Tokenizer(WordLevel({}, "?"))
    tokenizer.normalizer = before
    content = tokenizer.to_str()
    add_lowercase(tokenizer)
    assert tokenizer.to_str() == content
