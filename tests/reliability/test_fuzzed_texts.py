"""Any text has the tokens of transformers and finite features, each word one tag."""

import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sklearn_bert import BertTokenClassifier, BertTokenizer, BertVectorizer
from sklearn_bert.exceptions import TextRepairWarning, TruncationWarning

LENGTH = 64
# What tokenizers treat specially: control tokens, marks, other cases and widths, gaps.
PIECES = (
    "[SEP] [CLS] [MASK] [PAD] [UNK] ##a <s> </s> 's -- ... film good "
    "e\u0301 \u0301 ﬁ İ ß Ǆ "
    "한 字 ก\u0e33 😀 👩\u200d🚀 \u200d \u00ad \ufeff \ufffd \u202e"
).split()
PIECES += [
    " ",
    "  ",
    "\t",
    "\r\n",
    "\u00a0",
    "\u2028",
    "\u3000",
    "\x00",
    "\x1c",
    "a" * 101,
]
JOINED = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=40)
TEXTS = st.text(max_size=80) | JOINED.map("".join)
WORDS = st.lists(st.sampled_from(PIECES) | st.text(max_size=12), max_size=12)


def fuzz(n_examples, strategy, check):
    """Call a function with examples, the same ones in each run."""
    decorate = settings(
        max_examples=n_examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    decorate(given(strategy)(check))()


@pytest.fixture(autouse=True)
def without_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TruncationWarning)
        warnings.simplefilter("ignore", TextRepairWarning)
        yield


def test_the_tokens_are_those_of_transformers(tiny_bert, tally):
    from transformers import AutoTokenizer

    tokenizer = BertTokenizer(tiny_bert, max_length=LENGTH).fit([""])
    reference = AutoTokenizer.from_pretrained(tiny_bert)

    def check(texts):
        found = tokenizer.transform(texts).tolist()
        expected = reference(
            texts, truncation=True, max_length=LENGTH, split_special_tokens=True
        )["input_ids"]
        for ids, own in zip(expected, found, strict=True):
            with tally.case("fuzzed texts: tokens"):
                assert own[: len(ids)] == ids
                assert {*own[len(ids) :]} <= {reference.pad_token_id}

    fuzz(tally.count(ci=50, soak=2000), st.lists(TEXTS, min_size=1, max_size=9), check)


def test_lone_surrogates_become_the_replacement_character(tiny_bert, tally):
    tokenizer = BertTokenizer(tiny_bert, max_length=LENGTH).fit([""])
    surrogates = st.text(st.characters(categories=["Cs", "Ll", "Zs"]), max_size=20)

    def check(text):
        with tally.case("fuzzed texts: lone surrogates"):
            repaired = "".join(
                "\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text
            )
            np.testing.assert_array_equal(
                tokenizer.transform([text]), tokenizer.transform([repaired])
            )

    fuzz(tally.count(ci=50, soak=1000), surrogates, check)


def test_features_are_finite_and_independent_of_other_texts(tiny_bert, tally):
    vectorizer = BertVectorizer(tiny_bert, dtype="float64")

    def check(texts):
        with tally.case("fuzzed texts: features"):
            together = vectorizer.transform(texts)
            assert np.isfinite(together).all()
            alone = np.vstack([vectorizer.transform([text]) for text in texts])
            np.testing.assert_allclose(alone, together, rtol=1e-9, atol=1e-12)

    fuzz(tally.count(ci=30, soak=1000), st.lists(TEXTS, min_size=1, max_size=5), check)


def test_words_are_tagged_one_for_one(tiny_bert, tally):
    sentences = [["a", "good", "film"], ["it", "was", "bad"]]
    tags = [["A", "B", "C"]] * 2
    tagger = BertTokenClassifier(
        tiny_bert, n_epochs=1, random_state=0, dtype="float64"
    ).fit(sentences, tags)

    def check(found):
        with tally.case("fuzzed words: tags"):
            predicted = tagger.predict(found)
            assert [*map(len, predicted)] == [*map(len, found)]
            scores = tagger.decision_function(found)
            assert [x.shape for x in scores] == [(len(words), 3) for words in found]
            assert all(np.isfinite(x).all() for x in scores)
            last = tagger.decision_function(found[-1:])[0]
            np.testing.assert_allclose(last, scores[-1], rtol=1e-9, atol=1e-12)

    fuzz(tally.count(ci=30, soak=4500), st.lists(WORDS, min_size=1, max_size=4), check)
