"""Files of earlier formats load, and give the predictions that they gave."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from sklearn_bert import load

FOLDER = Path(__file__).parent / "golden"
TEXTS = ["a cat", "a dog"]
# The files themselves never change: a new format gets new files. The first digits of
# their SHA-256.
DIGESTS = {
    "classifier-1.safetensors": "80a3617a02090a23dac7a2ff01628a022304a9a3",
    "vectorizer-1.safetensors": "60d577fb7b625cdf52f3acf63b44d3fd580d02e3",
}


@pytest.mark.parametrize("name", DIGESTS)
def test_the_file_is_the_one_that_was_written_then(name):
    found = hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()
    assert found.startswith(DIGESTS[name])


def test_a_classifier_of_format_1():
    classifier = load(FOLDER / "classifier-1.safetensors")
    expected = [
        [0.500291109085083, 0.4997088611125946],
        [0.5002539753913879, 0.49974602460861206],
    ]
    found = classifier.predict_proba(TEXTS)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert classifier.classes_.tolist() == ["cat", "dog"]
    assert classifier.class_weight == {"cat": 2.0}
    assert isinstance(classifier.random_state, np.random.RandomState)
    classifier.partial_fit(TEXTS, ["cat", "dog"])


def test_a_vectorizer_of_format_1_with_a_model_in_half_precision():
    vectorizer = load(FOLDER / "vectorizer-1.safetensors")
    expected = [
        0.7182812690734863,
        -0.16954711079597473,
        -0.7866665720939636,
        0.23871898651123047,
        0.7164180278778076,
        -0.16612540185451508,
        -0.7884219884872437,
        0.24020254611968994,
    ]
    (found,) = vectorizer.transform(TEXTS[:1])
    # The expected values are those of the weights before they were rounded.
    np.testing.assert_allclose(found, expected, atol=0.02)
    assert vectorizer.layers == (0, -1)
    assert np.isfinite(vectorizer.model.score(TEXTS))
