"""ModernBERT attends locally in most layers, without padding and exactly."""

import numpy as np
import pytest
import torch

from sklearn_bert import BertClassifier, BertVectorizer
from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.load import load_checkpoint
from sklearn_bert._engine.encoding.backend_choice import choose_backend
from sklearn_bert._engine.encoding.backends import FlatBackend, PaddedBackend
from sklearn_bert._engine.encoding.batch import collate
from sklearn_bert._engine.text.token_sequences import TokenSequences
from sklearn_bert._engine.training.model.trainable import make_trainable

CPU = torch.device("cpu")
# A text of 9 tokens is the longest one that a window of 16 tokens does not cut.
LENGTHS = (120, 100, 100, 9, 8, 3)
WINDOW = 16
LAYERS = (0, 1, 2, 3)
SIZES = {"global_attn_every_n_layers": 3, "local_attention": WINDOW}


@pytest.fixture(scope="module")
def folder(save_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("local") / "modernbert"
    return save_model(folder, "modernbert", max_position_embeddings=128, **SIZES)


@pytest.fixture
def checkpoint(folder):
    return load_checkpoint(locate(str(folder), None))


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    ids = [torch.randint(5, 90, (n,), generator=generator).tolist() for n in LENGTHS]
    sequences = TokenSequences(ids, text_index=list(range(len(ids))))
    return collate(sequences, range(len(ids)))


def theirs(folder, batch, attention, dtype):
    """Run transformers' own model on a padded batch; return it and the states."""
    from transformers import AutoModel

    model = AutoModel.from_pretrained(folder, attn_implementation=attention)
    rows = batch.input_ids.split(LENGTHS)
    ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
    mask = torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]
    output = model.eval().to(dtype)(
        ids, attention_mask=mask.long(), output_hidden_states=True
    )
    states = (*output.hidden_states[:-1], output.last_hidden_state)
    return model, [state[mask] for state in states]


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_states_are_those_of_padded_batches(folder, checkpoint, batch, attention):
    backend = choose_backend(checkpoint, CPU, torch.float32)
    assert type(backend) is FlatBackend
    with torch.inference_mode():
        found = backend.hidden_states(batch, LAYERS, only_first=False)
        _, expected = theirs(folder, batch, attention, torch.float32)
    for state, wanted in zip(found, expected, strict=True):
        torch.testing.assert_close(state, wanted, rtol=0, atol=1e-5)


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_gradients_are_those_of_padded_batches(folder, checkpoint, batch, attention):
    trainable = make_trainable(
        checkpoint,
        CPU,
        torch.float32,
        autocast_dtype=None,
        n_frozen=1,
        dropout=0.0,
        seed=0,
    )
    with trainable.training():
        (states,) = trainable.encoder.backend.hidden_states(
            batch, LAYERS[-1:], only_first=False
        )
    model, expected = theirs(folder, batch, attention, torch.float32)
    generator = torch.Generator().manual_seed(1)
    direction = torch.randn(states.shape, generator=generator)
    (states * direction).sum().backward()
    (expected[-1] * direction).sum().backward()
    wanted = {name: parameter.grad for name, parameter in model.named_parameters()}
    largest = max(float(x.abs().max()) for x in wanted.values())
    for one in trainable.tensors:
        torch.testing.assert_close(
            one.tensor.grad, wanted[one.name], rtol=1e-4, atol=1e-5 * largest
        )


@pytest.mark.parametrize("error", [-1, 1, WINDOW])
def test_a_wrong_window_is_found_out(checkpoint, error):
    # The padded path reads the window from the configuration instead.
    checkpoint.model.layers[1].attn.sliding_window += error
    backend = choose_backend(checkpoint, CPU, torch.float32)
    assert type(backend) is PaddedBackend


def test_a_window_longer_than_every_text_is_none(save_model, tmp_path):
    sizes = {**SIZES, "local_attention": 5000}
    folder = save_model(tmp_path / "wide", "modernbert", **sizes)
    checkpoint = load_checkpoint(locate(str(folder), None))
    assert type(choose_backend(checkpoint, CPU, torch.float32)) is FlatBackend


def test_a_window_too_long_to_be_tested_is_padded(save_model, tmp_path, caplog):
    sizes = {**SIZES, "local_attention": 2000, "max_position_embeddings": 4000}
    folder = save_model(tmp_path / "wide", "modernbert", **sizes)
    checkpoint = load_checkpoint(locate(str(folder), None))
    with caplog.at_level("DEBUG", "sklearn_bert"):
        backend = choose_backend(checkpoint, CPU, torch.float32)
    assert type(backend) is PaddedBackend
    assert "window of 1001 tokens is too long to test" in caplog.text


@pytest.fixture(scope="module")
def long_texts(texts):
    """Texts of up to 300 tokens, most of them longer than the window."""
    return [" ".join(texts[:n]) for n in (1, 2, 3, 6, 12, 18, 3, 9)]


def test_windows_of_long_texts_are_joined(folder, long_texts):
    vectorizer = BertVectorizer(
        folder, long_text="window", max_length=64, pooling="mean"
    )
    features = vectorizer.fit_transform(long_texts)
    checkpoint = load_checkpoint(locate(str(folder), None))
    model = checkpoint.model
    sequences = checkpoint.tokenizer(
        long_texts, None, max_length=64, long_text="window"
    )
    assert len(sequences.ids) > len(long_texts)
    with torch.inference_mode():
        means = [
            model(torch.tensor([ids])).last_hidden_state[0].mean(0)
            for ids in sequences.ids
        ]
    for row, found in enumerate(features):
        windows = [
            mean
            for mean, text in zip(means, sequences.text_index, strict=True)
            if text == row
        ]
        expected = torch.stack(windows).mean(0)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_features_do_not_depend_on_other_texts(folder, long_texts):
    vectorizer = BertVectorizer(folder, max_length=128, long_text="window")
    together = vectorizer.fit_transform(long_texts)
    for text, features in zip(long_texts, together, strict=True):
        alone = vectorizer.transform([text])[0]
        np.testing.assert_allclose(alone, features, rtol=0, atol=1e-5)


def test_a_gemma_that_reads_both_ways_runs_without_padding(
    save_model, tmp_path, long_texts
):
    folder = save_model(
        tmp_path / "gemma",
        "gemma3_text",
        max_position_embeddings=128,
        initializer_range=0.1,
        num_key_value_heads=2,
        head_dim=8,
        use_bidirectional_attention=True,
        sliding_window=WINDOW,
        layer_types=["sliding_attention", "full_attention", "sliding_attention"],
    )
    checkpoint = load_checkpoint(locate(str(folder), None))
    model = checkpoint.model
    sequences = checkpoint.tokenizer(
        long_texts[:4], None, max_length=128, long_text="truncate"
    )
    with torch.inference_mode():
        expected = [
            model(torch.tensor([ids])).last_hidden_state[0].mean(0).numpy()
            for ids in sequences.ids
        ]
    assert type(choose_backend(checkpoint, CPU, torch.float32)) is FlatBackend
    features = BertVectorizer(folder, pooling="mean").fit_transform(long_texts[:4])
    np.testing.assert_allclose(features, expected, rtol=0, atol=1e-5)


def test_the_classifier_learns_from_long_texts(folder, long_texts):
    y = [0, 0, 0, 1, 1, 1, 0, 1]
    classifier = BertClassifier(
        folder,
        max_length=64,
        long_text="window",
        n_epochs=5,
        learning_rate=1e-3,
        init="zeros",
        dropout=0.0,
        random_state=0,
    ).fit(long_texts, y)
    assert classifier.loss_curve_[-1] < classifier.loss_curve_[0]
