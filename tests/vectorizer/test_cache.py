"""The parameter cache: every text is encoded once, and the features are the same."""

import os
import pickle
import sqlite3

import joblib
import numpy as np
import pytest
from safetensors.torch import load_file, save_file
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_bert import BertVectorizer, cache_info, clear_cache
from sklearn_bert.exceptions import (
    CacheWarning,
    NonFiniteError,
    TruncationWarning,
)

NAME = "embeddings.sqlite3"


@pytest.fixture(params=["memory", "folder"])
def cache(request, tmp_path):
    if request.param == "folder":
        yield str(tmp_path / "cache")
        return
    clear_cache()
    yield "memory"
    clear_cache()


@pytest.fixture
def n_encoded(encoded_texts):
    """Return a function that tells how many texts were encoded since its last call."""

    def count():
        n = sum(encoded_texts)
        encoded_texts.clear()
        return n

    return count


def test_a_text_is_encoded_once(tiny_bert, texts, cache, n_encoded):
    expected = BertVectorizer(tiny_bert).transform(texts)
    n_distinct = n_encoded()
    vectorizer = BertVectorizer(tiny_bert, cache=cache)
    features = vectorizer.fit_transform(texts)
    assert n_encoded() == n_distinct
    np.testing.assert_allclose(features, expected, rtol=0, atol=5e-6)
    again = vectorizer.transform(texts[::-1])
    assert n_encoded() == 0
    assert again.tobytes() == features[::-1].tobytes()


def test_only_new_texts_are_encoded(tiny_bert, cache, n_encoded):
    vectorizer = BertVectorizer(tiny_bert, cache=cache)
    vectorizer.transform(["good film", "bad plot"])
    n_encoded()
    features = vectorizer.transform(["bad plot", "new story", "new story"])
    assert n_encoded() == 1
    expected = BertVectorizer(tiny_bert).transform(["bad plot", "new story"])
    np.testing.assert_allclose(features, expected[[0, 1, 1]], rtol=0, atol=5e-6)


def test_clones_and_pickles_use_the_same_cache(tiny_bert, texts, cache, n_encoded):
    vectorizer = BertVectorizer(tiny_bert, cache=cache).fit(texts)
    expected = vectorizer.transform(texts)
    n_encoded()
    for other in (clone(vectorizer), pickle.loads(pickle.dumps(vectorizer))):
        assert other.transform(texts).tobytes() == expected.tobytes()
    assert n_encoded() == 0


def test_poolings_and_layers_of_one_call_are_found_apart(
    tiny_bert, texts, cache, n_encoded
):
    vectorizer = BertVectorizer(tiny_bert, pooling="cls+mean", layers=[1, -1])
    vectorizer.set_params(cache=cache).transform(texts)
    n_encoded()
    for pooling in ("cls", "mean", "mean+cls"):
        for layers in (1, -1, [-1, 1]):
            vectorizer.set_params(pooling=pooling, layers=layers)
            features = vectorizer.transform(texts)
            assert n_encoded() == 0
            expected = clone(vectorizer).set_params(cache=None).transform(texts)
            n_encoded()
            np.testing.assert_allclose(features, expected, rtol=0, atol=5e-6)


def test_a_search_over_poolings_encodes_every_text_once(
    tiny_bert, texts, cache, n_encoded
):
    BertVectorizer(tiny_bert).transform(texts)
    n_distinct = n_encoded()
    pipeline = make_pipeline(
        BertVectorizer(tiny_bert, cache=cache), LogisticRegression()
    )
    poolings = ["cls", "mean", "max", "cls+max"]
    grid = {"bertvectorizer__pooling": poolings, "logisticregression__C": [0.1, 1]}
    GridSearchCV(pipeline, grid, cv=4).fit(texts, [0, 1] * 20)
    assert n_encoded() == n_distinct


def test_a_search_over_layers_encodes_every_text_once_after_a_call_with_all(
    tiny_bert, texts, cache, n_encoded
):
    vectorizer = BertVectorizer(tiny_bert, cache=cache)
    clone(vectorizer).set_params(layers=[-1, -2, -3]).transform(texts)
    n_encoded()
    grid = {
        "bertvectorizer__pooling": ["cls", "mean", "max"],
        "bertvectorizer__layers": [-1, -2, -3, [-3, -1]],
    }
    pipeline = make_pipeline(vectorizer, LogisticRegression())
    GridSearchCV(pipeline, grid, cv=2).fit(texts, [0, 1] * 20)
    assert n_encoded() == 0


