"""Every estimator inside scikit-learn's tools, at its place in each of them."""

import os

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor

# Its import alone makes HalvingGridSearchCV importable.
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    HalvingGridSearchCV,
    KFold,
    cross_validate,
)
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_html_repr

from contract.checkpoint import CHECKPOINT
from contract.comparing import assert_same, assert_same_outputs, outputs
from contract.references import subjects_of
from contract.registry import SUBJECTS, TOPICS

LENGTHS = {"max_length": [32, 64]}
SPLITS = KFold(2)
OF_TEXTS = "transformer of texts"


def subjects(chosen):
    return pytest.mark.parametrize("subject", chosen, ids=str)


def of_kind(kind):
    return subjects(subjects_of(kind))


def can_score(subject):
    return hasattr(subject.estimator, "score")


@subjects([x for x in subjects_of(OF_TEXTS) if "multilabel" not in x.kinds])
def test_its_features_feed_a_pipeline_whose_settings_are_searched(subject):
    head = Ridge() if "regressor" in subject.kinds else LogisticRegression()
    pipeline = make_pipeline(subject.make(), StandardScaler(), head)
    name = pipeline.steps[0][0]
    grid = {f"{name}__{parameter}": values for parameter, values in LENGTHS.items()}
    y = TOPICS if subject.y is None else subject.y
    search = GridSearchCV(pipeline, grid, cv=SPLITS, error_score="raise")
    assert search.fit(subject.X, y).score(subject.X, y) > 0.5


@of_kind(OF_TEXTS)
def test_its_features_stand_next_to_numbers(subject):
    frame = pd.DataFrame(
        {"text": subject.X, "n": np.arange(len(subject.X), dtype=float)}
    )
    columns = ColumnTransformer(
        [("text", subject.make(), "text"), ("n", "passthrough", ["n"])]
    )
    features = columns.fit_transform(frame, subject.y)
    assert_same(features[:, :-1], subject.fit().transform(subject.X))
    names = columns.get_feature_names_out()
    assert len(names) == features.shape[1]
    assert names[0].startswith("text__")


@of_kind(OF_TEXTS)
def test_its_features_are_joined_with_those_of_tfidf(subject):
    tfidf = TfidfVectorizer()
    union = FeatureUnion([("bert", subject.make()), ("tfidf", tfidf)])
    features = union.fit_transform(subject.X, subject.y).toarray()
    own = subject.fit().transform(subject.X)
    np.testing.assert_allclose(features[:, : own.shape[1]], own)
    counts = clone(tfidf).fit_transform(subject.X).toarray()
    np.testing.assert_allclose(features[:, own.shape[1] :], counts)


@subjects([x for x in SUBJECTS if can_score(x)])
def test_its_settings_are_searched(subject):
    search = GridSearchCV(subject.make(), LENGTHS, cv=SPLITS, error_score="raise")
    search.fit(subject.X, subject.y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    best = subject.fit(**search.best_params_)
    assert_same_outputs(
        outputs(search.best_estimator_, subject.X), outputs(best, subject.X)
    )


@subjects([x for x in SUBJECTS if "n_epochs" in x.params and can_score(x)])
def test_halving_spends_epochs_on_the_better_settings(subject):
    search = HalvingGridSearchCV(
        subject.make(),
        {"learning_rate": [1e-5, 1e-4, 1e-3, 1e-2]},
        resource="n_epochs",
        min_resources=1,
        max_resources=4,
        factor=2,
        cv=SPLITS,
        random_state=0,
        error_score="raise",
    ).fit(subject.X, subject.y)
    assert search.n_resources_ == [1, 2, 4]
    assert search.n_candidates_ == [4, 2, 1]
    assert search.best_estimator_.n_epochs == 4


@subjects([x for x in SUBJECTS if can_score(x)])
@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_two_workers_score_as_one_does(subject, backend):
    # Other processes do not know the registry's checkpoint, but its folder.
    estimator = subject.make(model=os.fspath(CHECKPOINT))
    scores = []
    for n_jobs in (1, 2):
        with joblib.parallel_config(backend):
            results = cross_validate(
                estimator, subject.X, subject.y, cv=SPLITS, n_jobs=n_jobs
            )
        scores.append(results["test_score"])
    np.testing.assert_allclose(*scores)


@of_kind("any")
def test_a_frozen_one_survives_clones_and_fits(subject):
    frozen = FrozenEstimator(subject.fit())
    expected = outputs(frozen, subject.X)
    again = clone(frozen).fit(subject.X[:2], None)
    assert_same_outputs(outputs(again, subject.X), expected)


@of_kind("any")
def test_its_diagram_shows_it(subject):
    for estimator in (subject.make(), subject.fit()):
        diagram = estimator_html_repr(make_pipeline(estimator))
        assert type(estimator).__name__ in diagram


@subjects([x for x in subjects_of("weighted") if can_score(x)])
def test_weights_reach_it_through_a_pipeline_and_a_search(subject):
    weights = 1.0 + np.arange(len(subject.X)) % 3
    with sklearn.config_context(enable_metadata_routing=True):
        estimator = subject.make().set_fit_request(sample_weight=True)
        estimator.set_score_request(sample_weight=True)
        search = GridSearchCV(
            estimator, {"max_length": [64]}, cv=SPLITS, error_score="raise"
        )
        pipeline = make_pipeline(search)
        pipeline.fit(subject.X, subject.y, sample_weight=weights)
    direct = subject.make(max_length=64)
    direct.fit(subject.X, subject.y, sample_weight=weights)
    assert_same_outputs(outputs(pipeline, subject.X), outputs(direct, subject.X))


@subjects([x for x in SUBJECTS if "early_stopping" in x.make().get_params()])
def test_groups_reach_its_validation_split_through_a_pipeline_and_a_search(subject):
    groups = np.arange(len(subject.X)) % 8
    group_of = {str(x): group for x, group in zip(subject.X, groups, strict=True)}
    seen = []

    def scorer(estimator, X, y):
        seen.append(sorted(group_of[str(x)] for x in X))
        return 0.5

    changes = {"early_stopping": True, "validation_fraction": 0.3, "scoring": scorer}
    with sklearn.config_context(enable_metadata_routing=True):
        search = GridSearchCV(
            make_pipeline(subject.make(**changes).set_fit_request(groups=True)),
            {},
            cv=GroupKFold(2),
            scoring=lambda *args: 0.5,
            error_score="raise",
        )
        search.fit(subject.X, subject.y, groups=groups)
    # Three samples of each of two groups, and none of the rest of a group.
    assert seen
    for held_out in seen:
        assert len(held_out) == 3 * len(set(held_out)) in (3, 6, 9)


@of_kind("regressor")
def test_targets_are_transformed_around_it(subject):
    y = np.exp(np.asarray(subject.y) / 10)
    regressor = TransformedTargetRegressor(
        subject.make(), func=np.log, inverse_func=np.exp
    )
    predicted = regressor.fit(subject.X, y).predict(subject.X)
    expected = subject.fit(subject.X, np.log(y)).predict(subject.X)
    np.testing.assert_allclose(predicted, np.exp(expected), rtol=1e-5)
