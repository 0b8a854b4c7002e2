"""Two processes that torchrun starts train as one, on a CPU with gloo."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import joblib
import numpy as np
import pytest

from several_ranks.fits import describe, fit_all

pytestmark = pytest.mark.distributed

_EXACT = ["classifier", "contrastive", "regressor", "tags", "masked", "stopped"]
# -P: not the source tree that the tests may have been started in.
_PYTHON = [sys.executable, "-P"]


def _environment(**changes):
    paths = [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    path = os.pathsep.join(filter(None, paths))
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", **changes}


@pytest.fixture(scope="module")
def launched(tiny_bert, tmp_path_factory):
    """What both ranks found, and what they printed."""
    out = tmp_path_factory.mktemp("ranks")
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    fits = ["-m", "several_ranks.fits", "main", str(tiny_bert), str(out)]
    done = subprocess.run(
        [*_PYTHON, *torchrun, *fits],
        env=_environment(),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=300,
    )
    return [joblib.load(out / f"{rank}.joblib") for rank in (0, 1)], done.stdout


@pytest.fixture(scope="module")
def ranks(launched):
    return launched[0]


@pytest.fixture(scope="module")
def alone(tiny_bert, tmp_path_factory):
    """What one process finds."""
    fitted = fit_all(str(tiny_bert), tmp_path_factory.mktemp("checkpoints"))
    return {name: describe(estimator) for name, estimator in fitted.items()}


@pytest.mark.parametrize("name", _EXACT)
def test_two_ranks_learn_the_weights_of_one_process(ranks, alone, name):
    found, expected = ranks[0][name]["weights"], alone[name]["weights"]
    assert found.keys() == expected.keys()
    for key, weight in expected.items():
        # They cancel in the softmax of attention: their gradients are rounding errors.
        if not key.endswith("key.bias"):
            np.testing.assert_allclose(found[key], weight, atol=1e-5, err_msg=key)


@pytest.mark.parametrize("name", _EXACT)
def test_two_ranks_report_the_losses_of_one_process(ranks, alone, name):
    expected = alone[name]["loss_curve"]
    np.testing.assert_allclose(ranks[0][name]["loss_curve"], expected, atol=1e-5)


@pytest.mark.parametrize("name", [*_EXACT, "without a seed"])
def test_ranks_have_the_same_weights(ranks, name):
    first, second = (found[name]["weights"] for found in ranks)
    assert all(np.array_equal(first[key], second[key]) for key in first)


def test_ranks_stop_early_alike(ranks, alone):
    first, second = (found["stopped"]["scores"] for found in ranks)
    assert first == second
    assert 1 < len(first) < 10
    np.testing.assert_allclose(first, alone["stopped"]["scores"], atol=1e-5)


def test_rank_0_calls_callbacks_and_both_stop(ranks):
    assert [found["callback"] for found in ranks] == [(2, 2), (0, 2)]


def test_an_error_of_a_callback_ends_both(ranks):
    first, second = (found["failing callback"] for found in ranks)
    assert first == ("ValueError", "no epoch is wanted")
    assert second[0] == "DistributedError"
    assert "It failed with ValueError: no epoch is wanted. Correct" in second[1]


def test_other_texts_are_refused_by_both(ranks):
    for found in ranks:
        name, message = found["other texts"]
        assert name == "DistributedError"
        assert "must have the same X, y and parameters" in message


def test_both_diverge_at_the_same_step(ranks):
    first, second = (found["diverging"] for found in ranks)
    assert first == second
    assert first[0] == "DivergenceError"


def test_only_rank_0_prints(launched):
    assert launched[1].count("BertClassifier fit") == 1


def test_each_rank_fits_alone_if_it_is_asked_to(ranks):
    first, second = (found["alone"]["weights"]["coef"] for found in ranks)
    assert not np.allclose(first, second)


def test_a_rank_that_dies_ends_the_other(tiny_bert):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    # Without torchrun, which would end the other one itself.
    settings = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    first, second = (
        subprocess.Popen(
            [*_PYTHON, "-m", "several_ranks.fits", "die", str(tiny_bert)],
            env=_environment(**settings, RANK=rank, LOCAL_RANK=rank),
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in "01"
    )
    with first, second:
        second.wait(120)
        died = time.monotonic()
        printed, _ = first.communicate(timeout=60)
    assert second.returncode != 0
    assert time.monotonic() - died < 30
    assert "DistributedError" in printed
    assert "Rank 0 of 2 cannot reach another one" in printed
