"""BertClassifier on a GPU."""

import gc
import pickle

import numpy as np
import pytest
import torch

from sklearn_bert import BertClassifier
from sklearn_bert.exceptions import DeviceMemoryError, MemoryWarning

pytestmark = pytest.mark.gpu


def test_a_fit_on_the_gpu_gives_results_on_the_cpu(make, texts, labels):
    classifier = make(n_epochs=30, dropout=0.0).fit(texts, labels)
    assert classifier.device_.startswith("cuda")
    assert classifier.score(texts, labels) > 0.8
    assert isinstance(classifier.transform(texts), np.ndarray)
    assert b"cuda" not in pickle.dumps(classifier.encoder_)


@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_the_gpu_learns_what_the_cpu_learns(make, texts, labels, pooling):
    options = {"dtype": "float64", "dropout": 0.0, "pooling": pooling}
    on_gpu = make(**options).fit(texts, labels)
    on_cpu = make(**options, device="cpu").fit(texts, labels)
    np.testing.assert_allclose(
        on_gpu.set_params(device="cpu").predict_proba(texts),
        on_cpu.predict_proba(texts),
        atol=1e-5,
    )


def test_the_gpus_own_format_learns_about_the_same(make, texts, labels):
    options = {"dropout": 0.0, "n_epochs": 10}
    on_gpu = make(**options, dtype="auto").fit(texts, labels)
    on_cpu = make(**options, device="cpu").fit(texts, labels)
    np.testing.assert_allclose(on_gpu.loss_curve_, on_cpu.loss_curve_, atol=0.05)


@pytest.mark.parametrize("dtype", ["auto", "float32"])
def test_two_fits_on_the_gpu_have_the_same_weights(make, texts, labels, dtype):
    first, second = (make(dtype=dtype).fit(texts, labels) for _ in range(2))
    for name, weight in first.encoder_.weights.items():
        assert np.array_equal(weight, second.encoder_.weights[name]), name


def test_a_fit_on_the_gpu_predicts_in_a_process_without_one(
    make, texts, labels, call_elsewhere, monkeypatch
):
    classifier = make().fit(texts, labels)
    expected = classifier.predict_proba(texts)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    found = call_elsewhere(classifier, "predict_proba", texts)
    np.testing.assert_allclose(found, expected, atol=1e-4)


# --- memory that is short ----------------------------------------------------------

MIB = 2**20


@pytest.fixture
def limit_memory():
    """Return a function that leaves this process so many bytes of the GPU's memory."""

    def limit(n_bytes):
        gc.collect()
        torch.cuda.empty_cache()
        total = torch.cuda.get_device_properties(0).total_memory
        share = (torch.cuda.memory_reserved() + n_bytes) / total
        torch.cuda.set_per_process_memory_fraction(share)

    yield limit
    torch.cuda.set_per_process_memory_fraction(1.0)


@pytest.fixture(scope="module")
def wide_bert(save_model, tmp_path_factory):
    """A model whose numbers count in memory: 256 texts take hundreds of megabytes."""
    folder = tmp_path_factory.mktemp("models") / "wide-bert"
    return save_model(folder, hidden_size=256, intermediate_size=1024)


@pytest.fixture
def make_wide(wide_bert):
    def make_wide(**changes):
        options = {"n_epochs": 2, "dropout": 0.0, "init": "zeros", "random_state": 0}
        options |= {"batch_size": 512, "dtype": "float32", "learning_rate": 1e-4}
        # Only without it does splitting a batch change nothing.
        options["contrastive"] = 0
        return BertClassifier(wide_bert, **{**options, **changes})

    return make_wide


def test_short_memory_is_met_by_smaller_parts(make_wide, limit_memory):
    texts, labels = ["good film " * 20, "bad plot " * 20] * 256, ["a", "b"] * 256
    expected = make_wide().fit(texts, labels)
    limit_memory(300 * MIB)
    with pytest.warns(MemoryWarning, match="into parts of") as caught:
        found = make_wide().fit(texts, labels)
    assert len(caught) == 1
    np.testing.assert_allclose(
        found.predict_proba(texts[:2]), expected.predict_proba(texts[:2]), atol=1e-4
    )


def test_memory_for_nothing_is_told_with_remedies(make_wide, limit_memory):
    limit_memory(0)
    with pytest.raises(DeviceMemoryError, match=r"does not fit .*set device='cpu'"):
        make_wide().fit(["good film", "bad film"], ["a", "b"])


def test_predictions_need_little_memory(make_wide, limit_memory):
    texts, labels = ["good film " * 20, "bad plot " * 20] * 1024, ["a", "b"] * 1024
    classifier = make_wide(n_epochs=1).fit(texts[:64], labels[:64])
    expected = classifier.predict_proba(texts)
    limit_memory(60 * MIB)
    found = classifier.predict_proba(texts)
    np.testing.assert_allclose(found, expected, atol=1e-5)
