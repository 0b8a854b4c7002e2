"""Worker processes divide the cores and the GPUs."""

import json
import multiprocessing
import os
import subprocess
import sys

import joblib
import pytest
import torch

from sklearn_bert._engine.runtime.device import resolve_device
from sklearn_bert._engine.runtime.workers import (
    limit_tokenizer_threads,
    worker_number,
)

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


def test_limits_of_other_engines_hold_for_the_tokenizer(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    # So that the variable is not left behind.
    monkeypatch.setenv("RAYON_NUM_THREADS", "")
    monkeypatch.delenv("RAYON_NUM_THREADS")
    limit_tokenizer_threads()
    assert os.environ["RAYON_NUM_THREADS"] == str(torch.get_num_threads())
