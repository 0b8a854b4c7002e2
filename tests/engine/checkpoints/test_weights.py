"""Loading draws nothing from the global generator, also where weights are missing."""

import threading

import pytest
import torch

from sklearn_bert._engine.checkpoints.architecture import shape_model
from sklearn_bert._engine.checkpoints.config_files import read_config
from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.load import load_checkpoint
from sklearn_bert._engine.checkpoints.packed import pack, unpack
from sklearn_bert._engine.checkpoints.weights import set_weights


@pytest.fixture
def files(tiny_bert):
    return locate(str(tiny_bert), None)


def test_weights_that_are_missing_are_not_drawn(files):
    config = read_config(files)
    state = torch.get_rng_state()
    with pytest.raises(RuntimeError, match="Missing key"):
        set_weights(type(shape_model(config)), config, {})
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("cutoff", [3.0, 0.1])
def test_truncated_distributions_end(save_model, tmp_path, cutoff):
    # torch draws again what lies beyond the cutoff.
    folder = save_model(
        tmp_path / "model", "modernbert", initializer_cutoff_factor=cutoff
    )
    config = read_config(locate(str(folder), None))
    with pytest.raises(RuntimeError, match="Missing key"):
        set_weights(type(shape_model(config)), config, {})


def test_other_threads_draw_their_own_numbers_meanwhile(files):
    torch.manual_seed(5)
    expected = torch.rand(100)
    torch.manual_seed(5)
    drawn, is_loaded = [], threading.Event()

    def draw():
        while not is_loaded.is_set() and len(drawn) < 100:
            drawn.append(torch.rand(1))

    drawing = threading.Thread(target=draw)
    drawing.start()
    unpack(pack(load_checkpoint(files)))
    is_loaded.set()
    drawing.join()
    found = torch.cat([*drawn, torch.rand(100 - len(drawn))])
    assert torch.equal(found, expected)


def test_buffers_that_no_file_holds_are_made(files):
    buffers = dict(load_checkpoint(files).model.named_buffers())
    positions = buffers["embeddings.position_ids"]
    assert torch.equal(positions, torch.arange(64)[None])