OTHERS = {
    "pooling": "max",
    "layers": 1,
    "max_length": 5,
    "long_text": "window",
    "prompt": "good ",
    "dtype": "float64",
}


@pytest.mark.filterwarnings("ignore::sklearn_bert.exceptions.TruncationWarning")
@pytest.mark.parametrize("name", OTHERS)
def test_other_features_are_not_confused(tiny_bert, texts, cache, name):
    BertVectorizer(tiny_bert, cache=cache).transform(texts)
    vectorizer = BertVectorizer(tiny_bert, **{name: OTHERS[name]})
    expected = vectorizer.transform(texts)
    for _ in range(2):
        features = vectorizer.set_params(cache=cache).transform(texts)
        assert features.dtype == expected.dtype
        np.testing.assert_allclose(features, expected, rtol=0, atol=5e-6)


@pytest.mark.parametrize("pooling", ["cls", "mean", "max", "cls+max"])
def test_windows_of_several_layers_and_poolings_are_not_confused(
    tiny_bert, cache, pooling
):
    texts = ["film " * 30, "a b c " * 12, "bad"]
    vectorizer = BertVectorizer(
        tiny_bert, pooling=pooling, max_length=10, long_text="window"
    )
    of_layers = {
        k: clone(vectorizer).set_params(layers=k).transform(texts) for k in (-1, -2)
    }
    expected = np.hstack([of_layers[-1], of_layers[-2]])
    both = clone(vectorizer).set_params(layers=[-1, -2])
    np.testing.assert_allclose(both.transform(texts), expected, rtol=0, atol=5e-6)
    features = both.set_params(cache=cache).transform(texts)
    np.testing.assert_allclose(features, expected, rtol=0, atol=5e-6)
    one = clone(vectorizer).set_params(layers=-2, cache=cache).transform(texts)
    np.testing.assert_allclose(one, of_layers[-2], rtol=0, atol=5e-6)


def test_normalize_and_truncate_dim_need_no_features_of_their_own(
    tiny_bert, texts, cache, n_encoded
):
    vectorizer = BertVectorizer(tiny_bert, cache=cache)
    vectorizer.transform(texts)
    n_encoded()
    vectorizer.set_params(normalize=True, truncate_dim=8)
    features = vectorizer.transform(texts)
    assert n_encoded() == 0
    expected = vectorizer.set_params(cache=None).transform(texts)
    np.testing.assert_allclose(features, expected, rtol=0, atol=5e-6)


def test_pairs_are_cached(tiny_bert, cache, n_encoded):
    pairs = [("good", "film"), ("film", "good"), ("good", "film")]
    for pooling, n_found in (("mean", 2), ("compare", 2)):
        vectorizer = BertVectorizer(tiny_bert, pooling=pooling)
        expected = vectorizer.fit_transform(pairs)
        n_encoded()
        vectorizer.set_params(cache=cache)
        features = [vectorizer.transform(pairs) for _ in range(2)]
        assert n_encoded() == n_found
        np.testing.assert_allclose(features, [expected] * 2, rtol=0, atol=5e-6)


def test_truncated_texts_are_counted_when_they_are_found(tiny_bert, cache):
    vectorizer = BertVectorizer(tiny_bert, cache=cache, max_length=4)
    for _ in range(2):
        with pytest.warns(TruncationWarning, match="2 of 3 texts"):
            vectorizer.fit_transform(["good film plot", "good", "good film plot"])
        assert vectorizer.n_truncated_ == 2


def test_another_checkpoint_has_features_of_its_own(tiny_bert, own_bert, texts, cache):
    BertVectorizer(tiny_bert, cache=cache).transform(texts)
    weights = load_file(own_bert / "model.safetensors")
    save_file({k: 2 * v for k, v in weights.items()}, own_bert / "model.safetensors")
    features = BertVectorizer(own_bert, cache=cache).transform(texts)
    expected = BertVectorizer(own_bert).transform(texts)
    np.testing.assert_allclose(features, expected, rtol=0, atol=5e-5)


