"""Estimators as joblib and cloudpickle store them."""

import subprocess
import sys

import joblib
import numpy as np
import pytest

from saving.cases import QUICK, TEXTS
from sklearn_bert import BertClassifier

ONE_OF_EACH = [
    "a number",
    "classes, in parts",
    "counts of a learned vocabulary",
    "features of a new model",
    "a new model",
    "tags",
]
LABELS = ["a", "b"] * 6


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_a_compressed_file_gives_the_same_answers(name, case, tmp_path):
    one, path = case(name), tmp_path / "model"
    joblib.dump(one.estimator, path, compress=3)
    assert one.answers(joblib.load(path)) == one.answers()


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_a_memory_map_gives_the_same_answers_and_is_not_copied(name, case, tmp_path):
    one, path = case(name), tmp_path / "model"
    joblib.dump(one.estimator, path)
    mapped = joblib.load(path, mmap_mode="r")
    assert one.answers(mapped) == one.answers()
    if hasattr(mapped, "encoder_"):
        kinds = set(map(type, mapped.encoder_.weights.values()))
        assert kinds == {np.memmap}


def test_training_continues_from_a_read_only_memory_map(case, tmp_path):
    one, path = case("classes, in parts"), tmp_path / "model"
    joblib.dump(one.estimator, path)
    saved = path.read_bytes()
    mapped = joblib.load(path, mmap_mode="r").partial_fit(TEXTS, LABELS)
    expected = joblib.load(path).partial_fit(TEXTS, LABELS)
    assert one.answers(mapped) == one.answers(expected) != one.answers()
    assert path.read_bytes() == saved


def test_workers_read_the_weights_from_a_memory_map(case):
    one = case("classes of texts")
    # From one byte on, joblib writes arrays to files that the workers map.
    run = joblib.Parallel(n_jobs=2, max_nbytes=1)
    found = run(joblib.delayed(one.estimator.predict)([text]) for text in TEXTS[:4])
    assert np.concatenate(found).tolist() == one.estimator.predict(TEXTS[:4]).tolist()


def test_cloudpickle_takes_classes_and_functions_along(tiny_bert, tmp_path):
    cloudpickle = pytest.importorskip("cloudpickle")

    class Shouting(BertClassifier):
        def predict(self, X):
            return [label.upper() for label in super().predict(X)]

    def scoring(estimator, X, y):
        return 1.0

    fitted = Shouting(str(tiny_bert), scoring=scoring, **QUICK).fit(TEXTS, LABELS)
    path, answers = tmp_path / "model", tmp_path / "answers"
    path.write_bytes(cloudpickle.dumps(fitted))
    code = (
        "import sys, pickle, joblib; from pathlib import Path; "
        "estimator = pickle.loads(Path(sys.argv[1]).read_bytes()); "
        "found = estimator.predict(sys.argv[3:]), estimator.scoring(None, [], []); "
        "joblib.dump(found, sys.argv[2])"
    )
    arguments = [str(path), str(answers), *TEXTS[:2]]
    subprocess.run([sys.executable, "-P", "-c", code, *arguments], check=True)
    assert joblib.load(answers) == (fitted.predict(TEXTS[:2]), 1.0)
