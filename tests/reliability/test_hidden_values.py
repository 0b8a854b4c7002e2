"""With show_values=False no message contains anything of X, y or the weights."""

import re
import traceback
import warnings
from copy import copy

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse

from sklearn_bert import (
    BertClassifier,
    BertMaskedLM,
    BertRegressor,
    BertTokenClassifier,
    BertTokenizer,
    BertVectorizer,
    config_context,
    load,
)
from sklearn_bert._saving.reading import Reader
from sklearn_bert.metrics import entity_f1_score

SECRET = "s3cr3t"
# A number, and what it looks like as a float or in an array.
NUMBER = 731.9047
MARKER = re.compile(r"s3cr3t|731\.9|7319")
TEXTS = ["a good film", "the bad plot", "good music", "bad and dull"]
WORDS = [text.split() for text in TEXTS]
TAGS = [["B-x" if len(word) > 3 else "O" for word in words] for words in WORDS]
QUICK = {"n_epochs": 1, "random_state": 0, "dtype": "float32"}


class Loud:
    def __repr__(self):
        return SECRET


class Refuses:
    """A value whose conversion fails with a message that quotes it."""

    def __float__(self):
        raise ValueError(SECRET)

    __int__ = __index__ = __float__

    def __repr__(self):
        return SECRET


def as_objects(values):
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


BAD_X = {
    "a text": SECRET,
    "bytes": SECRET.encode(),
    "a number": NUMBER,
    "an object": Loud(),
    "a refusing object": Refuses(),
    "a mapping": {SECRET: [SECRET]},
    "a mapping of lists": {SECRET: [[SECRET]]},
    "a set": {SECRET},
    "numbers": [SECRET, NUMBER, "c", "d"],
    "texts of bytes": [SECRET.encode()] * 4,
    "refusing objects": [Refuses()] * 4,
    "loud objects": [SECRET, Loud(), "c", "d"],
    "dicts": [{SECRET: SECRET}] * 4,
    "deep lists": [[[SECRET]]] * 4,
    "text or pair": [SECRET, [SECRET, SECRET], "c", "d"],
    "widths": [[SECRET], [SECRET, SECRET], ["c"], ["d"]],
    "three columns": [[SECRET] * 3] * 4,
    "words and numbers": [[SECRET, NUMBER], ["c"], ["d"], ["e"]],
    "words and bytes": [[SECRET, SECRET.encode()], ["c"], ["d"], ["e"]],
    "arrays": np.full((4, 3), NUMBER),
    "complex": np.full((4, 1), NUMBER * 1j),
    "3d": np.full((2, 2, 2), SECRET),
    "structured": np.array([(SECRET, NUMBER)], dtype=[(SECRET, "U9"), ("b", float)]),
    "a frame": pd.DataFrame({SECRET: TEXTS, "b": 1, "c": 2}),
    "a renamed frame": pd.DataFrame({SECRET: TEXTS}),
    "a renamed pair": pd.DataFrame([[SECRET] * 2] * 4, columns=[SECRET, SECRET]),
    "a frame of numbers": pd.DataFrame({SECRET: [NUMBER] * 4}),
    "a polars frame": pl.DataFrame({SECRET: TEXTS, "b": TEXTS, "c": TEXTS}),
    "a lazy frame": pl.DataFrame({SECRET: TEXTS}).lazy(),
    "a missing text": [SECRET, None, SECRET, float("nan")],
    "sparse": sparse.csr_array(np.full((4, 2), NUMBER)),
    "ids": np.array([[NUMBER] * 6] * 4),
    "ids of texts": np.array([[SECRET] * 6] * 4),
    "lists of ids": [[SECRET, NUMBER, 1, 2, 3, 4]] * 4,
    "a lone surrogate": [SECRET + "\ud800", NUMBER, "c", "d"],
    "a generator": lambda: (x for x in [SECRET, NUMBER]),
}
BAD_Y = {
    "a text": SECRET,
    "bytes": SECRET.encode(),
    "a number": NUMBER,
    "a mapping": {SECRET: SECRET},
    "a set": {SECRET},
    "an object": Refuses(),
    "short": [SECRET, SECRET],
    "one class": [SECRET] * 4,
    "one class of numbers": [7319] * 4,
    "floats": [NUMBER, 1.5, 2.5, 3.5],
    "mixed": [SECRET, 7319, 7319, SECRET],
    "missing": [SECRET, None, SECRET, float("nan")],
    "bytes in it": [SECRET.encode(), b"b"] * 2,
    "objects": [Loud(), Refuses(), Loud(), Refuses()],
    "lists": [[SECRET]] * 4,
    "label lists": [[SECRET, "b"], ["b"], [], ["a"]],
    "sets": [{SECRET}, {"b"}, {SECRET}, {"b"}],
    "deep lists": [[[SECRET]]] * 4,
    "widths": [[NUMBER], [1.0, NUMBER], [2.0], [3.0]],
    "no indicators": [[7319, 2], [1, 1], [3, 4], [0, 1]],
    "huge": [10**30 + 7319, 1, 2, 3],
    "huge text": [f"{SECRET}e999", "1", "2", "3"],
    "dates": np.array(["2020-01-01", "2021-01-01"] * 2, dtype="datetime64[D]"),
    "sparse": sparse.csr_array([[7319], [1], [2], [3]]),
    "masked": np.ma.masked_equal([7319, 1, 2, 3], 1),
    "new labels": [SECRET, "b", "b", SECRET],
    "new numbers": [7319, 1, 7319, 1],
    "a column": [[SECRET], ["b"], [SECRET], ["b"]],
    "a frame": pd.DataFrame({SECRET: ["a", "b"] * 2, "c": ["a", "b"] * 2}),
    "tags": [[SECRET] * len(words) for words in WORDS],
    "texts of tags": [f"{SECRET} {SECRET}"] * 4,
    "mixed tags": [[SECRET, 7319, *["O"] * (len(words) - 2)] for words in WORDS],
    "huge tags": [[10**30 + 7319, 7319, 1][: len(words)] for words in WORDS],
    "inside first": [["I-" + SECRET] * len(words) for words in WORDS],
    "infinite": [NUMBER, float("inf"), 1.0, 2.0],
}
BAD_WEIGHTS = {
    "a text": SECRET,
    "texts": [SECRET, "1", "1", "1"],
    "objects": [Refuses()] * 4,
    "short": [NUMBER],
    "a column": [[NUMBER]] * 4,
    "negative": [-NUMBER, 1, 1, 1],
    "widths": [[NUMBER], [1, 2], [1], [1]],
    "dates": np.array(["2020-01-01"] * 4, dtype="datetime64[D]"),
    "a mapping": {SECRET: NUMBER},
}


