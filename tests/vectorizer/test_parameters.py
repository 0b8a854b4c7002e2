"""Parameters that are refused, or taken from the checkpoint."""

import numpy as np
import pytest
import torch
from sklearn.exceptions import NotFittedError

from sklearn_bert import BertVectorizer
from sklearn_bert.exceptions import CheckpointError


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"pooling": "sum"}, "The 'pooling' parameter of BertVectorizer must be"),
        ({"truncate_dim": True}, r"'truncate_dim' parameter .* Got True instead"),
        ({"batch_size": True}, r"'batch_size' parameter .* Got True instead"),
        ({"batch_size": 0}, "The 'batch_size' parameter of BertVectorizer must be"),
        ({"long_text": "cut"}, "The 'long_text' parameter of BertVectorizer must"),
        ({"dtype": "int8"}, "The 'dtype' parameter of BertVectorizer must be"),
        ({"normalize": "yes"}, "The 'normalize' parameter of BertVectorizer must"),
        ({"model": None}, "The 'model' parameter of BertVectorizer must be"),
        ({"layers": 4}, r"from -4 to 3\. Got 4\. Use 0 for the embeddings, 1 to 3"),
        ({"layers": -5}, r"from -4 to 3\. Got -5\. Use 0 for"),
        ({"layers": []}, r"at least one int.*Got \[\]\. Use .* -1 for the last layer"),
        ({"layers": [1, "2"]}, r"Got \[1, '2'\]\."),
        ({"layers": [True]}, r"Got \[True\]\."),
        ({"max_length": 65}, "max_length must be at most 64.*Got 65. Lower it"),
        ({"max_length": 2}, "The 'max_length' parameter of BertVectorizer must be"),
        ({"device": "gpu"}, "device must be 'auto' or a PyTorch device.*Got 'gpu'"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "fit_transform", "transform"])
def test_bad_parameters_are_refused(vectorizer, params, message, method):
    vectorizer.set_params(**params)
    with pytest.raises(ValueError, match=message):
        getattr(vectorizer, method)(["good"])


def test_pairs_need_room_for_their_special_tokens(tiny_bert):
    vectorizer = BertVectorizer(tiny_bert, max_length=5)
    with pytest.raises(ValueError, match="max_length must be at least 6 for pairs"):
        vectorizer.transform([("good", "bad")])


def test_auto_pooling_takes_what_the_checkpoint_declares(own_bert, declare, texts):
    declare(own_bert, {"pooling_mode_max_tokens": True})
    vectorizer = BertVectorizer(own_bert).fit(texts)
    assert vectorizer.pooling_ == "max"


@pytest.fixture
def declares_means(own_bert, declare):
    declare(own_bert, {"pooling_mode_mean_tokens": True})
    return own_bert


def test_auto_pooling_compares_pairs_where_means_are_declared(declares_means):
    vectorizer = BertVectorizer(declares_means)
    assert len(vectorizer.get_feature_names_out()) == 32
    features = vectorizer.fit_transform([("a film", "a plot"), ("good", "bad")])
    assert vectorizer.pooling_ == "compare"
    assert features.shape == (2, len(vectorizer.get_feature_names_out())) == (2, 128)
    assert vectorizer.fit(["a film"]).pooling_ == "mean"
    assert len(vectorizer.get_feature_names_out()) == 32


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_pairs_have_names_after_a_fit(declares_means, container):
    pairs = [("a film", "a plot"), ("good", "bad")]
    vectorizer = BertVectorizer(declares_means).set_output(transform=container)
    assert list(vectorizer.transform(["a film"]).columns)[-1] == "bertvectorizer31"
    with pytest.raises(NotFittedError, match="Got pairs and set_output"):
        vectorizer.transform(pairs)
    named = vectorizer.fit(pairs).transform(pairs)
    assert list(named.columns)[-1] == "bertvectorizer127"


@pytest.mark.parametrize("method", ["fit", "transform"])
def test_single_texts_cannot_be_compared(tiny_bert, method):
    vectorizer = BertVectorizer(tiny_bert, pooling="compare")
    with pytest.raises(ValueError, match="pooling='compare' requires pairs of texts"):
        getattr(vectorizer, method)(["good", "bad"])


