"""Modules after the pooling: what they compute, and which weights they take."""

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from sklearn_bert._engine.checkpoints.files.checkpoint_files import CheckpointFiles
from sklearn_bert._engine.checkpoints.files.disk import sha256_of
from sklearn_bert._engine.checkpoints.sentence_transformers.module_configs import (
    ACTIVATIONS,
    DeclaredModule,
)
from sklearn_bert._engine.checkpoints.sentence_transformers.modules import (
    load_modules,
    make_modules,
)
from sklearn_bert.exceptions import CheckpointError

ROWS = torch.randn(5, 8, generator=torch.Generator().manual_seed(0))
WEIGHT = torch.randn(4, 8, generator=torch.Generator().manual_seed(1))
BIAS = torch.randn(4, generator=torch.Generator().manual_seed(2))
DENSE = DeclaredModule("Dense", "2_Dense/", 8, 4, activation="Tanh")
NORMALIZE = DeclaredModule("Normalize")
FILE = "2_Dense/model.safetensors"


def run(declared, weights, n_modules=None):
    n_modules = len(declared) if n_modules is None else n_modules
    return make_modules(declared, weights)(ROWS, n_modules)


def test_modules_run_in_order_and_the_first_may_be_all():
    weights = {"0.linear.weight": WEIGHT, "0.linear.bias": BIAS}
    projected = torch.tanh(ROWS @ WEIGHT.T + BIAS)
    torch.testing.assert_close(run([DENSE, NORMALIZE], weights, 1), projected)
    expected = F.normalize(projected)
    torch.testing.assert_close(run([DENSE, NORMALIZE], weights), expected)
    assert run([DENSE, NORMALIZE], weights, 0) is ROWS


def test_a_dense_adds_its_input_where_it_is_declared():
    square = torch.randn(8, 8)
    declared = DeclaredModule("Dense", "", 8, 8, has_bias=False, has_residual=True)
    found = run([declared], {"0.linear.weight": square})
    torch.testing.assert_close(found, ROWS @ square.T + ROWS)
    declared = DeclaredModule("Dense", "", 8, 4, has_bias=False, has_residual=True)
    found = run(
        [declared], {"0.linear.weight": WEIGHT, "0.residual.weight": 2 * WEIGHT}
    )
    torch.testing.assert_close(found, 3 * ROWS @ WEIGHT.T)


def test_a_layer_norm_has_weights():
    weights = {"0.norm.weight": torch.full((8,), 2.0), "0.norm.bias": torch.ones(8)}
    found = run([DeclaredModule("LayerNorm", "", 8, 8)], weights)
    torch.testing.assert_close(found, 2 * F.layer_norm(ROWS, (8,)) + 1)


def test_a_zero_is_not_normalized():
    zeros = torch.zeros(1, 8)
    assert make_modules([NORMALIZE], {})(zeros, 1).tolist() == zeros.tolist()


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_every_activation_keeps_the_shape_and_is_finite(name):
    declared = DeclaredModule("Dense", "", 8, 4, has_bias=False, activation=name)
    found = run([declared], {"0.linear.weight": WEIGHT})
    assert found.shape == (5, 4)
    assert torch.isfinite(found).all()


def test_rows_are_computed_in_the_dtype_of_the_weights():
    modules = make_modules([DENSE], {"0.linear.weight": WEIGHT, "0.linear.bias": BIAS})
    assert modules(ROWS.bfloat16(), 1).dtype == torch.float32
    assert modules.double()(ROWS, 1).dtype == torch.float64


@pytest.fixture
def files(tmp_path):
    (tmp_path / "2_Dense").mkdir()
    return CheckpointFiles("own", tmp_path, "directory", None, {})


def save(files, **changes):
    weights = {"linear.weight": WEIGHT, "linear.bias": BIAS, **changes}
    kept = {name: one for name, one in weights.items() if one is not None}
    save_file(kept, files.folder / FILE)
    files.digests[FILE] = sha256_of(files.folder, FILE)


def test_weights_are_loaded_in_float32_and_frozen(files):
    save(files, **{"linear.bias": BIAS.half()})
    modules = load_modules(files, (NORMALIZE, DENSE))
    weights = dict(modules.named_parameters())
    assert sorted(weights) == ["1.linear.bias", "1.linear.weight"]
    assert {one.dtype for one in weights.values()} == {torch.float32}
    assert not any(one.requires_grad for one in weights.values())
    torch.testing.assert_close(weights["1.linear.weight"].data, WEIGHT)


def test_weights_that_do_not_fit_are_refused(files):
    save(files, more=BIAS.clone())
    with pytest.raises(CheckpointError, match="tensor more that a Dense does not have"):
        load_modules(files, (DENSE,))
