"""Which processes train together, and what each of them computes.

What they exchange: tests/several_ranks.
"""

import os
import threading

import joblib
import pytest
import torch

from sklearn_bert._engine.runtime import ranks as module
from sklearn_bert._engine.runtime.ranks import (
    ALONE,
    Ranks,
    find_ranks,
    is_launched,
    local_rank,
)
from sklearn_bert.exceptions import DistributedError

CPU = torch.device("cpu")


@pytest.fixture
def launched(monkeypatch):
    """The environment of the second of two processes of torchrun."""
    values = {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1"}
    for name, value in {**values, "MASTER_ADDR": "::1", "MASTER_PORT": "1"}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def started(monkeypatch):
    """A list of the backends of process groups, which are not made."""
    backends = []
    monkeypatch.setattr(
        module.dist, "init_process_group", lambda name, **_: backends.append(name)
    )
    monkeypatch.setattr(module.dist, "get_rank", lambda: 1)
    monkeypatch.setattr(module.dist, "get_world_size", lambda: 2)
    return backends


def test_the_shares_of_all_ranks_are_the_batch():
    shares = [Ranks(rank, 3).share(range(8)) for rank in range(3)]
    assert sorted(row for own, _ in shares for row in own) == list(range(8))
    assert {weight for _, weight in shares} == {1.0}


def test_a_rank_without_a_share_computes_a_row_that_does_not_count():
    assert Ranks(2, 3).share([7, 8]) == ([7], 0.0)


def test_rank_0_computes_what_is_not_divided():
    assert Ranks(0, 2).share([7, 8], is_divided=False) == ([7, 8], 1.0)
    assert Ranks(1, 2).share([7, 8], is_divided=False) == ([7], 0.0)


def test_one_process_exchanges_nothing():
    tensor = torch.ones(2)
    ALONE.add([tensor])
    ALONE.copy_first([tensor])
    ALONE.check_same([b""])
    assert tensor.tolist() == [1.0, 1.0]
    assert ALONE.broadcast(3) == ALONE.from_first(lambda: 3) == 3
    assert not ALONE.all(False)


def test_a_process_that_torchrun_did_not_start_is_alone(started):
    assert find_ranks(CPU) is ALONE
    assert local_rank() is None


def test_the_environment_tells_the_ranks(launched, started):
    assert find_ranks(CPU) == Ranks(1, 2)
    assert started == ["gloo"]
    assert local_rank() == 1


@pytest.mark.parametrize("missing", module._LAUNCHED)
def test_other_launchers_leave_the_group_to_the_script(
    launched, started, monkeypatch, missing
):
    monkeypatch.delenv(missing)
    assert find_ranks(CPU) is ALONE


def test_a_single_process_of_torchrun_is_alone(launched, started, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert find_ranks(CPU) is ALONE
    assert not started


@pytest.mark.parametrize("value", ["0", "false", "False"])
def test_the_user_may_opt_out(launched, started, monkeypatch, value):
    monkeypatch.setenv("SKLEARN_BERT_DISTRIBUTED", value)
    assert find_ranks(CPU) is ALONE


def test_a_thread_is_alone(launched, started):
    found = []
    thread = threading.Thread(target=lambda: found.append(find_ranks(CPU)))
    thread.start()
    thread.join()
    assert found == [ALONE]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_does_not_use_the_connections_of_its_parent(
    started, monkeypatch
):
    monkeypatch.setattr(module.dist, "is_initialized", lambda: True)
    assert find_ranks(CPU) == Ranks(1, 2)
    child = os.fork()
    if child == 0:
        os._exit(find_ranks(CPU) is not ALONE)
    assert os.waitpid(child, 0)[1] == 0


# It starts processes, which import everything again.
@pytest.mark.distributed
def test_workers_of_joblib_are_alone(launched):
    assert is_launched()
    found = joblib.Parallel(2)(joblib.delayed(is_launched)() for _ in range(2))
    assert found == [False, False]


def test_the_error_of_a_lost_rank_names_the_cause(launched, monkeypatch):
    def fail(*args, **options):
        raise RuntimeError("Connection closed by peer.\nMore")

    monkeypatch.setattr(module.dist, "init_process_group", fail)
    message = (
        r"Rank 1 of 2 cannot reach another one \(Connection closed by peer\). Look"
    )
    with pytest.raises(DistributedError, match=message):
        find_ranks(CPU)
