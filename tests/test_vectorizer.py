"""BertVectorizer: features that equal transformers', as scikit-learn expects them."""

import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from sklearn_bert import BertVectorizer
from sklearn_bert.exceptions import (
    CheckpointError,
    CheckpointMismatchError,
    CheckpointNotFoundError,
    InputError,
    TruncationWarning,
)


@pytest.fixture
def vectorizer(tiny_bert):
    return BertVectorizer(tiny_bert)


def pooled(states, mask, pooling):
    """Pool padded states as the textbook does."""
    if pooling == "cls":
        return states[:, 0].numpy()
    if pooling == "mean":
        return torch.stack(
            [row[keep].mean(0) for row, keep in zip(states, mask, strict=True)]
        ).numpy()
    return torch.stack(
        [row[keep].amax(0) for row, keep in zip(states, mask, strict=True)]
    ).numpy()


# --- numbers ---------------------------------------------------------------------


@pytest.mark.parametrize("pooling", ["cls", "mean", "max"])
@pytest.mark.parametrize("layer", [0, 1, 2, 3, -1, -2, -4])
def test_equals_padded_transformers(tiny_bert, texts, hf_states, pooling, layer):
    features = BertVectorizer(tiny_bert, pooling=pooling, layers=layer).transform(texts)
    states, mask = hf_states(texts)
    expected = pooled(states[layer], mask, pooling)
    np.testing.assert_allclose(features, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("pooling", ["cls", "mean", "max"])
def test_pairs_equal_padded_transformers(tiny_bert, texts, hf_states, pooling):
    first, second = texts[:20], texts[20:]
    pairs = list(zip(first, second, strict=True))
    features = BertVectorizer(tiny_bert, pooling=pooling).transform(pairs)
    states, mask = hf_states(first, second)
    expected = pooled(states[-1], mask, pooling)
    np.testing.assert_allclose(features, expected, rtol=0, atol=1e-5)


def test_layers_are_joined_end_to_end(tiny_bert, texts):
    both = BertVectorizer(tiny_bert, layers=[1, -1]).transform(texts)
    parts = [BertVectorizer(tiny_bert, layers=k).transform(texts) for k in (1, -1)]
    np.testing.assert_allclose(both, np.hstack(parts), rtol=0, atol=5e-6)


def test_normalize_scales_rows_to_length_one(tiny_bert, texts):
    vectorizer = BertVectorizer(tiny_bert, normalize=True, layers=[0, 3])
    lengths = np.linalg.norm(vectorizer.transform(texts), axis=1)
    np.testing.assert_allclose(lengths, 1.0, rtol=1e-6)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 5e-6), ("float64", 1e-9)])
@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_batch_composition_does_not_matter(tiny_bert, texts, dtype, tolerance, pooling):
    vectorizer = BertVectorizer(tiny_bert, dtype=dtype, pooling=pooling)
    expected = vectorizer.transform(texts)
    for batch_size in (1, 2, 7, 32, len(texts)):
        vectorizer.set_params(batch_size=batch_size)
        np.testing.assert_allclose(
            vectorizer.transform(texts), expected, rtol=0, atol=tolerance
        )
    for seed in range(20):
        order = np.random.RandomState(seed).permutation(len(texts))
        shuffled = vectorizer.transform([texts[i] for i in order])
        np.testing.assert_allclose(shuffled, expected[order], rtol=0, atol=tolerance)


def test_features_are_float32(vectorizer, texts):
    assert vectorizer.transform(texts).dtype == np.float32


def test_global_generators_are_left_alone(vectorizer, texts):
    torch.manual_seed(3)
    np.random.seed(3)
    expected = torch.rand(1), np.random.rand()
    torch.manual_seed(3)
    np.random.seed(3)
    vectorizer.transform(texts)
    assert (torch.rand(1), np.random.rand()) == expected


@pytest.mark.real
def test_equals_sentence_transformers():
    sentence_transformers = pytest.importorskip("sentence_transformers")
    from sklearn_bert._engine.locating import locate

    sentences = ["A joy to watch.", "Dull, dull, dull!", "", "It " * 400]
    vectorizer = BertVectorizer(normalize=True, pooling="mean")
    folder = locate(vectorizer.model, None).folder
    peer = sentence_transformers.SentenceTransformer(str(folder), device="cpu")
    with pytest.warns(TruncationWarning):
        features = vectorizer.transform(sentences)
    expected = peer.encode(sentences, show_progress_bar=False)
    np.testing.assert_allclose(features, expected, rtol=0, atol=1e-5)


