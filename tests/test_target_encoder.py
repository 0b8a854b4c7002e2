"""BertTargetEncoder: whose predictions become columns, and of what."""

import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    TimeSeriesSplit,
    cross_validate,
)
from sklearn.pipeline import make_pipeline

from sklearn_bert import BertClassifier, BertRegressor, BertTargetEncoder, load
from sklearn_bert.exceptions import (
    DivergenceError,
    InputError,
    InterruptedFitWarning,
    TruncationWarning,
)

QUICK = {"n_epochs": 1, "learning_rate": 1e-3, "random_state": 0, "dtype": "float32"}


@pytest.fixture(scope="module")
def classes(texts):
    return np.array(["long" if len(text) > 60 else "short" for text in texts])


@pytest.fixture(scope="module")
def numbers(texts):
    return np.array([len(text) / 10 for text in texts])


@pytest.fixture(scope="module")
def make(tiny_bert):
    """Return a function that makes a quick target encoder."""

    def make(kind=BertClassifier, cv=2, **changes):
        estimator = kind(tiny_bert, **{**QUICK, **changes})
        return BertTargetEncoder(estimator, cv=cv, random_state=0)

    return make


@pytest.fixture(scope="module")
def fitted(make, texts, classes):
    """Return a fitted target encoder and the features of its training texts."""
    encoder = make()
    return encoder, encoder.fit_transform(texts, classes)


@pytest.fixture
def trained_on(monkeypatch):
    """Return a list of the texts of positive weight in each fit of an encoder."""
    seen = []
    fit = BertClassifier._fit

    def watch(self, X, y, sample_weight, **options):
        weights = np.ones(len(X)) if sample_weight is None else sample_weight
        seen.append([x for x, weight in zip(X, weights, strict=True) if weight])
        return fit(self, X, y, sample_weight, **options)

    monkeypatch.setattr(BertClassifier, "_fit", watch)
    return seen


# --- cross-fitting ------------------------------------------------------------------


def test_training_texts_get_the_predictions_of_the_other_folds(make, texts, classes):
    encoder = make(cv=KFold(2))
    features = encoder.fit_transform(texts, classes)
    one = clone(encoder.estimator).fit(texts[20:], classes[20:])
    expected = one.predict_proba(texts[:20])[:, 1:]
    np.testing.assert_allclose(features[:20], expected, atol=1e-5)


def test_new_texts_get_the_predictions_of_an_encoder_of_all(fitted, texts, classes):
    encoder, features = fitted
    whole = clone(encoder.estimator).fit(texts, classes)
    expected = whole.predict_proba(texts)[:, 1:]
    np.testing.assert_allclose(encoder.transform(texts), expected, atol=1e-6)
    assert not np.allclose(features, expected, atol=1e-2)


def test_random_targets_do_not_leak(make, texts):
    y = np.random.RandomState(0).permutation(np.arange(40) % 2)
    encoder = make(n_epochs=12, learning_rate=3e-3, batch_size=8, contrastive=0)
    features = encoder.fit_transform(texts, y)
    seen = ((encoder.transform(texts)[:, 0] > 0.5) == y).mean()
    unseen = ((features[:, 0] > 0.5) == y).mean()
    assert seen > 0.75
    assert unseen < 0.65


def test_fit_alone_gives_the_same_encoder(make, fitted, texts, classes):
    encoder, _ = fitted
    again = make().fit(texts, classes)
    assert np.array_equal(again.transform(texts), encoder.transform(texts))


def test_a_seed_gives_the_same_features(make, fitted, texts, classes):
    assert np.array_equal(make().fit_transform(texts, classes), fitted[1])


def test_the_seed_is_that_of_the_fits_too(make, texts, classes):
    encoder = make(random_state=None)
    first, second = (encoder.fit_transform(texts, classes) for _ in range(2))
    assert np.array_equal(first, second)
    assert encoder.estimator.random_state is None


def test_no_encoder_of_a_text_has_seen_its_group(make, texts, classes, trained_on):
    groups = np.arange(40) % 10
    named = [f"{text} {group}" for text, group in zip(texts, groups, strict=True)]
    make(cv=5).fit_transform(named, classes, groups=groups)
    *folds, whole = ({text.split()[-1] for text in one} for one in trained_on)
    assert [len(one) for one in folds] == [8] * 5
    assert len(whole) == 10


