"""A checksum of all that an estimator's results depend on."""

import os
import pickle
import subprocess
import sys
from functools import partial

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.preprocessing import FunctionTransformer

from sklearn_bert import BertVectorizer, load
from sklearn_bert.streaming._fingerprint import fingerprint


@pytest.fixture
def copies(classifier, pipeline, vectorizer):
    """Estimators, each of which a test may change."""
    return [pickle.loads(pickle.dumps(x)) for x in (classifier, pipeline, vectorizer)]


def test_copies_have_the_same(classifier, pipeline, vectorizer, copies, tmp_path):
    kinds = [classifier, pipeline, vectorizer]
    found = [fingerprint(one) for one in kinds]
    assert [fingerprint(one) for one in copies] == found
    classifier.save(tmp_path / "saved")
    assert fingerprint(load(tmp_path / "saved")) == found[0]
    assert len(set(found)) == 3


def test_another_process_finds_the_same(pipeline, tmp_path):
    joblib.dump((pipeline, TfidfVectorizer().fit(["a film", "b"])), tmp_path / "x")
    code = (
        "import sys, joblib; from sklearn_bert.streaming._fingerprint import "
        "fingerprint; print(*map(fingerprint, joblib.load(sys.argv[1])))"
    )
    command = [sys.executable, "-P", "-c", code, str(tmp_path / "x")]
    environment = os.environ | {"PYTHONHASHSEED": "7"}
    printed = subprocess.check_output(command, text=True, env=environment).split()
    assert printed == [*map(fingerprint, joblib.load(tmp_path / "x"))]


@pytest.mark.parametrize("name", ["batch_size", "device", "verbose"])
def test_what_changes_no_result_does_not_count(copies, name):
    old = [fingerprint(one) for one in copies]
    classifier, pipeline, vectorizer = copies
    value = {"batch_size": 3, "device": "cpu", "verbose": 1}[name]
    classifier.set_params(**{name: value})
    pipeline.set_params(**{f"bertvectorizer__{name}": value})
    vectorizer.set_params(**{name: value})
    assert [fingerprint(one) for one in copies] == old


def test_parameters_weights_and_steps_count(copies):
    old = [fingerprint(one) for one in copies]
    classifier, pipeline, vectorizer = copies
    vectorizer.set_params(pooling="max")
    classifier.coef_ = classifier.coef_ * 1.0001
    pipeline[-1].intercept_ = pipeline[-1].intercept_ + 1e-6
    for one, other in zip(copies, old, strict=True):
        assert fingerprint(one) != other


def test_the_encoder_counts(classifier, vectorizer):
    inner = BertVectorizer(FrozenEstimator(classifier))
    assert fingerprint(inner) == fingerprint(clone(inner))
    other = pickle.loads(pickle.dumps(classifier))
    name, weights = next(iter(other.encoder_.weights.items()))
    other.encoder_.weights[name] = weights + 1e-3
    assert fingerprint(BertVectorizer(FrozenEstimator(other))) != fingerprint(inner)


def test_the_files_of_a_checkpoint_count_before_a_fit(own_bert, edit_config):
    vectorizer = BertVectorizer(own_bert)
    old = fingerprint(vectorizer)
    edit_config(own_bert, layer_norm_eps=0.1)
    assert fingerprint(vectorizer) != old


def test_functions_count_by_their_code():
    def add(X):
        return X + 1

    one = fingerprint(FunctionTransformer(add))

    def add(X):
        return X - 1

    assert fingerprint(FunctionTransformer(add)) != one


def multiply(factor):
    return lambda X: X * factor


def with_default(factor):
    return lambda X, factor=factor: X * factor


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (lambda X: X * 0.5, lambda X: X * 1.5),
        (lambda X: np.sin(X), lambda X: np.cos(X)),
        (lambda X: [x * 0.5 for x in X], lambda X: [x * 1.5 for x in X]),
        (multiply(2), multiply(3)),
        (with_default(2), with_default(3)),
        (partial(lambda X, k: X * k, k=2), partial(lambda X, k: X * k, k=3)),
    ],
)
def test_numbers_and_names_in_functions_count(one, other):
    assert fingerprint(one) == fingerprint(one)
    assert fingerprint(one) != fingerprint(other)


def test_a_function_may_use_modules_and_itself():
    import math

    def sine(X):
        return math.sin(X) if X else sine(X)

    fingerprint(sine)


def test_an_object_may_contain_itself(pipeline):
    pipeline = clone(pipeline)
    pipeline.owner = pipeline
    fingerprint(pipeline)


def test_the_order_of_attributes_does_not_count():
    # It is another after loading.
    first, second = FunctionTransformer(np.exp), FunctionTransformer(np.exp)
    first.a_, first.b_ = 1, 2
    second.b_, second.a_ = 2, 1
    assert fingerprint(first) == fingerprint(second)


@pytest.mark.parametrize(
    "other", [np.zeros((3, 2), np.float32), np.zeros((2, 3), np.int32)]
)
def test_arrays_of_the_same_bytes_may_differ(other):
    first, second = FunctionTransformer(np.exp), FunctionTransformer(np.exp)
    first.weights_, second.weights_ = np.zeros((2, 3), np.float32), other
    assert first.weights_.tobytes() == other.tobytes()
    assert fingerprint(first) != fingerprint(second)
