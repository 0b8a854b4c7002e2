"""Choice of a backend, models that are refused, and log messages."""

from dataclasses import replace

import pytest
import torch

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.load import load_checkpoint
from sklearn_bert._engine.encoding.backend_choice import choose_backend
from sklearn_bert._engine.encoding.backends import FlatBackend, PaddedBackend
from sklearn_bert._engine.encoding.batch import collate
from sklearn_bert._engine.encoding.encoder import build_encoder
from sklearn_bert._engine.encoding.fused import FusedBackend
from sklearn_bert._engine.text.token_sequences import TokenSequences
from sklearn_bert.exceptions import CheckpointError

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("broken", "chosen"),
    [((FusedBackend,), FlatBackend), ((FusedBackend, FlatBackend), PaddedBackend)],
)
def test_a_backend_that_mixes_texts_is_skipped(tiny_bert, monkeypatch, broken, chosen):
    def mixing(original):
        def run(self, batch, layers, *, only_first):
            states = original(self, batch, layers, only_first=only_first)
            return [state + 1e-3 * state.roll(1, 0) for state in states]

        return run

    for kind in broken:
        # No model of transformers is known to do so.
        monkeypatch.setattr(kind, "hidden_states", mixing(kind.hidden_states))
    checkpoint = load_checkpoint(locate(str(tiny_bert), None))
    assert type(choose_backend(checkpoint, CPU, torch.float32)) is chosen


def test_an_unknown_activation_is_left_to_transformers(
    save_model, tmp_path, edit_config
):
    folder = save_model(tmp_path / "silu", hidden_act="silu")
    encoder = build_encoder(locate(str(folder), None), CPU, torch.float32)
    assert type(encoder.backend) is FlatBackend


@pytest.mark.parametrize("vocab_size", [6, 12, 19])
def test_a_few_tokens_are_enough(tiny_bert, vocab_size):
    from transformers import AutoModel

    checkpoint = load_checkpoint(locate(str(tiny_bert), None))
    checkpoint.model.config.vocab_size = vocab_size
    model = AutoModel.from_config(checkpoint.model.config).eval()
    backend = choose_backend(replace(checkpoint, model=model), CPU, torch.float32)
    assert type(backend) is FusedBackend


def test_a_causal_model_is_refused(save_model, tmp_path):
    folder = save_model(tmp_path / "gpt2", "gpt2", n_embd=32, n_layer=3, n_head=4)
    with pytest.raises(CheckpointError, match="first token does not see the last"):
        build_encoder(locate(str(folder), None), CPU, torch.float32)


def test_a_model_with_states_of_another_size_is_refused(tiny_bert):
    checkpoint = load_checkpoint(locate(str(tiny_bert), None))
    smaller = replace(checkpoint.architecture, hidden_size=16)
    with pytest.raises(CheckpointError, match=r"16\. Got a 'bert' model .* size 32"):
        choose_backend(replace(checkpoint, architecture=smaller), CPU, torch.float32)


def test_a_model_that_mixes_padded_texts_is_refused(save_model, tmp_path):
    folder = save_model(tmp_path / "fnet", "fnet")
    with pytest.raises(CheckpointError, match="must keep the texts of a batch apart"):
        build_encoder(locate(str(folder), None), CPU, torch.float32)


SPARSE = {"big_bird": {}, "longformer": {"attention_window": 8, "pad_token_id": 1}}


@pytest.mark.parametrize("model_type", SPARSE)
def test_sparse_attention_is_left_to_transformers(save_model, tmp_path, model_type):
    folder = save_model(tmp_path / model_type, model_type, **SPARSE[model_type])
    encoder = build_encoder(locate(str(folder), None), CPU, torch.float32)
    assert type(encoder.backend) is PaddedBackend


def test_big_bird_attends_to_all_tokens_of_long_texts_too(save_model, tmp_path):
    from transformers import AutoModel

    # Texts of more than 28 tokens are long for these sizes.
    sizes = {"block_size": 4, "num_random_blocks": 1}
    folder = save_model(tmp_path / "big_bird", "big_bird", **sizes)
    ids = list(range(5, 65))
    sequences = TokenSequences([ids], text_index=[0])
    encoder = build_encoder(locate(str(folder), None), CPU, torch.float32)
    full = AutoModel.from_pretrained(folder, attention_type="original_full").eval()
    with torch.inference_mode():
        (states,) = encoder.backend.hidden_states(
            collate(sequences, [0]), (3,), only_first=False
        )
        expected = full(torch.tensor([ids])).last_hidden_state[0]
    torch.testing.assert_close(states, expected, rtol=0, atol=1e-5)


def log_of(folder, caplog, level):
    with caplog.at_level(level, "sklearn_bert"):
        build_encoder(locate(str(folder), None), CPU, torch.float32)
    return [record.getMessage() for record in caplog.records]


def test_the_log_says_why_a_model_is_neither_fused_nor_flat(
    save_model, tmp_path, caplog
):
    folder = save_model(tmp_path / "mpnet", "mpnet", pad_token_id=1)
    fused, flat = log_of(folder, caplog, "DEBUG")
    assert "FusedBackend does not run this mpnet model: its layers are not" in fused
    assert "FlatBackend does not run this mpnet model: its states after" in flat


def test_the_log_says_that_attention_is_sparse(save_model, tmp_path, caplog):
    folder = save_model(tmp_path / "big_bird", "big_bird")
    messages = log_of(folder, caplog, "DEBUG")
    assert len(messages) == 2
    assert all("attention_type='block_sparse'" in message for message in messages)


def test_the_log_has_the_reason_of_an_unexpected_failure(
    tiny_bert, caplog, monkeypatch
):
    def fail(*args, **kwargs):
        raise ZeroDivisionError("no such layer")

    # No model is known to fail so.
    monkeypatch.setattr(FusedBackend, "hidden_states", fail)
    (message,) = log_of(tiny_bert, caplog, "DEBUG")
    assert message.endswith("it failed with ZeroDivisionError('no such layer').")


def test_above_debug_nothing_is_logged(save_model, tmp_path, caplog, capfd):
    folder = save_model(tmp_path / "mpnet", "mpnet", pad_token_id=1)
    capfd.readouterr()
    assert log_of(folder, caplog, "INFO") == []
    assert capfd.readouterr() == ("", "")
