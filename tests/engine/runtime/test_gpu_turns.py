"""Workers that share a GPU use it one after the other; threads of one do not wait."""

import gc
import multiprocessing
import os
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
import torch

from sklearn_bert import BertClassifier
from sklearn_bert._engine.encoding import encode
from sklearn_bert._engine.runtime import gpu_turns
from sklearn_bert._engine.runtime.gpu_turns import run_fit, take_turn
from sklearn_bert._engine.runtime.locks import HAS_LOCKS, lock_folder, unlock
from sklearn_bert.exceptions import DeviceMemoryError

GPU, OTHER_GPU = torch.device("cuda", 0), torch.device("cuda", 1)
pytestmark = pytest.mark.skipif(not HAS_LOCKS, reason="the system has no locks")


@pytest.fixture(autouse=True)
def turns(monkeypatch, tmp_path):
    """A folder of its own for the locks of this test."""
    monkeypatch.setattr(gpu_turns.tempfile, "gettempdir", lambda: str(tmp_path))
    return tmp_path


@pytest.fixture(autouse=True)
def name_process(monkeypatch):
    """Return a function that names this process, which is a worker by default."""

    def name_process(name):
        monkeypatch.setattr(multiprocessing.current_process(), "_name", name)

    name_process("LokyProcess-1")
    return name_process


@pytest.fixture
def set_gpus(monkeypatch):
    """Return a function that sets the GPUs that this process sees."""

    def set_gpus(*names):
        gpus = [SimpleNamespace(uuid=name) for name in names]
        monkeypatch.setattr(
            torch.cuda, "get_device_properties", lambda device: gpus[device.index]
        )

    return set_gpus


def count_taken(folder):
    """Return for how many GPUs another process would have to wait."""
    count = 0
    for path in folder.iterdir():
        descriptor = lock_folder(path, wait=False)
        count += descriptor is None
        unlock(descriptor)
    return count


def count_taken_in_thread(folder):
    """Take a turn on the GPU in another thread, and count there."""

    def count():
        with take_turn(GPU):
            return count_taken(folder)

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(count).result(timeout=60)


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


@pytest.mark.parametrize(
    ("name", "device", "count"),
    [
        ("LokyProcess-1", GPU, 1),
        ("LokyProcess-1", torch.device("cpu"), 0),
        ("MainProcess", GPU, 0),
    ],
    ids=["GPU", "CPU", "no worker"],
)
def test_only_workers_on_a_gpu_take_turns(turns, name_process, name, device, count):
    name_process(name)
    with take_turn(device):
        assert count_taken(turns) == count
    assert count_taken(turns) == 0


def test_each_gpu_has_turns_of_its_own(turns):
    with take_turn(GPU):
        with take_turn(OTHER_GPU):
            assert count_taken(turns) == 2
        assert count_taken(turns) == 1


def test_a_turn_within_a_turn_does_not_wait(turns):
    with take_turn(GPU):
        with take_turn(GPU):
            assert count_taken(turns) == 1
        assert count_taken(turns) == 1
    assert count_taken(turns) == 0


def test_a_thread_that_is_started_within_a_turn_does_not_wait(turns):
    with take_turn(GPU):
        assert count_taken_in_thread(turns) == 1
        assert count_taken(turns) == 1
    assert count_taken(turns) == 0


def test_a_turn_lasts_until_the_last_thread_has_ended_its_own(turns):
    first, second = take_turn(GPU), take_turn(GPU)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert count_taken(turns) == 1
    second.__exit__(None, None, None)
    assert count_taken(turns) == 0


def test_a_turn_ends_with_an_error(turns):
    with pytest.raises(KeyError), take_turn(GPU):
        raise KeyError
    assert count_taken(turns) == 0
    assert count_taken_in_thread(turns) == 1


def test_gpus_are_told_apart_whatever_their_numbers(turns, set_gpus):
    set_gpus("a", "b")
    with take_turn(GPU):
        # As in workers with other values of CUDA_VISIBLE_DEVICES.
        set_gpus("b", "a")
        with take_turn(OTHER_GPU):
            assert count_taken(turns) == 1
        with take_turn(GPU):
            assert count_taken(turns) == 2


def test_without_a_folder_for_temporary_files_nobody_waits(turns, monkeypatch):
    file = turns / "file"
    file.touch()
    with monkeypatch.context() as patch:
        patch.setattr(gpu_turns.tempfile, "gettempdir", lambda: str(file))
        with take_turn(GPU):
            assert list(turns.iterdir()) == [file]
    file.unlink()
    with take_turn(GPU):
        assert count_taken(turns) == 1


def test_a_fit_is_one_turn_with_all_that_it_encodes(
    turns, tiny_bert, texts, monkeypatch
):
    taken = []

    def take(device):
        taken.append(count_taken(turns))
        return take_turn(GPU)

    for module in (gpu_turns, encode):
        monkeypatch.setattr(module, "take_turn", take)
    in_epochs = []
    classifier = BertClassifier(
        tiny_bert,
        n_epochs=1,
        early_stopping=True,
        callbacks=[lambda state: in_epochs.append(count_taken(turns))],
    )
    classifier.fit(texts, [len(text) > 60 for text in texts])
    first, *inside = taken
    assert first == 0
    # Those of the linear probe, the checks and the validation.
    assert len(inside) > 1
    assert set(inside) == {1}
    assert in_epochs == [1]


def test_a_fit_releases_its_memory_within_its_turn(turns, monkeypatch):
    events = []

    def release(device):
        events.append(("release", device, count_taken(turns)))

    monkeypatch.setattr(gpu_turns, "release_memory", release)
    assert run_fit(lambda: events.append("fit") or 7, GPU, "Halve it") == 7
    assert events == ["fit", ("release", GPU, 1)]


def test_a_fit_without_enough_memory_keeps_no_tensors_alive(turns):
    seen = []

    def fit():
        large = torch.zeros(1)
        seen.append(weakref.ref(large))
        raise torch.OutOfMemoryError("tried 2 GiB")

    with pytest.raises(DeviceMemoryError, match=r"The fit does not .* Halve") as caught:
        run_fit(fit, GPU, "Halve it")
    gc.collect()
    assert caught.value.__cause__ is None
    assert seen[0]() is None
