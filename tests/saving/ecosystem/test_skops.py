"""skops stores and loads estimators, and asks to trust only their public classes."""

import copy
from dataclasses import replace

import numpy as np
import pytest
from sklearn import config_context
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import StackingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler

from saving.cases import CASES, QUICK, TEXTS
from sklearn_bert import BertClassifier, BertMaskedLM, BertTokenizer, BertVectorizer
from sklearn_bert._base import unwrap_frozen
from sklearn_bert.exceptions import SavedFileError

skops = pytest.importorskip("skops.io")

LABELS = ["a", "b"] * 6


def name_of(estimator):
    return f"sklearn_bert.{type(estimator).__name__}"


def reload(estimator, *ours):
    """Return a loaded copy; nothing else of this package than ``ours`` is asked for."""
    saved = skops.dumps(estimator)
    asked = skops.get_untrusted_types(data=saved)
    assert {x for x in asked if not x.startswith("sklearn.")} == {*map(name_of, ours)}
    return skops.loads(saved, trusted=asked)


@pytest.mark.parametrize("name", CASES)
def test_an_estimator_gives_the_same_answers(name, case):
    one = case(name)
    parameters = map(unwrap_frozen, one.estimator.get_params(deep=False).values())
    nested = [value for value in parameters if hasattr(value, "fit")]
    loaded = reload(one.estimator, one.estimator, *nested)
    assert type(loaded) is type(one.estimator)
    assert one.answers(loaded) == one.answers()


@pytest.fixture(scope="module")
def model(case):
    return FrozenEstimator(case("a new model").estimator)


@pytest.fixture(scope="module")
def classifier(model):
    return BertClassifier(model, **QUICK)


def test_a_pipeline(tiny_bert):
    vectorizer = BertVectorizer(str(tiny_bert))
    pipeline = make_pipeline(vectorizer, LogisticRegression()).fit(TEXTS, LABELS)
    expected = pipeline.predict_proba(TEXTS)
    saved = skops.dumps(pipeline)
    trusted = ["sklearn_bert.BertVectorizer"]
    assert skops.get_untrusted_types(data=saved) == trusted
    assert np.array_equal(
        skops.loads(saved, trusted=trusted).predict_proba(TEXTS), expected
    )


def test_a_column_transformer_that_returns_a_frame(model):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"text": TEXTS, "number": np.arange(12.0)})
    columns = make_column_transformer(
        (BertVectorizer(model), ["text"]), (StandardScaler(), ["number"])
    ).set_output(transform="pandas")
    expected = columns.fit_transform(frame)
    loaded = reload(columns, BertVectorizer(), BertMaskedLM())
    pd.testing.assert_frame_equal(loaded.transform(frame), expected)


def test_a_union(model):
    union = make_union(BertVectorizer(model), BertTokenizer(model)).fit(TEXTS)
    loaded = reload(union, BertVectorizer(), BertTokenizer(), BertMaskedLM())
    assert np.array_equal(loaded.transform(TEXTS), union.transform(TEXTS))


@pytest.mark.parametrize(
    "wrap",
    [
        lambda classifier: GridSearchCV(classifier, {"n_epochs": [1, 2]}, cv=2),
        lambda classifier: CalibratedClassifierCV(classifier, cv=2),
        lambda classifier: StackingClassifier([("bert", classifier)], cv=2),
    ],
    ids=["search", "calibrated", "stacking"],
)
def test_a_result_of_cross_validation(classifier, wrap):
    fitted = wrap(classifier).fit(TEXTS, LABELS)
    loaded = reload(fitted, BertClassifier(), BertMaskedLM())
    expected = fitted.predict_proba(TEXTS)
    assert np.array_equal(loaded.predict_proba(TEXTS), expected)


def test_the_best_estimator_of_a_search_needs_no_other_trust(classifier):
    search = GridSearchCV(classifier, {"n_epochs": [1, 2]}, cv=2).fit(TEXTS, LABELS)
    saved = skops.dumps(search.best_estimator_)
    trusted = ["sklearn_bert.BertClassifier", "sklearn_bert.BertMaskedLM"]
    assert skops.get_untrusted_types(data=saved) == trusted
    skops.loads(saved, trusted=trusted)


def test_requests_of_metadata_are_kept(classifier):
    with config_context(enable_metadata_routing=True):
        asking = classifier.set_fit_request(sample_weight="mine")
    loaded = reload(asking, BertClassifier(), BertMaskedLM())
    expected = str(asking.get_metadata_routing())
    assert str(loaded.get_metadata_routing()) == expected
    assert "mine" in expected


def test_training_continues_from_a_loaded_estimator(case):
    one = case("classes, in parts")
    first, second = (reload(one.estimator, one.estimator) for _ in range(2))
    for estimator in (first, second):
        estimator.partial_fit(TEXTS, LABELS)
    assert one.answers(first) == one.answers(second) != one.answers()


def test_a_file_whose_types_are_not_trusted_is_refused(case):
    saved = skops.dumps(case("ids").estimator)
    with pytest.raises(TypeError, match=r"sklearn_bert\.BertTokenizer"):
        skops.loads(saved)


def test_a_changed_record_is_refused(case):
    """The types are all that skops itself checks."""
    estimator = copy.copy(case("a number").estimator)
    estimator._tokenizing = replace(estimator._tokenizing, max_length="many")
    saved = skops.dumps(estimator)
    with pytest.raises(SavedFileError, match="TokenizingConfig"):
        skops.loads(saved, trusted=[name_of(estimator)])


def test_a_file_on_disk(case, tmp_path):
    one, path = case("tags"), tmp_path / "model.skops"
    skops.dump(one.estimator, path)
    loaded = skops.load(path, trusted=[name_of(one.estimator)])
    assert one.answers(loaded) == one.answers()