def test_what_cannot_be_compared_can_be_displayed(vectorizer, texts):
    vectorizer.fit(texts).set_params(pooling="compare")
    assert len(vectorizer.get_feature_names_out()) == 128
    assert "BertVectorizer" in vectorizer._repr_html_()


def test_auto_pooling_takes_cls_where_nothing_is_declared(vectorizer, texts):
    assert vectorizer.fit(texts).pooling_ == "cls"


def test_auto_pooling_refuses_what_it_cannot_do(own_bert, declare, texts):
    declare(own_bert, {"pooling_mode": "median"})
    with pytest.raises(CheckpointError, match=r"Got the pooling mode 'median'\. Set"):
        BertVectorizer(own_bert).fit(texts)
    assert BertVectorizer(own_bert, pooling="mean").fit(texts).pooling_ == "mean"


@pytest.fixture
def projected(own_bert, declare):
    """The tiny BERT with means, a Dense of 8 features and a Normalize."""
    weights = {"linear.weight": torch.rand(8, 32), "linear.bias": torch.rand(8)}
    sizes = {"in_features": 32, "out_features": 8}
    dense = ("Dense", sizes, weights)
    declare(own_bert, {"pooling_mode": ["mean"]}, dense, ("Normalize", {}, {}))
    return own_bert


def test_names_follow_the_modules_that_apply(projected, texts):
    vectorizer = BertVectorizer(projected).set_output(transform="pandas")
    assert vectorizer.transform(texts).shape == (40, 8)
    with pytest.raises(NotFittedError, match="Got pairs and set_output"):
        vectorizer.transform([("good", "bad")])
    for changes, n_features in (
        ({}, 8),
        ({"truncate_dim": 3}, 3),
        ({"truncate_dim": None, "pooling": "max"}, 32),
        ({"layers": [0, 1]}, 64),
    ):
        vectorizer.fit(texts).set_params(**changes)
        columns = list(vectorizer.transform(texts).columns)
        assert columns == list(vectorizer.get_feature_names_out())
        assert len(columns) == n_features


def test_normalize_auto_is_what_the_checkpoint_declares(projected, texts):
    vectorizer = BertVectorizer(projected).fit(texts)
    plain = vectorizer.transform(texts)
    lengths = np.linalg.norm(plain, axis=1, keepdims=True)
    for normalize in ("auto", True):
        scaled = vectorizer.set_params(normalize=normalize).transform(texts)
        np.testing.assert_allclose(scaled, plain / lengths, atol=1e-6)
    vectorizer.set_params(normalize="auto", pooling="max")
    assert np.linalg.norm(vectorizer.transform(texts), axis=1).min() > 1.1


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"truncate_dim": 0}, "The 'truncate_dim' parameter of BertVectorizer must"),
        ({"truncate_dim": 9}, "at most 8, the number of features. Got 9"),
        ({"truncate_dim": 4, "layers": [0, 1]}, "truncate_dim must be None if"),
    ],
)
def test_a_dimension_that_there_is_not_is_refused(projected, texts, changes, match):
    with pytest.raises(ValueError, match=match):
        BertVectorizer(projected, **changes).fit(texts)


def test_max_length_takes_what_the_checkpoint_declares(own_bert, texts):
    (own_bert / "sentence_bert_config.json").write_text('{"max_seq_length": 40}')
    assert BertVectorizer(own_bert).fit(texts).max_length_ == 40


def test_verbose_shows_a_bar_and_silence_is_the_default(vectorizer, texts, capsys):
    vectorizer.transform(texts)
    assert capsys.readouterr() == ("", "")
    vectorizer.set_params(verbose=1).transform(texts)
    assert "text/s" in capsys.readouterr().err


def test_parameters_set_during_a_call_take_effect_after_it(tiny_bert, texts):
    vectorizer = BertVectorizer(tiny_bert)
    expected = vectorizer.transform(texts)

    class Meddling(list):
        def __iter__(self):
            vectorizer.set_params(normalize=True)
            return super().__iter__()

    np.testing.assert_array_equal(vectorizer.transform(Meddling(texts)), expected)
    assert np.allclose(np.linalg.norm(vectorizer.transform(texts), axis=1), 1)
