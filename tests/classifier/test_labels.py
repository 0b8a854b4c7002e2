"""What fit accepts as y, score, cross-validation and early stopping accept too."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sklearn
from scipy import sparse
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score

IDS = [2**53, 2**53 + 1]
FLAGS, NAMES = [False, True], ["a", "b"]


def repeated(values, texts):
    return [values["good" in text] for text in texts]


LABELS = {
    "list of int": (list, IDS),
    "uint64": (lambda y: np.array(y, "uint64"), [2**64 - 1, 2**64 - 2]),
    "pandas Int64": (lambda y: pd.Series(y, dtype="Int64"), [3, 5]),
    "pandas int64[pyarrow]": (lambda y: pd.Series(y, dtype="int64[pyarrow]"), [3, 5]),
    "pandas Int64 frame": (lambda y: pd.DataFrame({"y": y}, dtype="Int64"), [3, 5]),
    "pandas boolean": (lambda y: pd.Series(y, dtype="boolean"), FLAGS),
    "pandas string": (lambda y: pd.Series(y, dtype="string"), NAMES),
    "pandas category": (lambda y: pd.Series(y, dtype="category"), NAMES),
    "polars": (pl.Series, IDS),
    "polars frame": (lambda y: pl.DataFrame({"y": y}), NAMES),
    "pyarrow": (pa.array, NAMES),
    "objects": (lambda y: np.array(y, dtype=object), NAMES),
    "dates": (lambda y: np.array(y, "M8[D]"), ["2020-01-01", "2021-01-01"]),
    "masked array without a mask": (np.ma.masked_array, [3, 5]),
}

# Its cross-validation makes lists of pyarrow's scalars, and its scores accept texts
# next to numbers.
IS_OLD = tuple(map(int, sklearn.__version__.split(".")[:2])) < (1, 7)
if IS_OLD:
    del LABELS["pyarrow"]


@pytest.mark.filterwarnings("ignore:A column-vector y was passed")
@pytest.mark.parametrize(("convert", "values"), LABELS.values(), ids=LABELS)
def test_accepted_labels_are_accepted_everywhere(make, texts, convert, values):
    y = convert(repeated(values, texts))
    classifier = make(n_epochs=1).fit(texts, y)
    accuracy = np.mean(
        [a == b for a, b in zip(classifier.predict(texts), np.ravel(y), strict=True)]
    )
    assert classifier.score(texts, y) == pytest.approx(accuracy)
    cv = StratifiedKFold(2)
    for scoring in (None, "f1_macro"):
        scores = cross_val_score(
            make(n_epochs=1), texts, y, cv=cv, scoring=scoring, error_score="raise"
        )
        assert np.isfinite(scores).all()
        stopped = make(n_epochs=1, early_stopping=True, scoring=scoring)
        assert np.isfinite(stopped.fit(texts, y).validation_scores_).all()


def test_a_search_accepts_nullable_labels(make, texts):
    y = pd.Series(repeated(IDS, texts), dtype="Int64")
    search = GridSearchCV(make(n_epochs=1), {"init": ["probe"]}, cv=2)
    assert search.fit(texts, y).best_estimator_.classes_.tolist() == IDS


def test_ids_that_are_equal_as_floats_are_scored_as_given(make, texts):
    ids = repeated(IDS, texts)
    classifier = make(n_epochs=1).fit(texts, ids)
    predicted = classifier.predict(texts)
    swapped = pd.Series(sum(IDS) - predicted, dtype="Int64")
    assert classifier.score(texts, pd.Series(predicted, dtype="Int64")) == 1
    assert classifier.score(texts, swapped) == 0
    assert classifier.score(texts, swapped.astype("uint64")) == 0


@pytest.mark.parametrize("convert", [sparse.csr_array, pd.DataFrame, np.ndarray.tolist])
def test_indicators_are_scored_as_scikit_learn_does(
    fitted_multilabel, texts, indicators, convert
):
    predicted = fitted_multilabel.predict(texts)
    weights = np.arange(1.0, 41.0)
    for given in (None, weights):
        expected = accuracy_score(indicators, predicted, sample_weight=given)
        found = fitted_multilabel.score(texts, convert(indicators), given)
        assert found == pytest.approx(expected)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "requires y to be passed"),
        (["good"], r"inconsistent numbers of samples: \[40, 1\]"),
        (["good", None] * 20, "20 of 40 labels are missing"),
        pytest.param(
            [1, 2] * 20,
            "Mix of label input types",
            marks=pytest.mark.skipif(IS_OLD, reason="needs scikit-learn 1.7"),
        ),
    ],
    ids=["none", "short", "missing", "int"],
)
def test_score_refuses_what_fit_refuses(fitted, texts, y, message):
    with pytest.raises(ValueError, match=message):
        fitted.score(texts, y)


def test_score_weights_texts(fitted, texts, labels):
    is_right = fitted.predict(texts) == labels
    weights = np.where(is_right, 3.0, 1.0)
    expected = np.average(is_right, weights=weights)
    assert fitted.score(texts, labels, sample_weight=weights) == pytest.approx(expected)
    with pytest.raises(ValueError, match="Negative values in data passed"):
        fitted.score(texts, labels, sample_weight=-weights)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_continuing_with_other_integers_does_not_merge_ids(make, texts, method):
    ids = np.array(repeated(IDS, texts))
    classifier = make(n_epochs=1, warm_start=True, class_weight=None)
    classifier.fit(texts, ids.astype("uint64"))
    getattr(classifier, method)(texts, ids)
    assert classifier.classes_.dtype == np.uint64
    assert classifier.classes_.tolist() == IDS
    with pytest.raises(ValueError, match="classes"):
        getattr(classifier, method)(texts, ids + 1)


def test_classes_of_other_integers_are_compared_exactly(make, texts):
    ids = np.array(repeated(IDS, texts))
    classifier = make().partial_fit(texts, ids, classes=np.array(IDS, "uint64"))
    classifier.partial_fit(texts, ids, classes=IDS)
    with pytest.raises(ValueError, match="not the same as on last call"):
        classifier.partial_fit(texts, ids, classes=[2**53, 2**53 + 2])
