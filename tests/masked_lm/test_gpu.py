"""BertMaskedLM on a GPU."""

import numpy as np
import pytest

from masked_lm.making import SENTENCES, assert_same_weights, make, weights_of

pytestmark = pytest.mark.gpu


def test_the_gpu_learns_what_the_cpu_learns():
    options = {"n_epochs": 2, "dropout": 0.0, "dtype": "float64"}
    on_gpu = make(**options, device="cuda").fit(SENTENCES)
    expected = weights_of(make(**options).fit(SENTENCES))
    for name, array in weights_of(on_gpu).items():
        np.testing.assert_allclose(array, expected[name], atol=1e-7, err_msg=name)


@pytest.mark.parametrize("dtype", ["auto", "float32"])
def test_two_fits_on_the_gpu_have_the_same_weights(dtype):
    options = {"n_epochs": 2, "dtype": dtype, "device": "cuda"}
    first, second = (make(**options).fit(SENTENCES) for _ in range(2))
    assert_same_weights(first, second)


def test_the_gpu_fills_gaps():
    options = {"n_epochs": 60, "vocab_size": 60, "learning_rate": 1e-2}
    model = make(**options, device="cuda", dtype="auto").fit(SENTENCES)
    assert model.loss_curve_[-1] < 0.6 * model.loss_curve_[0]
    (gaps,) = model.fill_mask(["the [MASK] film was good"], top_k=2)
    assert {token for token, _ in gaps[0]} == {"old", "new"}
