"""Several GPUs encode together; only CPUs can be tried here."""

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone

from sklearn_bert import (
    BertClassifier,
    BertMaskedLM,
    BertRegressor,
    BertTokenClassifier,
    BertVectorizer,
    _base,
    load,
)

GPUS = ["cuda:0", "cuda:1"]


@pytest.fixture
def cpus_as_gpus(monkeypatch):
    """Let the CPU be each of two GPUs."""
    devices = (torch.device("cpu"),) * 2
    monkeypatch.setattr(_base, "resolve_devices", lambda _: devices)


def test_features_keep_the_order_of_the_texts(cpus_as_gpus, tiny_bert, texts):
    expected = BertVectorizer(tiny_bert).fit_transform(texts)
    vectorizer = BertVectorizer(tiny_bert, device=GPUS, batch_size=3)
    np.testing.assert_allclose(vectorizer.transform(texts), expected, atol=5e-6)


def test_the_devices_of_fit_are_reported(cpus_as_gpus, tiny_bert, texts):
    assert BertVectorizer(tiny_bert, device=GPUS).fit(texts).device_ == "cpu, cpu"


@pytest.mark.parametrize("kind", [list, tuple])
def test_a_list_survives_copies_and_files(
    cpus_as_gpus, tiny_bert, texts, tmp_path, kind
):
    vectorizer = BertVectorizer(tiny_bert).set_params(device=kind(GPUS)).fit(texts)
    vectorizer.save(tmp_path / "saved")
    copies = clone(vectorizer), pickle.loads(pickle.dumps(vectorizer))
    for copy in (*copies, load(tmp_path / "saved")):
        assert copy.device == kind(GPUS)
        assert len(copy.transform(texts[:2])) == 2


@pytest.mark.parametrize(
    "estimator", [BertClassifier, BertRegressor, BertTokenClassifier, BertMaskedLM]
)
def test_estimators_that_train_refuse_several_devices(estimator, texts):
    message = (
        f"The 'device' parameter of {estimator.__name__} must be a str, since several "
        r"GPUs train one model in several processes, which torchrun starts. "
        r"Got \['cuda:0', 'cuda:1'\] instead."
    )
    with pytest.raises(ValueError, match=message):
        estimator(device=GPUS).fit(texts, texts)
