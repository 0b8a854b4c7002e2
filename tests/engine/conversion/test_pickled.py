"""A pickle becomes safetensors only if it contains nothing but tensors."""

import os
import pickle
import zipfile

import pytest
import torch
from safetensors.torch import load_file

from sklearn_bert._engine.conversion.pickled import convert


def converted(folder, content):
    source, target = folder / "pytorch_model.bin", folder / "model.safetensors"
    torch.save(content, source)
    convert(str(source), str(target), source.stat().st_size)
    return load_file(target)


@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int64]
)
def test_tensors_keep_names_values_and_dtypes(tmp_path, dtype):
    tensor = torch.arange(6).reshape(2, 3).to(dtype)
    found = converted(
        tmp_path, {"a.weight": tensor, "b": torch.nn.Parameter(torch.ones(3))}
    )
    assert found["a.weight"].dtype == dtype
    assert torch.equal(found["a.weight"], tensor)
    assert torch.equal(found["b"], torch.ones(3))


def test_tensors_that_share_memory_or_are_transposed_are_copied(tmp_path):
    tensor = torch.arange(6.0).reshape(2, 3)
    found = converted(tmp_path, {"a": tensor, "b": tensor, "c": tensor.T})
    assert torch.equal(found["b"], tensor)
    assert torch.equal(found["c"], tensor.T)


@pytest.mark.parametrize(
    "content",
    [
        {},
        [torch.ones(2)],
        {"model": {"a": torch.ones(2)}},
        {"a": 3},
        {5: torch.ones(2)},
        {"a": torch.ones(2, dtype=torch.complex64)},
        {"a": torch.ones(2).to_sparse()},
        {"a": torch.ones(2, device="meta")},
    ],
)
def test_other_content_is_refused(tmp_path, content):
    with pytest.raises(ValueError, match=r"instead of|of type|not a text|of torch"):
        converted(tmp_path, content)


class Harmful:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_a_pickle_that_would_run_code_runs_none(tmp_path):
    with pytest.raises(pickle.UnpicklingError):
        converted(tmp_path, {"a": Harmful(str(tmp_path / "ran"))})
    assert not (tmp_path / "ran").exists()


def test_an_archive_that_grows_is_refused(tmp_path):
    path = tmp_path / "pytorch_model.bin"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.pkl", bytes(10**7))
    with pytest.raises(ValueError, match=r"unpacks to 10000000"):
        convert(str(path), str(tmp_path / "new"), path.stat().st_size)