# --- long texts --------------------------------------------------------------------


def test_truncate_keeps_the_beginning(tiny_bert):
    vectorizer = BertVectorizer(tiny_bert, max_length=6)
    with pytest.warns(TruncationWarning):
        cut = vectorizer.transform(["good film with a dull plot"])
    np.testing.assert_allclose(cut, vectorizer.transform(["good film with a"]), 1e-5)


def test_head_tail_keeps_a_quarter_and_three_quarters(tiny_bert):
    vectorizer = BertVectorizer(tiny_bert, max_length=6, long_text="head_tail")
    with pytest.warns(TruncationWarning):
        cut = vectorizer.transform(["good film with a dull plot"])
    np.testing.assert_allclose(cut, vectorizer.transform(["good a dull plot"]), 1e-5)


def test_windows_of_cls_are_averaged(tiny_bert):
    vectorizer = BertVectorizer(tiny_bert, max_length=6, long_text="window")
    whole = vectorizer.transform(["good film with a dull plot"])
    windows = vectorizer.transform(["good film with a", "with a dull plot"])
    np.testing.assert_allclose(whole[0], windows.mean(axis=0), atol=1e-5)


def test_windows_of_max_keep_the_maximum(tiny_bert):
    vectorizer = BertVectorizer(
        tiny_bert, max_length=6, long_text="window", pooling="max"
    )
    whole = vectorizer.transform(["good film with a dull plot"])
    windows = vectorizer.transform(["good film with a", "with a dull plot"])
    np.testing.assert_allclose(whole[0], windows.max(axis=0), atol=1e-5)


def test_windows_warn_of_nothing_since_nothing_is_cut(tiny_bert):
    vectorizer = BertVectorizer(tiny_bert, max_length=6, long_text="window")
    assert vectorizer.fit(["good film with a dull plot"]).n_truncated_ == 0


def test_truncation_warning_counts(tiny_bert, texts):
    vectorizer = BertVectorizer(tiny_bert, max_length=12)
    n_long = sum(len(text.split()) > 10 for text in texts)
    with pytest.warns(TruncationWarning, match=f"^{n_long} of 40 texts") as caught:
        vectorizer.fit_transform(texts)
    assert vectorizer.n_truncated_ == n_long
    assert len(caught) == 1


def test_fit_counts_as_fit_transform_does(tiny_bert, texts):
    vectorizer = BertVectorizer(tiny_bert, max_length=12)
    with pytest.warns(TruncationWarning):
        fitted = vectorizer.fit(texts).n_truncated_
    with pytest.warns(TruncationWarning):
        vectorizer.fit_transform(texts)
    assert fitted == vectorizer.n_truncated_ > 0


@pytest.mark.parametrize("method", ["fit", "fit_transform", "transform"])
def test_truncation_warning_points_at_the_callers_line(tiny_bert, method):
    vectorizer = BertVectorizer(tiny_bert, max_length=4)
    for estimator in (vectorizer, make_pipeline(vectorizer)):
        with pytest.warns(TruncationWarning) as caught:
            getattr(estimator, method)(["good film and plot"])
        assert [warning.filename for warning in caught] == [__file__]


def test_pairs_that_are_cut_in_windows_are_told_so(tiny_bert):
    vectorizer = BertVectorizer(tiny_bert, max_length=7, long_text="window")
    with pytest.warns(TruncationWarning, match="shorten the shorter half"):
        vectorizer.transform([("good film and plot", "bad film and music too")])


# --- input -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "container",
    [
        tuple,
        lambda x: np.array(x, dtype=object),
        lambda x: np.array(x),
        lambda x: np.array(x, dtype=object).reshape(-1, 1),
        lambda x: pd.Series(x, index=range(len(x), 0, -1)),
        lambda x: pd.Series(x, index=[0] * len(x)),
        lambda x: pd.Series(x, dtype="string"),
        lambda x: pd.Series(x, dtype="category"),
        lambda x: pd.DataFrame({"text": x}),
        lambda x: pl.Series("text", x),
        lambda x: pl.Series("text", x, dtype=pl.Categorical),
        lambda x: pl.DataFrame({"text": x}),
        iter,
    ],
    ids=[
        "tuple",
        "object",
        "<U",
        "column",
        "odd index",
        "duplicated index",
        "string",
        "category",
        "frame",
        "polars",
        "polars category",
        "polars frame",
        "iterator",
    ],
)
def test_containers_give_equal_features(vectorizer, texts, container):
    expected = vectorizer.transform(texts)
    np.testing.assert_array_equal(vectorizer.transform(container(texts)), expected)


