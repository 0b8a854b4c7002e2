"""Worker processes divide the cores and the GPUs."""

import json
import multiprocessing
import os
import subprocess
import sys
import threading
import time

import joblib
import pytest
import torch

from sklearn_bert import BertClassifier
from sklearn_bert._engine.encoding import encode
from sklearn_bert._engine.runtime import workers
from sklearn_bert._engine.runtime.device import resolve_device
from sklearn_bert._engine.runtime.locks import HAS_LOCKS
from sklearn_bert._engine.runtime.workers import take_turn, worker_number
from sklearn_bert._fine_tuning import template

GPU = torch.device("cuda", 0)
needs_locks = pytest.mark.skipif(not HAS_LOCKS, reason="the system has no locks")

THREADS = """
import json, os, sys, time
import joblib, torch
from sklearn_bert import BertTokenizer
from sklearn_bert._engine.runtime.workers import worker_number

def count_threads(_):
    texts = [f"a good film {k}" for k in range(600)]
    before = len(os.listdir("/proc/self/task"))
    BertTokenizer(vocab_size=60).fit_transform(texts)
    n_tokenizing = len(os.listdir("/proc/self/task")) - before
    # Leaves the other task to the other worker.
    time.sleep(1)
    return worker_number(), torch.get_num_threads(), n_tokenizing

config = json.loads(sys.argv[1])
with joblib.parallel_config("loky", **config):
    tasks = [joblib.delayed(count_threads)(k) for k in range(2)]
    print(json.dumps(joblib.Parallel(n_jobs=2)(tasks)))
"""


@pytest.fixture
def name_process(monkeypatch):
    """Return a function that gives this process the name of a worker."""

    def name_process(name):
        monkeypatch.setattr(multiprocessing.current_process(), "_name", name)

    return name_process


@pytest.fixture
def set_gpus(monkeypatch):
    """Return a function that sets the number of GPUs, and the selected one."""

    def set_gpus(count, selected=0):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "_is_in_bad_fork", lambda: False)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
        monkeypatch.setattr(torch.cuda, "current_device", lambda: selected)

    return set_gpus


@pytest.fixture
def turns(monkeypatch, tmp_path):
    """A folder of its own for the locks of this test."""
    monkeypatch.setattr(workers.tempfile, "gettempdir", lambda: str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("MainProcess", None),
        ("LokyProcess-1", 0),
        ("ForkPoolWorker-12", 11),
        ("SpawnProcess-2:3", 2),
    ],
)
def test_workers_have_numbers(name_process, name, number):
    name_process(name)
    assert worker_number() == number


def test_workers_take_the_gpus_in_turn(name_process, set_gpus):
    set_gpus(3)
    found = []
    # Of a second pool, for example, whose workers are not numbered from 1.
    for number in range(5, 10):
        name_process(f"LokyProcess-{number}")
        found.append(resolve_device("auto").index)
    assert found == [1, 2, 0, 1, 2]


def test_a_process_that_is_no_worker_uses_the_selected_gpu(set_gpus):
    set_gpus(3, selected=0)
    assert resolve_device("auto") == torch.device("cuda", 0)


def test_a_gpu_that_a_worker_has_selected_is_used(name_process, set_gpus):
    name_process("SpawnProcess-1")
    set_gpus(3, selected=2)
    assert resolve_device("auto") == torch.device("cuda", 2)


def test_a_named_gpu_is_used_in_every_worker(name_process, set_gpus):
    set_gpus(3)
    name_process("LokyProcess-2")
    assert resolve_device("cuda:0") == torch.device("cuda", 0)


@needs_locks
def test_workers_use_a_gpu_one_after_the_other(turns):
    (turns / "number").write_text("0")
    children = []
    for number in range(4):
        pid = os.fork()
        if not pid:
            status = 1
            try:
                multiprocessing.current_process().name = f"Worker-{number + 1}"
                for _ in range(20):
                    with take_turn(GPU):
                        found = int((turns / "number").read_text())
                        time.sleep(0.001)
                        (turns / "number").write_text(str(found + 1))
                status = 0
            finally:
                os._exit(status)
        children.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 4
    assert (turns / "number").read_text() == "80"
    assert os.listdir(turns) == ["number"]


def has_to_wait(device):
    """Tell whether another thread has to wait for a device."""
    has_turn = threading.Event()

    def take():
        with take_turn(device):
            has_turn.set()

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    return not has_turn.wait(0.3)


@needs_locks
@pytest.mark.parametrize(
    ("name", "device", "waits"),
    [
        ("LokyProcess-1", GPU, True),
        ("LokyProcess-1", torch.device("cuda", 1), False),
        ("LokyProcess-1", torch.device("cpu"), False),
        ("MainProcess", GPU, False),
    ],
    ids=["same", "other GPU", "CPU", "no worker"],
)
def test_only_workers_on_the_same_gpu_wait(turns, name_process, name, device, waits):
    name_process(name)
    with take_turn(GPU):
        assert has_to_wait(device) == waits


@needs_locks
def test_a_turn_within_a_turn_does_not_wait(turns, name_process):
    name_process("LokyProcess-1")
    with take_turn(GPU):
        with take_turn(GPU):
            assert has_to_wait(GPU)
        assert has_to_wait(GPU)
    assert not has_to_wait(GPU)


@needs_locks
def test_a_fit_is_one_turn_with_all_that_it_encodes(
    turns, name_process, tiny_bert, texts, monkeypatch
):
    name_process("LokyProcess-1")
    taken = []

    def take(device):
        taken.append(workers._has_turn.get())
        return take_turn(GPU)

    for module in (template, encode):
        monkeypatch.setattr(module, "take_turn", take)
    waited = []
    classifier = BertClassifier(
        tiny_bert,
        n_epochs=1,
        early_stopping=True,
        callbacks=[lambda state: waited.append(has_to_wait(GPU))],
    )
    classifier.fit(texts, [len(text) > 60 for text in texts])
    assert taken[0] is False
    # Those of the linear probe, the checks and the validation.
    assert len(taken) > 2
    assert all(taken[1:])
    assert waited == [True]


@pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="needs Linux")
@pytest.mark.parametrize("limit", [None, 2])
def test_workers_divide_the_cores(limit):
    config = {} if limit is None else {"inner_max_num_threads": limit}
    environment = {k: v for k, v in os.environ.items() if "NUM_THREADS" not in k}
    done = subprocess.run(
        # -P: not the source tree that the tests may have been started in.
        [sys.executable, "-P", "-c", THREADS, json.dumps(config)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    n_cores = joblib.cpu_count()
    # torch never uses more than one thread for each core.
    expected = max(n_cores // 2, 1) if limit is None else min(limit, n_cores)
    # Two GPUs would be used by one worker each.
    assert sorted(number % 2 for number, *_ in found) == [0, 1]
    assert [threads for _, *threads in found] == [[expected, expected]] * 2
