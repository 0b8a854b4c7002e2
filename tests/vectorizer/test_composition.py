"""BertVectorizer among scikit-learn's tools, and as a pickle."""

import pickle
import shutil
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from sklearn_bert import BertClassifier, BertVectorizer, load
from sklearn_bert._engine.checkpoints.packed import digest_of
from sklearn_bert.exceptions import (
    CheckpointMismatchError,
    CheckpointNotFoundError,
    TruncationWarning,
)

# --- scikit-learn ------------------------------------------------------------------


def test_transform_works_without_fit(vectorizer, texts):
    assert vectorizer.transform(texts).shape == (40, 32)


def test_fit_leaves_parameters_alone(vectorizer, texts):
    before = vectorizer.get_params()
    vectorizer.fit(texts)
    assert vectorizer.get_params() == before


def test_transform_leaves_attributes_alone(vectorizer, texts):
    vectorizer.fit(texts)
    before = dict(vars(vectorizer))
    vectorizer.transform(texts)
    assert vars(vectorizer) == before


def test_set_params_takes_effect_without_refit(vectorizer, tiny_bert, texts):
    vectorizer.fit(texts).set_params(layers=1, pooling="max")
    expected = BertVectorizer(tiny_bert, layers=1, pooling="max").transform(texts)
    np.testing.assert_array_equal(vectorizer.transform(texts), expected)


def test_another_model_takes_effect_without_refit(
    vectorizer, save_model, tmp_path, texts
):
    other = save_model(tmp_path / "other", hidden_size=16)
    vectorizer.fit(texts).set_params(model=other)
    assert vectorizer.transform(texts).shape == (40, 16)


def test_refit_equals_fresh_fit(tiny_bert):
    vectorizer = BertVectorizer(tiny_bert, max_length=6, pooling="max")
    with pytest.warns(TruncationWarning):
        vectorizer.fit(pd.DataFrame({"a": ["good film and plot"], "b": ["bad"]}))
    vectorizer.set_params(pooling="auto")
    vectorizer.set_params(max_length=9).fit(["good"])
    fresh = BertVectorizer(tiny_bert, max_length=9).fit(["good"])
    assert vars(vectorizer) == vars(fresh)


def test_clone_has_no_fitted_attributes(vectorizer, texts):
    copy = clone(vectorizer.fit(texts))
    assert not [name for name in vars(copy) if name.endswith("_")]


def test_feature_names_count_the_features(vectorizer, texts):
    names = vectorizer.fit(texts).get_feature_names_out()
    assert list(names[:2]) == ["bertvectorizer0", "bertvectorizer1"]
    assert len(names) == 32


def test_names_of_an_absent_model_say_that_it_is_absent():
    with pytest.raises(
        CheckpointNotFoundError,
        match=r"'nobody/nothing' must be available.*If it is a model on the Hub, call "
        "transform once, which downloads it; if it is a folder, correct the path",
    ):
        BertVectorizer("nobody/nothing").get_feature_names_out()


def test_names_say_that_the_folder_is_gone(own_bert, texts):
    vectorizer = BertVectorizer(own_bert).fit(texts)
    shutil.rmtree(own_bert)
    with pytest.raises(CheckpointNotFoundError) as of_transform:
        vectorizer.transform(texts)
    with pytest.raises(CheckpointNotFoundError) as of_names:
        vectorizer.get_feature_names_out()
    assert str(of_names.value) == str(of_transform.value)
    assert "BertVectorizer" in vectorizer._repr_html_()


@pytest.mark.parametrize("names", [5, "a"])
def test_names_refuse_what_is_no_list_of_names(vectorizer, names):
    with pytest.raises(ValueError, match="input_features must be a list of names"):
        vectorizer.get_feature_names_out(names)


def test_names_refuse_other_columns_than_those_of_the_fit(vectorizer):
    vectorizer.fit(pd.DataFrame({"a": ["good"]}))
    assert len(vectorizer.get_feature_names_out(["a"])) == 32
    with pytest.raises(ValueError, match="input_features is not equal to"):
        vectorizer.get_feature_names_out(["b"])


@pytest.mark.parametrize(("container", "kind"), [("pandas", pd), ("polars", pl)])
def test_set_output(vectorizer, texts, container, kind):
    frame = vectorizer.set_output(transform=container).fit_transform(texts)
    assert isinstance(frame, kind.DataFrame)
    np.testing.assert_array_equal(
        frame.to_numpy(), vectorizer.set_output(transform="default").transform(texts)
    )


def test_pandas_output_keeps_the_index(vectorizer):
    texts = pd.DataFrame({"text": ["good", "bad"]}, index=["x", "y"])
    frame = vectorizer.set_output(transform="pandas").transform(texts)
    assert list(frame.index) == ["x", "y"]


def test_frame_columns_are_remembered_and_checked(vectorizer):
    vectorizer.fit(pd.DataFrame({"a": ["good"], "b": ["bad"]}))
    assert list(vectorizer.feature_names_in_) == ["a", "b"]
    with pytest.raises(ValueError, match="Feature names must be in the same order"):
        vectorizer.transform(pd.DataFrame({"b": ["bad"], "a": ["good"]}))


