"""Releasing memory, and retrying with less of it."""

import ctypes
import gc
import sys
import weakref

import pytest
import torch

from sklearn_bert._engine.runtime import memory
from sklearn_bert._engine.runtime.memory import (
    OutOfMemoryGuard,
    device_memory_error,
    is_out_of_memory,
    release_memory,
    retry_smaller,
    run_in_halves,
)
from sklearn_bert.exceptions import DeviceMemoryError

CPU = torch.device("cpu")


def test_freed_memory_is_returned_to_the_system(monkeypatch):
    asked = []
    # Not every C library has ``malloc_trim``.
    monkeypatch.setattr(memory, "_find_malloc_trim", lambda: asked.append)
    release_memory(CPU)
    assert asked == [0]


@pytest.mark.skipif(sys.platform != "linux", reason="glibc is Linux's")
def test_glibc_is_found():
    assert memory._find_malloc_trim() is not None


@pytest.mark.parametrize("error", [AttributeError, OSError, TypeError])
def test_other_c_libraries_are_supported(monkeypatch, error):
    def fail(name):
        raise error

    memory._find_malloc_trim.cache_clear()
    monkeypatch.setattr(ctypes, "CDLL", fail)
    release_memory(CPU)
    assert memory._find_malloc_trim() is None
    memory._find_malloc_trim.cache_clear()


def test_a_memory_error_keeps_no_tensors_alive():
    class Large:
        """Replaces a tensor: an object whose deletion can be observed."""

    def compute():
        large = Large()
        seen.append(weakref.ref(large))
        raise torch.OutOfMemoryError("tried 2 GiB")

    seen = []
    with (
        pytest.raises(DeviceMemoryError, match="The model does not fit") as caught,
        OutOfMemoryGuard("The model", CPU),
    ):
        compute()
    gc.collect()
    assert caught.value.__cause__ is None
    assert seen[0]() is None


def test_a_piece_is_made_smaller_until_it_fits():
    happened = []

    def run(size):
        happened.append(size)
        if size > 2:
            raise torch.OutOfMemoryError("tried 2 GiB\nand a long explanation")
        return f"of {size}"

    def halve(size, cause):
        happened.append(cause)
        return size // 2

    def release():
        happened.append("released")

    assert retry_smaller(run, 8, halve, release=release, device=CPU) == "of 2"
    once = ["released", "tried 2 GiB"]
    assert happened == [8, *once, 4, *once, 2]


def test_memory_of_a_failed_run_is_freed_before_the_next():
    class Large:
        """Replaces a tensor: an object whose deletion can be observed."""

    seen = []

    def run(size):
        large = Large()
        seen.append(weakref.ref(large))
        if size > 1:
            raise torch.OutOfMemoryError("tried 2 GiB")

    def make_smaller(size, cause):
        gc.collect()
        assert seen[-1]() is None
        return size - 1

    retry_smaller(run, 3, make_smaller, release=lambda: None, device=CPU)
    assert len(seen) == 3


def run_on(rows, largest):
    """Run on rows of which at most ``largest`` fit; return the parts in order."""

    def run(part):
        if len(part) > largest:
            raise torch.OutOfMemoryError("tried 2 GiB")
        return part

    ids = [[0] * 10] * 10
    return run_in_halves(run, rows, ids, device=CPU, remedy="Shorten it")


@pytest.mark.parametrize(
    ("largest", "parts"),
    [
        (9, [[4, 2, 7, 1, 3]]),
        (3, [[4, 2], [7, 1, 3]]),
        (2, [[4, 2], [7], [1, 3]]),
        (1, [[4], [2], [7], [1], [3]]),
    ],
)
def test_rows_are_halved_until_they_fit_and_keep_their_order(largest, parts):
    assert run_on([4, 2, 7, 1, 3], largest) == parts


def test_a_single_row_that_does_not_fit_is_an_error_with_its_length():
    with pytest.raises(DeviceMemoryError, match="A single text of 10 tokens") as caught:
        run_on([4, 2], 0)
    assert "(tried 2 GiB). Shorten it, or free memory" in str(caught.value)


def test_only_errors_about_memory_are_about_memory():
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(OSError(12, "Cannot allocate memory"))
    assert is_out_of_memory(RuntimeError("DefaultCPUAllocator: not enough memory"))
    assert not is_out_of_memory(OSError(28, "No space left on device"))
    assert not is_out_of_memory(RuntimeError("shapes do not match"))
    assert not is_out_of_memory(ValueError("Got the label 'out of memory'"))
    # It is that already.
    assert not is_out_of_memory(DeviceMemoryError("out of memory"))


def test_an_error_without_a_message_is_named():
    with (
        pytest.raises(DeviceMemoryError, match=r"device 'cpu' \(MemoryError\)\. Halve"),
        OutOfMemoryGuard("The model", CPU, "Halve it"),
    ):
        raise MemoryError


def test_a_gpu_can_be_replaced_by_the_cpu():
    error = device_memory_error("It", torch.device("cuda", 0), "no", "Halve it")
    assert str(error).endswith(
        "Halve it, free memory on the device, or set device='cpu'."
    )
    error = device_memory_error("It", CPU, "no", "Halve it")
    assert str(error).endswith("Halve it, or free memory on the device.")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_peak_grows_with_what_is_in_use():
    before = memory.peak_memory(CPU)
    block = torch.ones(before // 4)
    assert memory.peak_memory(CPU) >= block.nbytes


def test_the_peak_is_unknown_without_the_file_of_the_system(monkeypatch):
    def refuse(path):
        raise FileNotFoundError(path)

    monkeypatch.setattr(memory.Path, "read_text", refuse)
    assert memory.peak_memory(CPU) is None