@pytest.mark.parametrize(
    "container",
    [
        lambda a, b: np.array([a, b], dtype=object).T,
        lambda a, b: np.array([a, b]).T,
        lambda a, b: pd.DataFrame({"a": a, "b": b}),
        lambda a, b: pl.DataFrame({"a": a, "b": b}),
        lambda a, b: [list(pair) for pair in zip(a, b, strict=True)],
    ],
    ids=["object", "<U", "frame", "polars", "lists"],
)
def test_containers_of_pairs_give_equal_features(vectorizer, texts, container):
    first, second = texts[:20], texts[20:]
    expected = vectorizer.transform(list(zip(first, second, strict=True)))
    features = vectorizer.transform(container(first, second))
    np.testing.assert_array_equal(features, expected)


def test_control_tokens_typed_into_a_text_are_words(vectorizer):
    typed, spelled = vectorizer.transform(["good [SEP] film", "good [ sep ] film"])
    np.testing.assert_allclose(typed, spelled, atol=1e-6)


def test_an_empty_text_is_a_text(vectorizer):
    assert np.isfinite(vectorizer.transform([""])).all()


def test_a_fit_that_fails_changes_nothing(vectorizer, texts):
    vectorizer.fit(texts)
    before = dict(vars(vectorizer))
    vectorizer.max_length = 5
    with pytest.raises(ValueError, match="max_length must be at least 6 for pairs"):
        vectorizer.fit([("good", "bad")])
    assert vars(vectorizer) == {**before, "max_length": 5}


def test_number_of_columns_of_fit_is_kept(vectorizer):
    vectorizer.fit(["good", "bad"])
    with pytest.raises(InputError, match="X has 2 features, but BertVectorizer is"):
        vectorizer.transform([("good", "bad")])


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


# --- parameters --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"pooling": "sum"}, "The 'pooling' parameter of BertVectorizer must be"),
        ({"batch_size": 0}, "The 'batch_size' parameter of BertVectorizer must be"),
        ({"long_text": "cut"}, "The 'long_text' parameter of BertVectorizer must"),
        ({"dtype": "int8"}, "The 'dtype' parameter of BertVectorizer must be"),
        ({"normalize": "yes"}, "The 'normalize' parameter of BertVectorizer must"),
        ({"model": None}, "The 'model' parameter of BertVectorizer must be"),
        ({"layers": 4}, r"from -4 to 3 .*Got 4\."),
        ({"layers": -5}, r"from -4 to 3 .*Got -5\."),
        ({"layers": []}, r"at least one int.*Got \[\]\."),
        ({"layers": [1, "2"]}, r"Got \[1, '2'\]\."),
        ({"layers": [True]}, r"Got \[True\]\."),
        ({"max_length": 65}, "max_length must be at most 64.*Got 65. Lower it"),
        ({"max_length": 2}, "The 'max_length' parameter of BertVectorizer must be"),
        ({"device": "gpu"}, "device must be 'auto' or a torch device.*Got 'gpu'"),
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


def test_auto_pooling_takes_what_the_checkpoint_declares(own_bert, texts):
    folder = own_bert / "1_Pooling"
    folder.mkdir()
    (folder / "config.json").write_text('{"pooling_mode_max_tokens": true}')
    vectorizer = BertVectorizer(own_bert).fit(texts)
    assert vectorizer.pooling_ == "max"


def test_auto_pooling_takes_cls_where_nothing_is_declared(vectorizer, texts):
    assert vectorizer.fit(texts).pooling_ == "cls"


def test_auto_pooling_refuses_what_it_cannot_do(own_bert, texts):
    folder = own_bert / "1_Pooling"
    folder.mkdir()
    (folder / "config.json").write_text('{"pooling_mode_weightedmean_tokens": true}')
    with pytest.raises(CheckpointError, match=r"'weightedmean', is none of cls, mean"):
        BertVectorizer(own_bert).fit(texts)
    assert BertVectorizer(own_bert, pooling="mean").fit(texts).pooling_ == "mean"


def test_max_length_takes_what_the_checkpoint_declares(own_bert, texts):
    (own_bert / "sentence_bert_config.json").write_text('{"max_seq_length": 40}')
    assert BertVectorizer(own_bert).fit(texts).max_length_ == 40


def test_verbose_shows_a_bar_and_silence_is_the_default(vectorizer, texts, capsys):
    vectorizer.transform(texts)
    assert capsys.readouterr() == ("", "")
    vectorizer.set_params(verbose=1).transform(texts)
    assert "text/s" in capsys.readouterr().err
