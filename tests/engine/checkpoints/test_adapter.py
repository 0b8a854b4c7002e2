"""Adapters as arrays: what they add to weights, and whether they fit them."""

from dataclasses import replace

import numpy as np
import pytest

from sklearn_bert._engine.checkpoints.adapter import PackedAdapter

DOWN = np.array([[1.0, 2.0, 3.0]])
UP = np.array([[1.0], [-1.0]])
ADAPTER = PackedAdapter(1, 2.0, {"layer": DOWN}, {"layer": UP})


def weights():
    return {"layer.weight": np.ones((2, 3)), "layer.bias": np.ones(2)}


def test_the_scaled_product_is_added():
    changed = weights()
    ADAPTER.add_to(changed)
    assert changed["layer.weight"].tolist() == [[3, 5, 7], [-1, -3, -5]]
    assert changed["layer.bias"].tolist() == [1, 1]


def test_the_adapter_itself_is_not_changed():
    ADAPTER.add_to(weights())
    assert DOWN.tolist() == [[1, 2, 3]]
    assert UP.tolist() == [[1], [-1]]


def test_it_fits_its_own_weights():
    ADAPTER.check_fits(weights())


@pytest.mark.parametrize(
    "changes",
    [
        {"rank": 2},
        {"scale": float("nan")},
        {"down": {"other": DOWN}},
        {"down": {"other": DOWN}, "up": {"other": UP}},
        {"down": {"layer": DOWN[:, :2]}},
        {"down": {"layer": DOWN[0]}},
        # Arrays that NumPy would broadcast.
        {"up": {"layer": UP[:1]}},
        {"up": {"layer": UP.astype(int)}},
    ],
    ids=str,
)
def test_other_weights_are_refused(changes):
    with pytest.raises(ValueError, match="an adapter"):
        replace(ADAPTER, **changes).check_fits(weights())


def test_a_vector_has_no_adapter():
    adapter = PackedAdapter(1, 2.0, {"norm": DOWN}, {"norm": UP})
    with pytest.raises(ValueError, match="unknown layer 'norm'"):
        adapter.check_fits({"norm.weight": np.ones(3)})
