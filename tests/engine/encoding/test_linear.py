"""Packed and plain linear layers give the same numbers."""

from math import inf

import pytest
import torch

from sklearn_bert._engine.encoding import linear as module
from sklearn_bert._engine.encoding.linear import (
    ACTIVATIONS,
    PackedLinear,
    PlainLinear,
    SizedLinear,
    end_of_packed,
    make_linear,
    packed_linear_works,
)

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _no_cached_answers():
    packed_linear_works.cache_clear()
    yield
    packed_linear_works.cache_clear()


@pytest.fixture
def _packing():
    # Builds of torch without oneDNN, as for some CPUs, use its own products alone.
    if not packed_linear_works(torch.float32):
        pytest.skip("this build of torch has no oneDNN")


@pytest.fixture
def layer():
    generator = torch.Generator().manual_seed(1)
    shapes = ((5, 8), (6, 8), (6,), (5, 6))
    return [torch.randn(shape, generator=generator) for shape in shapes]


@pytest.mark.usefixtures("_packing")
@pytest.mark.parametrize("activation", [None, *sorted(ACTIVATIONS)])
def test_packed_equals_plain(layer, activation):
    x, weight, bias, _ = layer
    plain = PlainLinear(weight, bias)(x, activation)
    torch.testing.assert_close(PackedLinear(weight, bias)(x, activation), plain)


@pytest.mark.usefixtures("_packing")
def test_packed_sum_equals_plain_sum(layer):
    x, weight, bias, residual = layer
    plain = PlainLinear(weight, bias).add(x, residual)
    torch.testing.assert_close(PackedLinear(weight, bias).add(x, residual), plain)


@pytest.mark.usefixtures("_packing")
@pytest.mark.parametrize("n_rows", [1, 127, 128, 200])
@pytest.mark.parametrize("activation", [None, *sorted(ACTIVATIONS)])
def test_both_sizes_equal_plain(layer, n_rows, activation):
    _, weight, bias, _ = layer
    x = torch.randn(n_rows, 8, generator=torch.Generator().manual_seed(2))
    sized, plain = (kind(weight, bias) for kind in (SizedLinear, PlainLinear))
    torch.testing.assert_close(sized(x, activation), plain(x, activation))
    residual = torch.ones(n_rows, 6)
    torch.testing.assert_close(sized.add(x, residual), plain.add(x, residual))


@pytest.mark.usefixtures("_packing")
def test_many_rows_are_multiplied_by_torch(layer, monkeypatch):
    sized = SizedLinear(*layer[1:3])
    monkeypatch.setattr(PlainLinear, "__call__", lambda self, x: x.new_zeros(len(x)))
    assert sized(torch.ones(127, 8)).shape == (127, 6)
    assert sized(torch.ones(128, 8)).shape == (128,)


@pytest.mark.parametrize(
    ("capability", "has_mkl", "dtype", "end"),
    [
        ("AVX2", True, torch.float32, 128),
        ("AVX2", True, torch.bfloat16, inf),
        ("AVX2", False, torch.float32, inf),
        ("AVX512", True, torch.float32, inf),
        ("DEFAULT", True, torch.float32, inf),
    ],
)
def test_many_rows_are_not_packed_with_avx2_alone(
    monkeypatch, capability, has_mkl, dtype, end
):
    monkeypatch.setattr(module, "packed_linear_works", lambda dtype: True)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    monkeypatch.setattr(torch.backends.mkl, "is_available", lambda: has_mkl)
    assert end_of_packed(CPU, dtype) == end
    assert end_of_packed(torch.device("cuda"), dtype) == 0


@pytest.mark.usefixtures("_packing")
@pytest.mark.parametrize(
    ("end", "kind"), [(0, PlainLinear), (128, SizedLinear), (inf, PackedLinear)]
)
def test_the_layer_follows_from_the_rows_that_are_packed(layer, monkeypatch, end, kind):
    monkeypatch.setattr(module, "end_of_packed", lambda device, dtype: end)
    assert isinstance(make_linear(*layer[1:3]), kind)


def test_sum_leaves_the_residual_alone(layer):
    x, weight, bias, residual = layer
    before = residual.clone()
    make_linear(weight, bias).add(x, residual)
    torch.testing.assert_close(residual, before, rtol=0, atol=0)


def test_float64_is_plain(layer):
    _, weight, bias, _ = layer
    assert isinstance(make_linear(weight.double(), bias.double()), PlainLinear)


def test_wrong_results_turn_packing_off(layer, monkeypatch):
    # No available build of torch computes wrong sums.
    monkeypatch.setattr(PackedLinear, "add", lambda self, x, residual: residual)
    assert isinstance(make_linear(*layer[1:3]), PlainLinear)


def test_missing_operators_turn_packing_off(layer, monkeypatch):
    monkeypatch.setattr(torch.ops, "mkldnn", object())
    assert isinstance(make_linear(*layer[1:3]), PlainLinear)


def test_operators_that_fail_turn_packing_off(layer, monkeypatch, caplog):
    def fail(weight, n_rows):
        raise RuntimeError("no such kernel")

    # Operators of torch cannot be replaced.
    monkeypatch.setattr(module, "packed_linear_operators", lambda: (fail,) * 3)
    with caplog.at_level("DEBUG", "sklearn_bert"):
        assert isinstance(make_linear(*layer[1:3]), PlainLinear)
    assert "no such kernel" in caplog.text