@pytest.fixture(scope="module")
def estimators(tiny_bert):
    names = ["a", "b", "a", "b"]
    frame = pd.DataFrame({"text": TEXTS})
    bio = BertTokenClassifier(tiny_bert, constrain_tags="bio", **QUICK)
    counts = BertTokenizer(tiny_bert, output="counts")
    lm = BertMaskedLM(tiny_bert, max_steps=1, random_state=0)
    return {
        "BertVectorizer": BertVectorizer(tiny_bert).fit(frame),
        "BertClassifier": BertClassifier(tiny_bert, **QUICK).fit(frame, names),
        "BertRegressor": BertRegressor(tiny_bert, **QUICK).fit(frame, [0, 1, 2, 3]),
        "BertTokenClassifier": bio.fit(WORDS, TAGS),
        "BertTokenizer": BertTokenizer(tiny_bert, max_length=6).fit(frame),
        "BertTokenizer, counts": counts.fit(frame),
        "BertMaskedLM": lm.fit(TEXTS),
    }


NAMES = [
    "BertVectorizer",
    "BertClassifier",
    "BertRegressor",
    "BertTokenClassifier",
    "BertTokenizer",
    "BertTokenizer, counts",
    "BertMaskedLM",
]
TUNERS = NAMES[1:4]
OF_X = (
    "transform",
    "predict",
    "predict_proba",
    "decision_function",
    "inverse_transform",
    "tokenize",
    "split_words",
    "fill_mask",
    "perplexity",
    "get_feature_names_out",
)


