"""Files of earlier formats load, and give the predictions that they gave."""

import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest

from sklearn_bert import load
from sklearn_bert._saving.schema import FORMAT

FOLDER = Path(__file__).parent / "golden"
TEXTS = ["a cat", "a dog"]
# The files themselves never change: a new format gets new files. The first digits of
# their SHA-256.
DIGESTS = {
    "estimators-0.pickle": "f9edf02feba51734550e28a10572222344909169",
    "estimators-1.pickle": "11ada960bc11854692b857d5b40aaf3fda120230",
    "classifier-1.safetensors": "80a3617a02090a23dac7a2ff01628a022304a9a3",
    "vectorizer-1.safetensors": "60d577fb7b625cdf52f3acf63b44d3fd580d02e3",
}


@pytest.mark.parametrize("name", DIGESTS)
def test_the_file_is_the_one_that_was_written_then(name):
    found = hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()
    assert found.startswith(DIGESTS[name])


PROBABILITIES = [
    [0.500291109085083, 0.4997088611125946],
    [0.5002539753913879, 0.49974602460861206],
]
FEATURES = [
    0.7182812690734863,
    -0.16954711079597473,
    -0.7866665720939636,
    0.23871898651123047,
    0.7164180278778076,
    -0.16612540185451508,
    -0.7884219884872437,
    0.24020254611968994,
]


def test_every_format_has_files():
    kinds = ("classifier", "vectorizer")
    formats = range(1, FORMAT + 1)
    assert {f"{kind}-{k}.safetensors" for kind in kinds for k in formats} <= {*DIGESTS}


def test_a_classifier_of_format_1():
    classifier = load(FOLDER / "classifier-1.safetensors")
    found = classifier.predict_proba(TEXTS)
    np.testing.assert_allclose(found, PROBABILITIES, atol=1e-6)
    # They were written with a row for each of the two classes.
    assert classifier.coef_.shape[0] == len(classifier.intercept_) == 1
    assert classifier.classes_.tolist() == ["cat", "dog"]
    assert classifier.class_weight == {"cat": 2.0}
    assert isinstance(classifier.random_state, np.random.RandomState)
    classifier.partial_fit(TEXTS, ["cat", "dog"])


def test_a_vectorizer_of_format_1_with_a_model_in_half_precision():
    vectorizer = load(FOLDER / "vectorizer-1.safetensors")
    (found,) = vectorizer.transform(TEXTS[:1])
    # The expected values are those of the weights before they were rounded.
    np.testing.assert_allclose(found, FEATURES, atol=0.02)
    assert vectorizer.layers == (0, -1)
    assert np.isfinite(vectorizer.model.score(TEXTS))


@pytest.mark.parametrize("name", ["estimators-0.pickle", "estimators-1.pickle"])
def test_estimators_in_a_pickle(name):
    estimators = pickle.loads((FOLDER / name).read_bytes())
    classifier = estimators["classifier"]
    found = classifier.predict_proba(TEXTS)
    np.testing.assert_allclose(found, PROBABILITIES, atol=1e-6)
    # They were written with a row for each of the two classes.
    assert classifier.coef_.shape[0] == len(classifier.intercept_) == 1
    classifier.partial_fit(TEXTS, ["cat", "dog"])

    # The weights in these files were rounded.
    (found,) = estimators["vectorizer"].transform(TEXTS[:1])
    np.testing.assert_allclose(found, FEATURES, atol=0.02)
    model = estimators["vectorizer"].model
    assert model.vocabulary_ == estimators["tokenizer"].vocabulary_
    found = estimators["tokenizer"].transform(TEXTS)
    assert found.tolist() == [[2, 5, 1, 3, 0, 0], [2, 5, 7, 14, 13, 3]]