def test_texts_without_weight_have_features_but_teach_nothing(
    make, texts, classes, trained_on
):
    weights = np.ones(40)
    weights[:10] = 0
    features = make().fit_transform(texts, classes, sample_weight=weights)
    assert features.shape == (40, 1)
    assert [len(one) for one in trained_on] == [15, 15, 30]


def test_a_class_that_a_fold_has_not_seen_keeps_its_column(make, texts):
    y = np.array(["a", "b"] * 20)
    y[0] = "rare"
    features = make(cv=KFold(2)).fit_transform(texts, y)
    assert features.shape == (40, 3)
    assert (features[:20, 2] < 0.5).all()


# --- columns ------------------------------------------------------------------------


def test_two_classes_give_one_column(fitted):
    encoder, features = fitted
    assert features.shape == (40, 1)
    assert encoder.get_feature_names_out().tolist() == ["berttargetencoder_short"]


def test_more_classes_give_a_column_each(make, texts):
    encoder = make()
    features = encoder.fit_transform(texts, np.arange(40) % 3)
    np.testing.assert_allclose(features.sum(axis=1), 1, atol=1e-6)
    names = [f"berttargetencoder_{label}" for label in range(3)]
    assert encoder.get_feature_names_out().tolist() == names


def test_two_labels_give_two_columns(make, texts):
    indicators = np.array([[len(text) > 60, "a" in text] for text in texts], int)
    encoder = make()
    assert encoder.fit_transform(texts, indicators).shape == (40, 2)
    names = ["berttargetencoder_0", "berttargetencoder_1"]
    assert encoder.get_feature_names_out().tolist() == names


def test_numbers_are_predicted(make, texts, numbers):
    encoder = make(BertRegressor)
    assert encoder.fit_transform(texts, numbers).shape == (40, 1)
    assert encoder.method_ == "predict"
    assert encoder.get_feature_names_out().tolist() == ["berttargetencoder0"]


def test_several_numbers_give_a_column_each(make, texts, numbers):
    encoder = make(BertRegressor)
    features = encoder.fit_transform(texts, np.c_[numbers, -numbers])
    assert features.shape == (40, 2)
    assert len(encoder.get_feature_names_out()) == 2


@pytest.mark.parametrize("n_classes", [2, 3])
def test_logits_can_be_the_columns(make, texts, n_classes):
    encoder = make().set_params(method="decision_function")
    features = encoder.fit_transform(texts, np.arange(40) % n_classes)
    expected = encoder.estimator_.decision_function(texts).reshape(40, -1)
    assert features.shape == expected.shape
    assert np.array_equal(encoder.transform(texts), expected)


@pytest.mark.real
@pytest.mark.parametrize(
    ("y", "kind"),
    [([1.5, 0.5, 2.5, 0.0], BertRegressor), ([1, 0, 2, 0], BertClassifier)],
    ids=["decimals", "integers"],
)
def test_by_default_an_estimator_with_its_defaults_is_fine_tuned(y, kind):
    encoder = BertTargetEncoder(random_state=0).fit(["a", "b", "c", "d"], y)
    used = encoder.estimator_
    expected = kind(random_state=used.random_state)
    assert type(used) is kind
    assert used.get_params() == expected.get_params()
    assert encoder.estimator is None


def test_missing_numbers_are_refused_as_numbers(texts):
    with pytest.raises(ValueError, match="1 of 40 numbers are missing, in row 1"):
        BertTargetEncoder().fit_transform(texts, [1.5, np.nan] + [2] * 38)


def test_another_method_takes_effect_after_fit(make, texts, classes):
    encoder = make().fit(texts, classes).set_params(method="decision_function")
    logits = encoder.estimator_.decision_function(texts)[:, None]
    assert np.array_equal(encoder.transform(texts), logits)


def test_a_method_that_does_not_suit_numbers_is_refused_after_fit(make, texts, numbers):
    encoder = make(BertRegressor).fit(texts, numbers)
    encoder.set_params(method="predict_proba")
    with pytest.raises(ValueError, match="method must be 'auto' for numbers"):
        encoder.transform(texts)


# --- in scikit-learn ----------------------------------------------------------------


@pytest.fixture
def frame(texts):
    return pd.DataFrame({"text": texts, "n": np.arange(40) % 2})


@pytest.fixture
def table(make):
    """Return a pipeline for a table with a text and a number."""
    columns = ColumnTransformer(
        [("text", make(), "text"), ("numbers", "passthrough", ["n"])]
    )
    boosting = HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=5)
    return make_pipeline(columns, boosting)