def test_vectorizer_is_fitted_from_the_start(vectorizer):
    # Stateless, as HashingVectorizer: nothing to raise.
    try:
        check_is_fitted(vectorizer)
    except NotFittedError:
        pytest.fail("a stateless transformer counts as fitted")


def test_displaying_an_absent_model_downloads_and_raises_nothing():
    assert "nobody/nothing" in BertVectorizer("nobody/nothing")._repr_html_()


def test_column_transformer_takes_a_text_column(vectorizer):
    frame = pd.DataFrame({"text": ["good", "bad", "dull"], "n": [1.0, 2.0, 3.0]})
    columns = ColumnTransformer(
        [("text", vectorizer, "text"), ("n", StandardScaler(), ["n"])]
    )
    assert columns.fit_transform(frame).shape == (3, 33)


def test_feature_union_joins_two_poolings(tiny_bert, texts):
    union = FeatureUnion(
        [(p, BertVectorizer(tiny_bert, pooling=p)) for p in ("cls", "mean")]
    )
    assert union.fit_transform(texts).shape == (40, 64)


def test_sample_weight_is_routed_past_the_vectorizer(vectorizer, texts):
    import sklearn

    y = np.arange(40) % 2
    with sklearn.config_context(enable_metadata_routing=True):
        head = LogisticRegression().set_fit_request(sample_weight=True)
        pipeline = make_pipeline(vectorizer, head)
        pipeline.fit(texts, y, sample_weight=np.where(y, 1.0, 1e-6))
    assert pipeline.predict(texts).all()


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_grid_search_in_parallel_equals_serial(tiny_bert, texts, backend):
    from joblib import parallel_config

    y = np.arange(40) % 2
    scores = []
    for n_jobs in (1, 2):
        search = GridSearchCV(
            make_pipeline(BertVectorizer(tiny_bert), LogisticRegression()),
            {"bertvectorizer__pooling": ["cls", "mean"]},
            cv=3,
            n_jobs=n_jobs,
        )
        with parallel_config(backend), warnings.catch_warnings():
            # torch's own import warns in the workers of some versions.
            warnings.simplefilter("ignore", DeprecationWarning)
            scores.append(search.fit(texts, y).cv_results_["mean_test_score"])
    np.testing.assert_array_equal(*scores)


# --- persistence -------------------------------------------------------------------


def test_pickle_holds_no_weights(vectorizer, texts):
    assert len(pickle.dumps(vectorizer.fit(texts))) < 5000


def test_pickle_gives_equal_features(vectorizer, texts):
    copy = pickle.loads(pickle.dumps(vectorizer.fit(texts)))
    np.testing.assert_array_equal(copy.transform(texts), vectorizer.transform(texts))


def test_pickle_names_the_checkpoint_and_its_digest(vectorizer, tiny_bert, texts):
    record = pickle.loads(pickle.dumps(vectorizer.fit(texts))).checkpoint_
    assert record.model == str(tiny_bert)
    assert len(record.digests["model.safetensors"]) == 64


def test_another_checkpoint_in_the_same_place_is_refused(own_bert, save_model, texts):
    vectorizer = BertVectorizer(own_bert).fit(texts)
    save_model(own_bert, initializer_range=0.2)
    with pytest.raises(
        CheckpointMismatchError, match=r"must be the one that .* fitted"
    ):
        vectorizer.transform(texts)


def test_a_checkpoint_that_is_gone_is_named(own_bert, texts, tmp_path):
    vectorizer = BertVectorizer(own_bert).fit(texts)
    own_bert.rename(tmp_path / "elsewhere")
    with pytest.raises(CheckpointNotFoundError, match="there is no folder"):
        vectorizer.transform(texts)


def test_a_model_that_was_fitted_again_with_another_pooling_is_refused(
    tiny_bert, texts
):
    labels = [k % 2 for k in range(len(texts))]
    classifier = BertClassifier(tiny_bert, freeze="encoder", pooling="mean")
    vectorizer = BertVectorizer(classifier.fit(texts, labels)).fit(texts)
    classifier.set_params(pooling="max").fit(texts, labels)
    with pytest.raises(CheckpointMismatchError, match="fitted with"):
        vectorizer.transform(texts)


def test_a_model_and_its_vectorizer_from_an_earlier_version_still_work(
    tiny_bert, texts, tmp_path
):
    labels = [k % 2 for k in range(len(texts))]
    classifier = BertClassifier(tiny_bert, freeze="encoder", pooling="mean")
    classifier.fit(texts, labels)
    packed = classifier.encoder_
    # Without the declarations that were not in the digest then.
    earlier = digest_of(packed.config + packed.tokenizer, packed.weights)
    classifier.encoder_ = replace(packed, digest=earlier)
    vectorizer = BertVectorizer(classifier).fit(texts)
    expected = vectorizer.transform(texts)
    copy = pickle.loads(pickle.dumps(vectorizer))
    np.testing.assert_array_equal(copy.transform(texts), expected)
    copy.save(tmp_path / "file")
    np.testing.assert_array_equal(load(tmp_path / "file").transform(texts), expected)
