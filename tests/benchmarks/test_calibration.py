"""Scores of probabilities and their corrections, in benchmarks/accuracy/calibration."""

import numpy as np
import pytest
import sklearn
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

from benchmarks.accuracy.calibration import (
    METHODS,
    UNCALIBRATED,
    calibrate,
    expected_calibration_error,
    parse_arguments,
    run,
    score,
)
from benchmarks.shared.setup import Setup
from sklearn_bert import BertClassifier

pytestmark = pytest.mark.skipif(
    tuple(map(int, sklearn.__version__.split(".")[:2])) < (1, 8),
    reason="temperature scaling needs scikit-learn 1.8",
)


def test_the_calibration_error_is_the_mean_gap_of_the_bins():
    # Two bins of three and one texts: gaps of 0.9 - 2 / 3 and 1 - 0.5.
    confidence = np.array([0.9, 0.9, 0.9, 0.5])
    is_correct = np.array([True, False, True, True])
    error = expected_calibration_error(is_correct, confidence)
    assert error == pytest.approx(3 / 4 * (0.9 - 2 / 3) + 1 / 4 * 0.5)


def test_probabilities_of_one_are_in_the_last_bin():
    assert expected_calibration_error(np.array([True]), np.array([1.0])) == 0


def test_scores_are_those_of_the_most_probable_class():
    y, classes = np.array(["a", "b"]), np.array(["a", "b"])
    found = score(y, np.array([[0.75, 0.25], [0.75, 0.25]]), classes)
    assert found["accuracy"] == 0.5
    assert found["calibration_error"] == pytest.approx(0.25)
    assert found["log_loss"] == pytest.approx(-np.log(0.75 * 0.25) / 2)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("method", METHODS)
def test_a_correction_is_that_of_the_documented_line(
    tiny_bert, texts, method, n_classes
):
    y = np.array(["a", "b", "c"])[np.arange(40) % n_classes]
    classifier = BertClassifier(tiny_bert, n_epochs=1, random_state=0)
    classifier.fit(texts[:20], y[:20])
    logits = classifier.decision_function(texts)
    found = calibrate(method, logits[20:], y[20:], logits)
    if method == UNCALIBRATED:
        expected = classifier
    else:
        expected = CalibratedClassifierCV(FrozenEstimator(classifier), method=method)
        expected.fit(texts[20:], y[20:])
    np.testing.assert_allclose(found, expected.predict_proba(texts), atol=1e-5)


def test_every_method_is_measured(tmp_path, tiny_bert, monkeypatch):
    monkeypatch.setattr("benchmarks.accuracy.calibration.set_threads", lambda n: None)
    (tmp_path / "sst2").mkdir()
    rows = "text\tlabel\n" + "a film\tup\na story\tdown\n" * 20
    for split in ("train", "test"):
        (tmp_path / "sst2" / f"{split}.tsv").write_text(rows, encoding="utf-8")
    arguments = ["--data", str(tmp_path), "--sets", "sst2", "--seeds", "1"]
    arguments += ["--n-train", "20", "--n-calibrate", "20"]
    result = run(parse_arguments(arguments), Setup(str(tiny_bert), 16, "cpu", 1))
    assert [row["arm"] for row in result["rows"]] == [*METHODS]
    assert all(row["accuracy"]["n"] == 1 for row in result["rows"])
