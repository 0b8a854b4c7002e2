"""The files of a converted checkpoint."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.load import load_checkpoint
from sklearn_bert._engine.conversion.convert import convert_folder
from sklearn_bert.exceptions import CheckpointError, DeviceMemoryError


@pytest.fixture
def pickled(own_bert):
    """A checkpoint whose weights are a pickle."""
    torch.save(
        load_file(own_bert / "model.safetensors"), own_bert / "pytorch_model.bin"
    )
    (own_bert / "model.safetensors").unlink()
    (own_bert / "evil.py").write_text("raise SystemExit")
    return own_bert


def state(folder):
    return load_checkpoint(locate(str(folder), None)).model.state_dict()


def test_the_copy_has_the_same_weights_and_no_other_files(pickled, tiny_bert, tmp_path):
    convert_folder("own", pickled, tmp_path / "new")
    expected = state(tiny_bert)
    assert all(torch.equal(x, expected[k]) for k, x in state(tmp_path / "new").items())
    names = {path.name for path in (tmp_path / "new").iterdir()}
    assert names == {path.name for path in tiny_bert.iterdir()}


def test_shards_are_converted_one_by_one(pickled, tiny_bert, tmp_path):
    tensors = load_file(tiny_bert / "model.safetensors")
    (pickled / "pytorch_model.bin").unlink()
    for number in (0, 1):
        part = {key: tensors[key] for key in sorted(tensors)[number::2]}
        torch.save(part, pickled / f"pytorch_model-0000{number + 1}-of-00002.bin")
    convert_folder("own", pickled, tmp_path / "new")
    assert not (tmp_path / "new" / "model.safetensors").exists()
    expected = state(tiny_bert)
    assert all(torch.equal(x, expected[k]) for k, x in state(tmp_path / "new").items())


def test_weights_of_modules_are_converted(pickled, tmp_path):
    (pickled / "2_Dense").mkdir()
    (pickled / "2_Dense" / "config.json").write_text("{}")
    torch.save(
        {"linear.bias": torch.ones(3)}, pickled / "2_Dense" / "pytorch_model.bin"
    )
    modules = [
        {"type": "x.Transformer", "path": ""},
        {"type": "x.Dense", "path": "2_Dense"},
    ]
    (pickled / "modules.json").write_text(json.dumps(modules))
    convert_folder("own", pickled, tmp_path / "new")
    found = load_file(tmp_path / "new" / "2_Dense" / "model.safetensors")
    assert torch.equal(found["linear.bias"], torch.ones(3))
    assert (tmp_path / "new" / "2_Dense" / "config.json").read_text() == "{}"


def test_weights_of_modules_in_deeper_folders_are_converted(pickled, tmp_path):
    place = pickled / "modules" / "dense"
    place.mkdir(parents=True)
    (place / "config.json").write_text("{}")
    torch.save({"linear.bias": torch.ones(3)}, place / "pytorch_model.bin")
    modules = [
        {"path": "", "type": "sentence_transformers.models.Transformer"},
        {"path": "modules/dense", "type": "sentence_transformers.models.Dense"},
    ]
    (pickled / "modules.json").write_text(json.dumps(modules))
    convert_folder("own", pickled, tmp_path / "new")
    found = load_file(tmp_path / "new" / "modules" / "dense" / "model.safetensors")
    assert torch.equal(found["linear.bias"], torch.ones(3))


def test_a_folder_with_content_is_refused(pickled, tmp_path):
    (tmp_path / "new").mkdir()
    convert_folder("own", pickled, tmp_path / "new")
    with pytest.raises(CheckpointError, match="must not exist, or be an empty folder"):
        convert_folder("own", pickled, tmp_path / "new")


def test_a_checkpoint_without_pickles_is_refused(tiny_bert, tmp_path):
    with pytest.raises(CheckpointError, match="which has none"):
        convert_folder("own", tiny_bert, tmp_path / "new")


@pytest.mark.parametrize(
    "content", [b"", b"short", b"nonsense", b"cos\nmkdir\n(Vran\ntR."]
)
def test_a_pickle_that_is_refused_leaves_nothing(
    pickled, tmp_path, monkeypatch, content
):
    monkeypatch.chdir(tmp_path)
    (pickled / "pytorch_model.bin").write_bytes(content)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(CheckpointError, match=r"cannot be read as weights .* again"):
        convert_folder("own", pickled, tmp_path / "new")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "error", ["MemoryError()", "RuntimeError('x DefaultCPUAllo' 'cator: can not')"]
)
def test_too_little_memory_is_not_a_damaged_pickle(
    pickled, tmp_path, monkeypatch, error
):
    # Python runs this module in the child process before anything else.
    (tmp_path / "sitecustomize.py").write_text(
        f"import torch\n"
        f"def load(*args, **options):\n    raise {error}\n"
        "torch.load = load\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(DeviceMemoryError, match=r"pytorch_model.bin .* does not fit"):
        convert_folder("own", pickled, tmp_path / "new")


def test_a_pickle_that_is_no_file_is_refused(pickled, tmp_path):
    (pickled / "pytorch_model.bin").unlink()
    (pickled / "pytorch_model.bin").mkdir()
    with pytest.raises(CheckpointError, match=r"has a pytorch_model.bin that is not a"):
        convert_folder("own", pickled, tmp_path / "new")
    shutil.rmtree(pickled)
