"""BertClassifier on a GPU."""

import pickle

import numpy as np
import pytest


@pytest.mark.gpu
def test_a_fit_on_the_gpu_gives_results_on_the_cpu(make, texts, labels):
    classifier = make(n_epochs=30, dropout=0.0).fit(texts, labels)
    assert classifier.device_.startswith("cuda")
    assert classifier.score(texts, labels) > 0.8
    assert isinstance(classifier.transform(texts), np.ndarray)
    assert b"cuda" not in pickle.dumps(classifier.encoder_)


@pytest.mark.gpu
def test_the_gpu_learns_what_the_cpu_learns(make, texts, labels):
    options = {"dtype": "float64", "dropout": 0.0}
    on_gpu = make(**options).fit(texts, labels)
    on_cpu = make(**options, device="cpu").fit(texts, labels)
    np.testing.assert_allclose(
        on_gpu.set_params(device="cpu").predict_proba(texts),
        on_cpu.predict_proba(texts),
        atol=1e-5,
    )
