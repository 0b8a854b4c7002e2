"""BertClassifier inside scikit-learn's tools, and many fits in one process."""

import copy
import gc
import weakref
from pathlib import Path

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import StackingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_validate
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline

from classifier.weights import assert_same_weights
from sklearn_bert import BertClassifier
from sklearn_bert._engine.training.loop import FineTuning
from sklearn_bert._engine.training.model.trainable import TrainableEncoder

HEAVY = (FineTuning, TrainableEncoder)


@pytest.fixture(scope="module")
def y(texts):
    return np.array(["long" if len(text) > 60 else "short" for text in texts])


@pytest.fixture
def classifier(tiny_bert):
    return BertClassifier(tiny_bert, n_epochs=2, learning_rate=1e-3, random_state=0)


@pytest.mark.parametrize(
    ("n_jobs", "backend"), [(1, "loky"), (2, "loky"), (2, "threading")]
)
def test_grid_search_tries_rates_and_epochs(classifier, texts, y, n_jobs, backend):
    import joblib

    grid = {"learning_rate": [1e-12, 3e-3], "n_epochs": [1, 8]}
    classifier.set_params(init="zeros", contrastive=0)
    with joblib.parallel_config(backend, n_jobs=n_jobs):
        search = GridSearchCV(classifier, grid, cv=3, n_jobs=n_jobs).fit(texts, y)
    assert search.best_params_ == {"learning_rate": 3e-3, "n_epochs": 8}
    assert search.best_score_ > 0.7
    assert search.predict(texts).shape == (40,)


def test_cross_val_predict_gives_each_text_a_probability(classifier, texts, y):
    chances = cross_val_predict(classifier, texts, y, cv=3, method="predict_proba")
    np.testing.assert_allclose(chances.sum(axis=1), 1, atol=1e-6)
    assert ((chances[:, 0] > 0.5) == (y == "long")).mean() > 0.7


def test_calibration_keeps_the_labels(classifier, texts, y):
    calibrated = CalibratedClassifierCV(classifier, cv=2).fit(texts, y)
    assert calibrated.predict_proba(texts).shape == (40, 2)
    assert set(calibrated.predict(texts)) <= {"long", "short"}


# Temperature scaling is new in scikit-learn 1.8.
METHODS = ["sigmoid", "isotonic"]
if tuple(map(int, sklearn.__version__.split(".")[:2])) >= (1, 8):
    METHODS.append("temperature")


def by_length(texts, n_classes):
    """Return as many texts of each label, the shortest ones first."""
    ranks = np.argsort(np.argsort([len(text) for text in texts]))
    return np.array(["short", "long", "very long"])[ranks * n_classes // len(texts)]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_fitted_classifier_is_calibrated_without_training(
    classifier, texts, encoded_texts, method, n_classes
):
    y = by_length(texts, n_classes)
    classifier.fit(texts[:20], y[:20])
    before = copy.deepcopy(classifier)
    encoded_texts.clear()
    calibrated = CalibratedClassifierCV(FrozenEstimator(classifier), method=method)
    calibrated.fit(texts[20:], y[20:])
    assert sum(encoded_texts) == len(set(texts[20:]))
    assert_same_weights(classifier, before)
    chances = calibrated.predict_proba(texts)
    np.testing.assert_allclose(chances.sum(axis=1), 1)


@pytest.mark.skipif("temperature" not in METHODS, reason="needs scikit-learn 1.8")
@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_temperature_divides_the_logits(classifier, texts, n_classes):
    y = by_length(texts, n_classes)
    classifier.fit(texts[:20], y[:20])
    frozen = FrozenEstimator(classifier)
    calibrated = CalibratedClassifierCV(frozen, method="temperature")
    chances = np.log(calibrated.fit(texts[20:], y[20:]).predict_proba(texts))
    before = classifier.predict_log_proba(texts)
    # The same for all classes and texts.
    ratios = (chances[:, 1:] - chances[:, :1]) / (before[:, 1:] - before[:, :1])
    np.testing.assert_allclose(ratios, ratios[0, 0], rtol=1e-3)


def test_one_classifier_per_class(classifier, texts):
    y = np.arange(40) % 3
    several = OneVsRestClassifier(classifier).fit(texts, y)
    assert len(several.estimators_) == 3
    assert several.decision_function(texts).shape == (40, 3)


def test_stacking_joins_it_with_tfidf(classifier, texts, y):
    tfidf = make_pipeline(TfidfVectorizer(), LogisticRegression())
    stack = StackingClassifier([("bert", classifier), ("tfidf", tfidf)], cv=2)
    assert stack.fit(texts, y).score(texts, y) > 0.7


def test_a_pipeline_remembers_its_features(classifier, texts, y, tmp_path):
    pipeline = make_pipeline(classifier, LogisticRegression(), memory=str(tmp_path))
    expected = pipeline.fit(texts, y).predict_proba(texts)
    with pytest.MonkeyPatch.context() as patch:
        # Nothing is trained.
        patch.setattr("torch.optim.AdamW.step", None)
        again = pipeline.fit(texts, y).predict_proba(texts)
    assert np.array_equal(expected, again)


def test_its_features_stand_next_to_others(classifier, texts, y):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"text": texts, "n": np.arange(40.0)})
    columns = ColumnTransformer(
        [("text", classifier, "text")], remainder="passthrough"
    ).set_output(transform="pandas")
    out = columns.fit_transform(frame, y)
    assert out.shape == (40, 33)
    assert out.columns[0] == "text__bertclassifier0"


def test_weights_are_routed_through_a_pipeline(classifier, texts, y):
    weights = np.r_[np.zeros(10), np.ones(30)]
    with sklearn.config_context(enable_metadata_routing=True):
        classifier.set_fit_request(sample_weight=True)
        # A scorer of its own: scikit-learn 1.6 does not route to a pipeline's score.
        scorer = get_scorer("accuracy").set_score_request(sample_weight=True)
        routed = make_pipeline(classifier).fit(texts, y, sample_weight=weights)
        params = {"sample_weight": np.ones(40)}
        scores = cross_validate(routed, texts, y, cv=2, scoring=scorer, params=params)
    assert np.isfinite(scores["test_score"]).all()
    # A pipeline does not clone its last step.
    without = clone(classifier).fit(texts[10:], y[10:])
    assert np.array_equal(routed.predict_proba(texts), without.predict_proba(texts))


def resident_mib():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux")
def test_many_fits_leave_no_memory_behind(classifier, texts, y):
    # A training kept alive would hold more than a megabyte.
    classifier.set_params(n_epochs=1)
    for _ in range(5):
        classifier.fit(texts, y).predict(texts)
    gc.collect()
    before = resident_mib()
    for _ in range(25):
        classifier.fit(texts, y).predict(texts)
    gc.collect()
    assert resident_mib() - before < 25


def trainings():
    return [x for x in gc.get_objects() if type(x) in HEAVY]


def test_of_a_training_nothing_is_left(classifier, texts, y):
    made, before = [], trainings()

    def watch(state):
        new = [x for x in trainings() if all(x is not old for old in before)]
        made.extend(map(weakref.ref, new))

    classifier.set_params(callbacks=[watch])
    for _ in range(2):
        classifier.fit(texts, y)
    gc.collect()
    assert len(made) >= 2 * len(HEAVY)
    assert {thing() for thing in made} == {None}
