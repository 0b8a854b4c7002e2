"""Devices and dtypes are resolved, and refused if they are not available."""

import re

import pytest
import torch

from sklearn_bert._engine.runtime import device as module
from sklearn_bert._engine.runtime.device import (
    multiply_in,
    resolve_device,
    resolve_devices,
    resolve_encoding_dtype,
    resolve_training_dtypes,
)
from sklearn_bert.exceptions import DeviceError

CPU = torch.device("cpu")


@pytest.fixture
def set_extensions(monkeypatch):
    """Return a function that sets which extensions the CPU has."""

    def set_extensions(*, has_avx512=False, has_amx=False):
        # Older versions of torch lack them.
        options = {"raising": False}
        cpu = torch.cpu
        monkeypatch.setattr(
            cpu, "_is_avx512_bf16_supported", lambda: has_avx512, **options
        )
        monkeypatch.setattr(cpu, "_is_amx_tile_supported", lambda: has_amx, **options)

    return set_extensions


def test_auto_selects_the_cpu_without_a_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert resolve_device("auto") == CPU


def test_auto_selects_cuda_first(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)
    monkeypatch.setattr(torch.cuda, "_is_in_bad_fork", lambda: False)
    assert resolve_device("auto") == torch.device("cuda", 1)


def test_each_rank_of_torchrun_has_a_gpu_of_its_own(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    monkeypatch.setattr(torch.cuda, "_is_in_bad_fork", lambda: False)
    monkeypatch.setattr(module, "local_rank", lambda: 3)
    assert resolve_device("auto") == torch.device("cuda", 3)


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("gpu", "must be 'auto' or a PyTorch device .*Got 'gpu'"),
        ("", "must be 'auto' or a PyTorch device"),
        (
            "cuda:7",
            r"must be available on this machine. Got 'cuda:7', .*0 cuda device\(s\)",
        ),
        ("mps", "must be available on this machine. Got 'mps'"),
        ("xla", "must be available on this machine. Got 'xla'"),
    ],
)
def test_unavailable_devices_are_refused(monkeypatch, device, message):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(DeviceError, match=message):
        resolve_device(device)


def test_auto_dtype_on_a_cpu_is_float32():
    assert resolve_encoding_dtype("auto", CPU) == torch.float32


@pytest.mark.parametrize(
    ("capability", "dtype"), [((8, 0), torch.bfloat16), ((7, 5), torch.float32)]
)
def test_auto_dtype_on_cuda_needs_hardware(monkeypatch, capability, dtype):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    assert resolve_encoding_dtype("auto", torch.device("cuda", 0)) == dtype


def test_bfloat16_without_hardware_is_refused(set_extensions):
    set_extensions()
    with pytest.raises(DeviceError, match="Got dtype='bfloat16' on device 'cpu'"):
        resolve_encoding_dtype("bfloat16", CPU)


def test_float16_on_a_cpu_is_refused():
    with pytest.raises(DeviceError, match="Set dtype='auto' or dtype='float32'"):
        resolve_encoding_dtype("float16", CPU)


@pytest.mark.parametrize("has_avx512", [True, False])
@pytest.mark.parametrize("has_amx", [True, False])
def test_a_cpu_has_bfloat16_with_one_of_two_extensions(
    set_extensions, has_avx512, has_amx
):
    set_extensions(has_avx512=has_avx512, has_amx=has_amx)
    assert module.has_native_bfloat16(CPU) == (has_avx512 or has_amx)


@pytest.mark.parametrize("device", ["auto", "cuda", "cuda:0"])
def test_cuda_in_a_forked_process_is_refused(monkeypatch, device):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "_is_in_bad_fork", lambda: True)
    with pytest.raises(DeviceError, match=r"backend 'loky' or with .* 'spawn'"):
        resolve_device(device)


def test_a_numbered_cpu_is_the_cpu():
    assert resolve_device("cpu:0") == CPU


@torch.no_grad()
def test_products_use_current_weights_in_nested_contexts():
    x = torch.ones(1, 2)
    layer = torch.nn.Linear(2, 3, bias=False)
    layer.weight.fill_(1.0)
    with multiply_in(CPU):
        for value in (1.0, 2.0):
            layer.weight.fill_(value)
            with torch.enable_grad(), multiply_in(CPU, torch.bfloat16):
                assert layer(x).tolist() == [[2 * value] * 3]


@pytest.mark.parametrize(
    ("dtype", "is_fast", "expected"),
    [
        ("auto", True, (torch.float32, torch.bfloat16)),
        ("auto", False, (torch.float32, None)),
        ("bfloat16", False, (torch.float32, torch.bfloat16)),
        ("float32", True, (torch.float32, None)),
        ("float64", True, (torch.float64, None)),
    ],
)
def test_training_uses_bfloat16_products_if_they_are_fast(
    monkeypatch, set_extensions, dtype, is_fast, expected
):
    # It also depends on the name of the CPU.
    monkeypatch.setattr(module, "is_bfloat16_fast", lambda _: is_fast)
    set_extensions(has_avx512=True)
    assert resolve_training_dtypes(dtype, CPU) == expected


@pytest.fixture
def two_gpus(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "_is_in_bad_fork", lambda: False)


@pytest.mark.parametrize("kind", [list, tuple])
def test_several_gpus_keep_their_order(two_gpus, kind):
    found = resolve_devices(kind(["cuda:1", "cuda:0"]))
    assert found == (torch.device("cuda", 1), torch.device("cuda", 0))


def test_one_device_is_resolved_as_such():
    assert resolve_devices("cpu") == (CPU,)


@pytest.mark.parametrize(
    "device",
    [
        [],
        ["cuda:0", "cuda:0"],
        ["cuda", "cuda:0"],
        ["cpu", "cpu"],
        ["cuda:0", "cpu"],
        ["auto", "cuda:0"],
        ["cuda:0", 1],
    ],
)
def test_a_list_of_anything_but_different_gpus_is_refused(two_gpus, device):
    message = f"or a list of different GPUs. Got {device!r}. Pass a str, or each"
    with pytest.raises(DeviceError, match=re.escape(message)):
        resolve_devices(device)


def test_a_missing_gpu_of_a_list_is_named(two_gpus):
    with pytest.raises(DeviceError, match="Got 'cuda:2', but PyTorch finds 2 cuda"):
        resolve_devices(["cuda:0", "cuda:2"])
