"""BertTokenizer: transformers' ids in one array, and texts back from it."""

import pickle
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_bert import BertTokenizer
from sklearn_bert.exceptions import (
    CheckpointError,
    InputError,
    TruncationWarning,
)

PAIRS = [("a good film", "it was not dull"), ("the plot", ""), ("", "a")]


@pytest.fixture(scope="module")
def theirs(tiny_bert):
    """Transformers' own tokenizer of the tiny BERT."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(tiny_bert)


@pytest.fixture(scope="module")
def roberta(save_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizers") / "roberta"
    return save_model(folder, "roberta", pad_token_id=1, type_vocab_size=1)


@pytest.mark.parametrize("kind", ["texts", "pairs"])
def test_ids_masks_and_segments_are_transformers(tiny_bert, theirs, texts, kind):
    X = texts if kind == "texts" else PAIRS
    tokenizer = BertTokenizer(tiny_bert, return_mask=True, return_segments=True)
    blocks = np.hsplit(tokenizer.fit_transform(X), 3)
    columns = [texts] if kind == "texts" else [list(x) for x in zip(*X, strict=True)]
    expected = theirs(*columns, padding=True, return_tensors="np")
    names = ("input_ids", "attention_mask", "token_type_ids")
    for block, name in zip(blocks, names, strict=True):
        np.testing.assert_array_equal(block, expected[name])
        assert block.dtype == np.int64


def test_none_takes_the_longest_text_of_fit(tiny_bert):
    tokenizer = BertTokenizer(tiny_bert).fit(["a film", "a good film", ""])
    assert tokenizer.max_length_ == 5
    assert tokenizer.transform(["a"]).shape == (1, 5)


def test_none_stays_within_the_models_limit(tiny_bert):
    with pytest.warns(TruncationWarning, match=r"1 of 2 texts .*max_length=64"):
        tokenizer = BertTokenizer(tiny_bert).fit(["film " * 100, "a"])
    assert (tokenizer.max_length_, tokenizer.n_truncated_) == (64, 1)


def test_longer_texts_than_those_of_fit_are_cut_with_a_warning(tiny_bert, theirs):
    tokenizer = BertTokenizer(tiny_bert).fit(["a film"])
    with pytest.warns(TruncationWarning, match="1 of 1 texts"):
        ids = tokenizer.transform(["a good film"])
    assert theirs.convert_ids_to_tokens(ids[0]) == ["[CLS]", "a", "good", "[SEP]"]


def test_head_tail_keeps_both_ends(tiny_bert):
    tokenizer = BertTokenizer(tiny_bert, max_length=6, long_text="head_tail")
    with pytest.warns(TruncationWarning):
        ids = tokenizer.fit_transform(["one two three who what when where why"])
    assert tokenizer.inverse_transform(ids)[0] == "one when where why"


def test_a_max_length_beyond_the_model_is_refused(tiny_bert):
    with pytest.raises(ValueError, match="max_length must be at most 64"):
        BertTokenizer(tiny_bert, max_length=65).fit(["a"])


@pytest.mark.parametrize("vocab_size", [None, 40])
def test_pairs_need_room_for_both(tiny_bert, vocab_size):
    tokenizer = BertTokenizer(tiny_bert, max_length=5, vocab_size=vocab_size)
    with pytest.raises(ValueError, match="max_length must be at least 6 for pairs"):
        tokenizer.fit(PAIRS)


def test_ids_turn_back_into_texts(tiny_bert, texts):
    tokenizer = BertTokenizer(tiny_bert, return_mask=True)
    back = tokenizer.inverse_transform(tokenizer.fit_transform(texts))
    assert back.tolist() == texts


@pytest.mark.parametrize("model", ["tiny_bert", "roberta"])
def test_ids_turn_back_into_pairs(model, request):
    tokenizer = BertTokenizer(request.getfixturevalue(model))
    back = tokenizer.inverse_transform(tokenizer.fit_transform(PAIRS))
    assert [tuple(row) for row in back] == PAIRS


def test_ids_in_a_frame_turn_back_into_texts(tiny_bert):
    tokenizer = BertTokenizer(tiny_bert).set_output(transform="pandas")
    frame = tokenizer.fit_transform(["a good film", "dull"])
    assert list(frame.columns) == ["id0", "id1", "id2", "id3", "id4"]
    assert tokenizer.inverse_transform(frame).tolist() == ["a good film", "dull"]


@pytest.mark.parametrize("value", [-1, 10**6, 0.5, np.nan])
def test_numbers_that_are_not_ids_are_refused(tiny_bert, value):
    tokenizer = BertTokenizer(tiny_bert).fit(["a"])
    with pytest.raises(ValueError, match=r"X must contain token ids|contains NaN"):
        tokenizer.inverse_transform([[2, value, 3]])


@pytest.mark.parametrize("output", ["ids", "counts"])
@pytest.mark.parametrize(
    ("X", "words"),
    [
        (None, "Got None (NoneType). Pass the output of transform."),
        (5, "Got 5 (int). Pass the output of transform."),
        ("abc", "Got 'abc' (str). Pass the output of transform."),
        ({"a": 1}, "Got {'a': 1} (dict)"),
        ([], "Got [] (list). Pass the output of transform."),
        ([2, 3], "Got [2, 3] (list). Pass the output of transform, or [X] if X is one"),
        (np.array([2, 3]), "Got the shape (2,). Pass the output of transform, or [X]"),
        ([[2, 3], [4]], "Got [[2, 3], [4]] (list)"),
        ([[2, 3], 4], "Got [[2, 3], 4] (list)"),
        (np.zeros((1, 2, 3)), "Got the shape (1, 2, 3)"),
        (pd.DataFrame(), "Got the shape (0, 0)"),
        ((row for row in [[2, 3]]), "(generator)"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_not_a_table_cannot_be_turned_back(tiny_bert, output, X, words):
    tokenizer = BertTokenizer(tiny_bert, output=output).fit(["a"])
    with pytest.raises(InputError, match=re.escape(words)):
        tokenizer.inverse_transform(X)


def test_other_columns_than_those_of_transform_are_refused(tiny_bert):
    tokenizer = BertTokenizer(tiny_bert, return_mask=True).fit(["a"])
    with pytest.raises(InputError, match="X must have 6 columns"):
        tokenizer.inverse_transform([[2, 3, 3]])
    counts = BertTokenizer(tiny_bert, output="counts").fit(["a"])
    with pytest.raises(InputError, match="columns, as the output of transform"):
        counts.inverse_transform([[2, 3, 3]])


@pytest.mark.parametrize("vocab_size", [None, 60])
def test_special_tokens_in_a_text_are_data(tiny_bert, vocab_size):
    texts = ["[SEP] a [PAD] film [CLS]", "[MASK] it <pad>", "a [UNK] b"]
    tokenizer = BertTokenizer(tiny_bert, vocab_size=vocab_size)
    ids = tokenizer.fit_transform(texts)
    names = ("[PAD]", "[CLS]", "[SEP]", "[MASK]")
    controls = [tokenizer.vocabulary_[name] for name in names]
    for row in ids:
        inside = row[row != controls[0]][1:-1]
        assert not np.isin(inside, controls).any()


def test_tokens_are_word_pieces_of_all_of_the_text(tiny_bert):
    tokenizer = BertTokenizer(tiny_bert, max_length=3)
    with pytest.warns(TruncationWarning):
        tokenizer.fit(["a film"])
    assert tokenizer.tokenize(["a films [SEP]", ""]) == [
        "a film ##s [ s ##e ##p ]".split(),
        [],
    ]


def test_tokens_of_pairs_are_pairs(tiny_bert):
    tokenizer = BertTokenizer(tiny_bert).fit(PAIRS)
    assert tokenizer.tokenize(PAIRS[1:2]) == [(["the", "plot"], [])]


def test_feature_names_tell_the_blocks_apart(tiny_bert):
    tokenizer = BertTokenizer(tiny_bert, return_mask=True, return_segments=True)
    names = tokenizer.fit(["a"]).get_feature_names_out()
    assert names.tolist() == [
        f"{block}{k}" for block in ("id", "mask", "segment") for k in range(3)
    ]


def test_segments_are_refused_where_the_model_has_none(roberta):
    with pytest.raises(ValueError, match="return_segments must be False for model"):
        BertTokenizer(roberta, return_segments=True).fit(PAIRS)


# --- a learned vocabulary --------------------------------------------------------


def test_a_vocabulary_is_learned_from_the_texts(texts):
    tokenizer = BertTokenizer(vocab_size=120).fit(texts)
    assert len(tokenizer.vocabulary_) <= 120
    assert {"good", "film"} <= set(tokenizer.vocabulary_)
    assert tokenizer.checkpoint_ is None
    back = tokenizer.inverse_transform(tokenizer.transform(texts))
    assert back.tolist() == texts


def test_a_small_vocabulary_is_as_small_as_asked_for(texts):
    for vocab_size in (8, 20, 55):
        tokenizer = BertTokenizer(vocab_size=vocab_size).fit(texts)
        assert len(tokenizer.vocabulary_) <= vocab_size


def test_a_learned_vocabulary_is_the_same_in_any_order(texts):
    first = BertTokenizer(vocab_size=100).fit(texts)
    second = BertTokenizer(vocab_size=100).fit(texts[::-1])
    assert first.vocabulary_ == second.vocabulary_


def test_case_is_kept_where_asked_for():
    kept = BertTokenizer(vocab_size=60, lowercase=False).fit(["Straße Übung"])
    folded = BertTokenizer(vocab_size=60).fit(["Straße Übung"])
    assert kept.inverse_transform(kept.transform(["Übung"])).tolist() == ["Übung"]
    assert folded.inverse_transform(folded.transform(["Übung"])).tolist() == ["ubung"]


def test_a_learned_vocabulary_reads_pairs():
    tokenizer = BertTokenizer(vocab_size=80, return_segments=True)
    ids, segments = np.hsplit(tokenizer.fit_transform(PAIRS), 2)
    assert [
        tuple(row) for row in tokenizer.inverse_transform(np.hstack([ids, segments]))
    ] == PAIRS
    separator = tokenizer.vocabulary_["[SEP]"]
    for row, segment in zip(ids, segments, strict=True):
        first, last = np.flatnonzero(row == separator)
        assert segment.tolist() == [int(first < k <= last) for k in range(len(row))]


# --- counts ----------------------------------------------------------------------


def test_counts_are_those_of_count_vectorizer(tiny_bert, texts):
    counts = BertTokenizer(tiny_bert, output="counts").fit(texts)
    pieces = dict(zip(texts, counts.tokenize(texts), strict=True))
    words = CountVectorizer(analyzer=pieces.__getitem__)
    expected = words.fit_transform(texts)
    found = counts.transform(texts)
    assert type(found) is type(expected)
    columns = [counts.vocabulary_[word] for word in words.get_feature_names_out()]
    np.testing.assert_array_equal(found[:, columns].toarray(), expected.toarray())
    assert found.sum() == expected.sum()


def test_counts_read_all_of_a_text_unless_told_otherwise(tiny_bert):
    counts = BertTokenizer(tiny_bert, output="counts")
    assert counts.fit_transform(["film " * 500]).sum() == 500
    assert counts.max_length_ is None
    with pytest.warns(TruncationWarning):
        cut = counts.set_params(max_length=12).fit_transform(["film " * 500])
    assert cut.sum() == 10


def test_columns_of_counts_are_named_by_their_tokens(tiny_bert):
    counts = BertTokenizer(tiny_bert, output="counts")
    row = counts.fit_transform(["good good film"]).toarray()[0]
    names = counts.get_feature_names_out()
    assert {name: row[k] for k, name in enumerate(names) if row[k]} == {
        "good": 2,
        "film": 1,
    }
    (tokens,) = counts.inverse_transform(row[None])
    assert sorted(tokens) == ["film", "good"]


def test_counts_of_pairs_are_those_of_both_texts(tiny_bert):
    pairs = BertTokenizer(tiny_bert, output="counts").fit_transform(PAIRS)
    joined = [" ".join(pair) for pair in PAIRS]
    texts = BertTokenizer(tiny_bert, output="counts").fit_transform(joined)
    assert (pairs != texts).nnz == 0


def test_counts_stand_in_for_count_vectorizer(tiny_bert, texts):
    labels = ["film" in text for text in texts]
    pipeline = make_pipeline(
        BertTokenizer(tiny_bert, output="counts"), LogisticRegression(C=100)
    )
    assert pipeline.fit(texts, labels).score(texts, labels) == 1


def test_counts_have_no_blocks(tiny_bert):
    with pytest.raises(ValueError, match="with output='counts'"):
        BertTokenizer(tiny_bert, output="counts", return_mask=True).fit(["a"])


# --- the contract ----------------------------------------------------------------


def test_a_pickle_needs_no_checkpoint(own_bert, texts):
    tokenizer = BertTokenizer(own_bert).fit(texts)
    expected = tokenizer.transform(texts)
    saved = pickle.dumps(tokenizer)
    shutil.rmtree(own_bert)
    again = pickle.loads(saved)
    np.testing.assert_array_equal(again.transform(texts), expected)
    assert again.inverse_transform(expected).tolist() == texts
    tricky = ["[SEP] a"]
    np.testing.assert_array_equal(again.transform(tricky), tokenizer.transform(tricky))


def test_another_fit_forgets_the_first(tiny_bert, texts):
    tokenizer = BertTokenizer(tiny_bert).fit(PAIRS)
    tokenizer.set_params(vocab_size=90).fit(texts)
    fresh = BertTokenizer(tiny_bert, vocab_size=90).fit(texts)
    assert {k: v for k, v in vars(tokenizer).items() if k != "_tokenizer"} == {
        k: v for k, v in vars(fresh).items() if k != "_tokenizer"
    }


def test_fit_changes_no_parameter(tiny_bert, texts):
    tokenizer = BertTokenizer(tiny_bert, vocab_size=90)
    before = tokenizer.get_params()
    tokenizer.fit(texts)
    assert tokenizer.get_params() == before
    assert clone(tokenizer).get_params() == before


def test_transform_wants_a_fit(tiny_bert):
    with pytest.raises(ValueError, match="not fitted yet"):
        BertTokenizer(tiny_bert).transform(["a"])


def test_a_failed_fit_leaves_nothing(tiny_bert):
    tokenizer = BertTokenizer(tiny_bert)
    with pytest.raises(InputError):
        tokenizer.fit(["a", None])
    assert vars(tokenizer) == vars(BertTokenizer(tiny_bert))


def test_other_columns_than_those_of_fit_are_refused(tiny_bert):
    tokenizer = BertTokenizer(tiny_bert).fit(["a"])
    with pytest.raises(InputError, match="is expecting 1 features"):
        tokenizer.transform(PAIRS)


def test_it_takes_the_column_of_a_frame(tiny_bert):
    frame = pd.DataFrame({"text": ["a film", "dull"], "n": [1, 2]})
    columns = make_column_transformer(
        (BertTokenizer(tiny_bert), "text"), ("passthrough", ["n"])
    )
    assert columns.fit_transform(frame).shape == (2, 5)
    assert columns.get_feature_names_out()[0] == "berttokenizer__id0"


@pytest.mark.parametrize(
    "wrong",
    [
        {"vocab_size": 7},
        {"long_text": "window"},
        {"output": "tokens"},
        {"max_length": 2},
        {"lowercase": "yes"},
    ],
)
def test_wrong_parameters_are_told_in_scikit_learns_words(tiny_bert, wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f"The '{name}' parameter of BertTokenizer"):
        BertTokenizer(tiny_bert, **wrong).fit(["a"])


def test_a_vocabulary_that_is_not_the_models_is_refused(own_bert):
    path = own_bert / "tokenizer.json"
    path.unlink()
    (own_bert / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n")
    with pytest.raises(CheckpointError, match="a vocabulary of 5 tokens"):
        BertTokenizer(own_bert).fit(["a"])


def test_ids_after_a_fit_for_counts_need_another_fit(tiny_bert):
    tokenizer = BertTokenizer(tiny_bert, output="counts").fit(["a film"])
    tokenizer.set_params(output="ids")
    for call in (
        lambda: tokenizer.transform(["a film"]),
        lambda: tokenizer.inverse_transform([[1, 2]]),
        tokenizer.get_feature_names_out,
    ):
        with pytest.raises(ValueError, match="output must be 'counts', as in fit"):
            call()
    assert tokenizer.fit(["a film"]).transform(["a film"]).shape == (1, 4)


def test_blocks_that_are_set_after_fit_are_checked(tiny_bert, roberta):
    counting = BertTokenizer(tiny_bert, output="counts").fit(["a film"])
    with pytest.raises(ValueError, match="must be False with output='counts'"):
        counting.set_params(return_mask=True).transform(["a film"])
    whole = BertTokenizer(roberta).fit(["a film"])
    with pytest.raises(ValueError, match="return_segments must be False for model"):
        whole.set_params(return_segments=True).transform(["a film"])


def test_pairs_without_any_room_are_cut_with_a_warning(tiny_bert):
    tokenizer = BertTokenizer(tiny_bert).fit([("", "")])
    assert tokenizer.max_length_ == 3
    with pytest.warns(TruncationWarning, match="1 of 2 texts"):
        tokenizer.transform([("good film", "bad plot"), ("", "")])


@pytest.mark.parametrize("value", ["a", None, [1]])
def test_what_is_not_a_number_is_not_an_id(tiny_bert, value):
    tokenizer = BertTokenizer(tiny_bert).fit(["a film"])
    ids = np.full((1, 4), 1, dtype=object)
    assert tokenizer.inverse_transform(ids).shape == (1,)
    ids[0, 2] = value
    with pytest.raises(InputError, match="X must contain token ids, which are numbers"):
        tokenizer.inverse_transform(ids)