def test_equal_files_in_another_folder_share_features(
    tiny_bert, own_bert, texts, cache, n_encoded
):
    BertVectorizer(tiny_bert, cache=cache).transform(texts)
    n_encoded()
    BertVectorizer(own_bert, cache=cache).transform(texts)
    assert n_encoded() == 0


def test_a_search_encodes_every_text_once(tiny_bert, texts, cache, n_encoded):
    BertVectorizer(tiny_bert).transform(texts)
    n_distinct = n_encoded()
    pipeline = make_pipeline(
        BertVectorizer(tiny_bert, cache=cache), LogisticRegression()
    )
    grid = {
        "logisticregression__C": [0.1, 1],
        "bertvectorizer__normalize": [True, False],
    }
    GridSearchCV(pipeline, grid, cv=4).fit(texts, [0, 1] * 20)
    assert n_encoded() == n_distinct


def test_worker_processes_share_a_folder(tiny_bert, texts, tmp_path, n_encoded):
    vectorizer = BertVectorizer(tiny_bert, cache=tmp_path)
    parts = [texts[:25], texts[15:], texts[::2]]
    found = joblib.Parallel(n_jobs=2)(
        joblib.delayed(vectorizer.transform)(part) for part in parts
    )
    for part, features in zip(parts, found, strict=True):
        assert features.tobytes() == vectorizer.transform(part).tobytes()
    assert n_encoded() == 0
    assert cache_info(tmp_path).n_vectors == 3 * len({*texts})


def test_a_damaged_entry_is_encoded_again(tiny_bert, texts, tmp_path, n_encoded):
    vectorizer = BertVectorizer(tiny_bert, cache=tmp_path)
    expected = vectorizer.transform(texts)
    with sqlite3.connect(tmp_path / NAME) as database:
        database.execute("UPDATE vectors SET entry = zeroblob(9) WHERE id <= 6")
    database.close()
    n_encoded()
    for n in (6, 0):
        features = vectorizer.transform(texts)
        assert n_encoded() == n
        np.testing.assert_allclose(features, expected, rtol=0, atol=5e-6)


def test_a_damaged_file_is_not_used_and_the_features_are_right(
    tiny_bert, texts, tmp_path
):
    (tmp_path / NAME).write_bytes(b"not a database " * 1000)
    vectorizer = BertVectorizer(tiny_bert, cache=tmp_path)
    with pytest.warns(
        CacheWarning, match=r"Got '.*', whose .*\(file is not a database\)\. The feat"
    ):
        features = vectorizer.transform(texts)
    expected = BertVectorizer(tiny_bert).transform(texts)
    np.testing.assert_allclose(features, expected, rtol=0, atol=5e-6)


def test_features_that_overflow_are_not_kept(own_bert, vocabulary, tmp_path):
    weights = load_file(own_bert / "model.safetensors")
    name = next(x for x in weights if x.endswith("word_embeddings.weight"))
    weights[name][vocabulary.index("music")] = 3e38
    save_file(weights, own_bert / "model.safetensors")
    vectorizer = BertVectorizer(own_bert, cache=tmp_path)
    for _ in range(2):
        with pytest.raises(NonFiniteError, match="2 of 3 rows of X, rows 1, 2"):
            vectorizer.transform(["good film", "music", "music"])
        assert cache_info(tmp_path).n_vectors == 3


def test_a_missing_encoder_is_not_needed_for_known_texts(tiny_bert, texts, tmp_path):
    BertVectorizer(tiny_bert, cache=tmp_path).transform(texts)
    loaded = []

    class Vectorizer(BertVectorizer):
        def _encoder(self, source, user):
            loaded.append(source)
            return super()._encoder(source, user)

    Vectorizer(tiny_bert, cache=tmp_path).transform(texts)
    assert loaded == []
    Vectorizer(tiny_bert, cache=tmp_path).transform(["never seen"])
    assert len(loaded) == 1


def test_a_folder_contains_no_texts(tiny_bert, tmp_path):
    BertVectorizer(tiny_bert, cache=tmp_path).transform(["confidential film"])
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"confidential" not in content


def test_the_folder_may_be_in_the_home_directory(tiny_bert, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    BertVectorizer(tiny_bert, cache=os.path.join("~", "cache")).transform(["good"])
    assert (tmp_path / "cache" / NAME).exists()
