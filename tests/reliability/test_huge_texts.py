"""A text of ten megabytes is read in about a second, whatever is in it."""

import time
import warnings

import pytest

from sklearn_bert import BertTokenizer
from sklearn_bert.exceptions import TruncationWarning

N_BYTES = 10_000_000
CONTENTS = {
    "a word with accents": "é",
    "a word of combining accents": "e\u0301",
    "a Cyrillic word": "слово",
    "Korean": "한",
    "emoji": "😀",
    "spaces": " ",
    "no-break spaces": "\u00a0",
    "accents alone": "\u0301",
    "invisible characters": "\u200d",
    "Cyrillic words": "слово и дело ",
}


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_a_huge_text_has_the_first_tokens_of_a_shorter_one(tiny_bert, content):
    tokenizer = BertTokenizer(tiny_bert, max_length=8)
    n_copies = N_BYTES // len(content.encode())
    # Short enough to be tokenized as a whole, and too long for words and for 8 tokens.
    short, long = (f"good {content * n} bad film" for n in (200, n_copies))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TruncationWarning)
        expected = tokenizer.fit_transform([short])
        start = time.monotonic()
        found = tokenizer.fit_transform([long])
    # Tokenizing all of it takes eight seconds or more.
    assert time.monotonic() - start < 5
    assert found.tolist() == expected.tolist()