def test_boosting_reads_its_columns_next_to_numbers(table, frame, classes):
    y = np.where(frame["n"] == 1, "odd", classes)
    columns = table.fit(frame, y)[0]
    start = "text__berttargetencoder_"
    names = [f"{start}long", f"{start}odd", f"{start}short", "numbers__n"]
    assert columns.get_feature_names_out().tolist() == names
    assert table.score(frame, y) > 0.85
    # Neither column is enough.
    assert table.score(frame.assign(text="a"), y) < 0.8
    assert table.score(frame.assign(n=0), y) < 0.8


def test_its_parameters_are_searched_in_a_pipeline(table, frame, classes):
    name = "columntransformer__text__estimator__n_epochs"
    search = GridSearchCV(table, {name: [1]}, cv=2, error_score="raise")
    assert search.fit(frame, classes).best_params_ == {name: 1}


def test_groups_reach_it_through_a_pipeline(make, texts, classes, trained_on):
    groups = np.arange(40) % 4
    with sklearn.config_context(enable_metadata_routing=True):
        encoder = make(cv=4).set_fit_request(groups=True)
        pipeline = make_pipeline(encoder, HistGradientBoostingClassifier(max_iter=1))
        pipeline.fit(texts, classes, groups=groups)
    assert [len(one) for one in trained_on] == [30] * 4 + [40]


def test_groups_reach_it_in_a_table_that_is_cross_validated(
    table, frame, classes, trained_on
):
    with sklearn.config_context(enable_metadata_routing=True):
        table[0].transformers[0][1].set_fit_request(groups=True)
        cross_validate(
            table,
            frame,
            classes,
            cv=GroupKFold(2),
            params={"groups": np.arange(40) % 4},
            error_score="raise",
        )
    # Two of four groups are in each training set, one of them in each fold.
    assert [len(one) for one in trained_on] == [10, 10, 20] * 2


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_it_returns_frames(make, texts, classes, container):
    pytest.importorskip(container)
    encoder = make().set_output(transform=container)
    for features in (
        encoder.fit_transform(texts, classes),
        encoder.transform(texts),
    ):
        assert list(features.columns) == ["berttargetencoder_short"]


def test_it_remembers_the_name_of_its_column(make, frame, classes):
    encoder = make().fit(frame[["text"]], classes)
    assert encoder.feature_names_in_.tolist() == ["text"]
    with pytest.raises(ValueError, match="feature names should match"):
        encoder.transform(frame[["text"]].rename(columns={"text": "other"}))


def test_a_clone_is_not_fitted(fitted):
    again = clone(fitted[0])
    assert not hasattr(again, "estimator_")
    assert again.get_params()["estimator__n_epochs"] == 1


# --- texts --------------------------------------------------------------------------


def test_pairs_have_features(make, texts, classes):
    pairs = list(zip(texts, texts[::-1], strict=True))
    encoder = make()
    assert encoder.fit_transform(pairs, classes).shape == (40, 1)
    with pytest.raises(InputError, match="2 features"):
        encoder.transform(texts)


def test_missing_texts_are_read_as_its_estimator_reads_them(make, texts, classes):
    some = [None, *texts[1:]]
    with pytest.raises(InputError, match="None"):
        make().fit(some, classes)
    encoder = make(missing="empty").fit(some, classes)
    assert np.isfinite(encoder.transform([None])).all()


@pytest.mark.filterwarnings("always")
def test_truncated_texts_are_told_once(make, texts, classes):
    encoder = make(max_length=8)
    for fit in (encoder.fit_transform, encoder.fit):
        with pytest.warns(TruncationWarning, match="of 40 texts") as caught:
            fit(texts, classes)
        assert len(caught) == 1
    with pytest.warns(TruncationWarning) as caught:
        encoder.transform(texts)
    assert len(caught) == 1


# --- fits that end early ------------------------------------------------------------


def test_a_failed_fit_leaves_it_as_it_was(make, texts, classes):
    encoder = make().fit(texts, classes)
    before = encoder.transform(texts)
    encoder.set_params(estimator__learning_rate=1e38)
    with pytest.raises(DivergenceError):
        encoder.fit_transform(texts, classes)
    encoder.set_params(estimator__learning_rate=1e-3)
    assert np.array_equal(encoder.transform(texts), before)