def messages_of(call):
    """Return the messages of the warnings and of the chain of errors of a call."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = []
        try:
            call()
        # Every error is looked at.
        except Exception as error:
            found = list(traceback.TracebackException.from_exception(error).format())
            # The lines of the source are not messages, and quote this file.
            found = [line for line in found if not line.startswith("  File")]
            chain = error
            while chain is not None:
                found.append(str(chain))
                chain = chain.__cause__ or chain.__context__
    return [*found, *(str(one.message) for one in caught)]


def is_revealed(messages):
    return any(MARKER.search(message) for message in messages)


def calls_with_x(estimator, X):
    """Yield the calls of all methods, which cannot go wrong for another reason."""
    y = {"BertRegressor": [0.0, 1, 2, 3], "BertTokenClassifier": TAGS}.get(
        type(estimator).__name__, ["a", "b"] * 2
    )

    def new():
        return X() if callable(X) else X

    for method in OF_X:
        if hasattr(estimator, method):
            yield method, lambda method=method: getattr(estimator, method)(new())
    for method in ("fit", "partial_fit", "score"):
        if hasattr(estimator, method):
            own = copy(estimator)
            yield method, lambda own=own, method=method: getattr(own, method)(new(), y)


def calls_with_y(estimator, y):
    X = WORDS if isinstance(estimator, BertTokenClassifier) else TEXTS
    X = pd.DataFrame({"text": X}) if hasattr(estimator, "feature_names_in_") else X
    for method in ("fit", "partial_fit", "score"):
        if hasattr(estimator, method):
            own = copy(estimator)
            yield method, lambda own=own, method=method: getattr(own, method)(X, y)
    if isinstance(estimator, BertClassifier):
        own = BertClassifier(estimator.model, **QUICK)
        known = ["a", "b"]
        yield "classes", lambda: own.partial_fit(X, known * 2, classes=y)
        yield "other classes", lambda: estimator.partial_fit(X, known * 2, classes=y)
    if hasattr(estimator, "warm_start"):
        own = copy(estimator).set_params(warm_start=True)
        yield "warm start", lambda: own.fit(X, y)
    if hasattr(estimator, "class_weight") and isinstance(y, list):
        weights = {label: 1 for label in y if isinstance(label, str | int)}
        own = copy(estimator).set_params(class_weight=weights)
        good = TAGS if isinstance(estimator, BertTokenClassifier) else ["a", "b"] * 2
        yield "class_weight", lambda: own.fit(X, good)


def calls_with_weights(estimator, weights):
    X = WORDS if isinstance(estimator, BertTokenClassifier) else TEXTS
    X = pd.DataFrame({"text": X}) if hasattr(estimator, "feature_names_in_") else X
    y = {"BertRegressor": [0.0, 1, 2, 3], "BertTokenClassifier": TAGS}.get(
        type(estimator).__name__, ["a", "b"] * 2
    )
    own = copy(estimator)
    yield "fit", lambda: own.fit(X, y, sample_weight=weights)
    yield "score", lambda: own.score(X, y, sample_weight=weights)


def check_table(estimator, table, calls):
    """Check that nothing is revealed; return what is revealed by default."""
    leaks, by_default = [], set()
    for name, value in table.items():
        for method, call in calls(estimator, value):
            with config_context(show_values=False):
                hidden = messages_of(call)
            if is_revealed(hidden):
                leaks.append((name, method, hidden))
            # What raises no error and no warning now raises none by default.
            if hidden and is_revealed(messages_of(call)):
                by_default.add((name, method))
    assert leaks == []
    return by_default


@pytest.mark.parametrize("name", NAMES)
def test_no_message_reveals_x(estimators, name):
    revealed = check_table(estimators[name], BAD_X, calls_with_x)
    assert len({value for value, _ in revealed}) >= 6
    assert len(revealed) >= 12


@pytest.mark.parametrize("name", TUNERS)
def test_no_message_reveals_y(estimators, name):
    revealed = check_table(estimators[name], BAD_Y, calls_with_y)
    assert len({value for value, _ in revealed}) >= 8
    assert len(revealed) >= 16


@pytest.mark.parametrize("name", TUNERS)
def test_no_message_reveals_weights(estimators, name):
    revealed = check_table(estimators[name], BAD_WEIGHTS, calls_with_weights)
    assert len(revealed) >= 4


def refuse_labels(estimator, X, y):
    raise ValueError(f"not {sorted(set(y))}")


@pytest.mark.parametrize("scoring", ["f1", refuse_labels], ids=["name", "function"])
def test_a_failing_scorer_reveals_no_label(tiny_bert, scoring):
    classifier = BertClassifier(
        tiny_bert, early_stopping=True, scoring=scoring, **QUICK
    )

    def fit():
        classifier.fit(TEXTS * 3, [SECRET, "b"] * 6)

    assert is_revealed(messages_of(fit))
    with config_context(show_values=False):
        hidden = messages_of(fit)
    assert "scoring must be able to score" in str(hidden)
    assert not is_revealed(hidden)


def test_a_text_without_a_mask_is_not_revealed(estimators):
    fill = estimators["BertMaskedLM"].fill_mask
    for text in (f"{SECRET} without", f"{SECRET} [MASK] {'long ' * 200}"):
        assert is_revealed(messages_of(lambda text=text: fill([text])))
        with config_context(show_values=False):
            hidden = messages_of(lambda text=text: fill([text]))
        assert "mask" in str(hidden)
        assert not is_revealed(hidden)


def test_an_error_about_a_file_holds_nothing_of_the_file(tiny_bert, tmp_path):
    path = tmp_path / "texts.txt"
    path.write_bytes(f"{SECRET} \xe9".encode("latin-1"))
    with pytest.raises(ValueError, match="encoded in UTF-8") as caught:
        BertMaskedLM(tiny_bert).fit(path)
    # The error of Python has the bytes as an attribute.
    assert caught.value.__cause__ is caught.value.__context__ is None


def test_a_damaged_file_reveals_no_label(tiny_bert, tmp_path, monkeypatch):
    path = tmp_path / "classifier.safetensors"
    BertClassifier(tiny_bert, **QUICK).fit(TEXTS, [SECRET, "b"] * 2).save(path)

    def fail(self, node):
        raise ValueError(f"cannot read {SECRET}")

    monkeypatch.setattr(Reader, "read_all", fail)
    assert is_revealed(messages_of(lambda: load(path)))
    with config_context(show_values=False):
        hidden = messages_of(lambda: load(path))
    assert "content that cannot be read (ValueError)" in str(hidden)
    assert not is_revealed(hidden)


def test_a_metric_reveals_no_tag():
    pytest.importorskip("seqeval")
    odd = [[SECRET, "O"]]
    for y_true in (odd, [SECRET], SECRET, NUMBER, [NUMBER]):

        def score(y_true=y_true):
            entity_f1_score(y_true, [["O", "O"]])

        assert is_revealed(messages_of(score))
        with config_context(show_values=False):
            hidden = messages_of(score)
        assert hidden
        assert not is_revealed(hidden)