@pytest.mark.parametrize("fit", ["fit", "fit_transform"])
@pytest.mark.parametrize("place", ["first", "last"])
def test_an_interrupt_ends_the_fit_and_leaves_it_as_it_was(
    make, texts, classes, fit, place
):
    n_fits = 3 if fit == "fit_transform" else 1
    started = []

    def interrupt(state):
        started.append(state)
        if len(started) == (1 if place == "first" else n_fits):
            raise KeyboardInterrupt

    encoder = make().fit(texts, classes)
    before = vars(encoder).copy()
    encoder.set_params(estimator__callbacks=[interrupt])
    with pytest.raises(KeyboardInterrupt):
        getattr(encoder, fit)(texts, classes)
    assert len(started) == (1 if place == "first" else n_fits)
    assert vars(encoder) == before


def test_its_encoder_can_be_interrupted_as_any_other(make, texts, classes):
    inner = make().fit(texts, classes).estimator_

    def interrupt(state):
        raise KeyboardInterrupt

    with pytest.warns(InterruptedFitWarning):
        inner.set_params(callbacks=[interrupt]).fit(texts, classes)


def test_the_last_texts_stop_early_whatever_their_groups(make, texts, trained_on):
    scored = []

    def score(estimator, X, y):
        scored.append(tuple(X))
        return 0.0

    encoder = make(
        early_stopping=True,
        validation_split="last",
        validation_fraction=0.3,
        scoring=score,
    )
    y = np.arange(40) % 3
    encoder.fit_transform(texts, y, groups=np.arange(40) // 4 % 4)
    assert len(trained_on) == 3
    last = [tuple(one[-3 * len(one) // 10 :]) for one in trained_on]
    assert [*dict.fromkeys(scored)] == last


# --- files --------------------------------------------------------------------------


def test_a_pickle_gives_the_same_features(fitted, texts):
    again = pickle.loads(pickle.dumps(fitted[0]))
    assert np.array_equal(again.transform(texts), fitted[0].transform(texts))


def test_a_saved_file_gives_the_same_features(fitted, texts, tmp_path):
    fitted[0].save(tmp_path / "encoder.safetensors")
    again = load(tmp_path / "encoder.safetensors")
    assert np.array_equal(again.transform(texts), fitted[0].transform(texts))
    assert again.get_feature_names_out().tolist() == ["berttargetencoder_short"]


def test_the_encoder_of_all_texts_is_shared(fitted, texts, tmp_path):
    fitted[0].save_pretrained(tmp_path / "shared")
    fitted[0].estimator_.save_pretrained(tmp_path / "own")
    first, second = (
        tmp_path / name / "model.safetensors" for name in ("shared", "own")
    )
    assert first.read_bytes() == second.read_bytes()


# --- errors -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "requires y to be passed"),
        (["a"] * 40, "more than one class"),
        (["a"] * 39, "inconsistent numbers of samples"),
        ([["a"], ["b", "c"]] * 20, "MultiLabelBinarizer"),
        (np.arange(80).reshape(40, 2) % 3, "one label per text"),
    ],
    ids=["none", "one class", "shorter", "lists", "two classes each"],
)
def test_other_targets_are_refused(make, texts, y, message):
    for encoder in (make(), BertTargetEncoder()):
        with pytest.raises(ValueError, match=message):
            encoder.fit_transform(texts, y)


def test_numbers_have_no_probabilities(make, texts, numbers):
    encoder = make(BertRegressor).set_params(method="predict_proba")
    with pytest.raises(ValueError, match="method must be 'auto' for numbers"):
        encoder.fit(texts, numbers)


def test_folds_of_the_future_alone_are_refused(make, texts, classes):
    with pytest.raises(ValueError, match="cv must hold out each sample exactly once"):
        make(cv=TimeSeriesSplit(2)).fit_transform(texts, classes)


def test_other_estimators_are_refused(texts, classes):
    encoder = BertTargetEncoder(HistGradientBoostingClassifier())
    with pytest.raises(ValueError, match="The 'estimator' parameter"):
        encoder.fit(texts, classes)


def test_an_error_names_its_fold(make, texts, classes):
    encoder = make(early_stopping=True)
    with pytest.raises(ValueError, match="at least 2 groups") as caught:
        encoder.fit_transform(texts, classes, groups=np.arange(40) % 2)
    assert caught.value.__notes__ == ["In fold 1 of 2 of cv=2."]
