"""The outputs are those of the encoder, for any copies of a text."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from sklearn_bert._engine.attribution.model import EmbeddedModel, Sample
from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.source import load
from sklearn_bert._engine.encoding.encode import EncodingConfig, encode_sequences
from sklearn_bert._engine.encoding.encoder import build_encoder
from sklearn_bert._engine.encoding.readout import PooledReadout, WordReadout
from sklearn_bert._engine.text.words import tokenize_words
from sklearn_bert._engine.training.heads import LinearHead
from sklearn_bert.exceptions import CheckpointError

CPU = torch.device("cpu")
TEXT = "the film was very good and the plot was not"


def embed(model, sample):
    return model.embed([id_ for ids in sample.sequences.ids for id_ in ids])


@pytest.mark.parametrize("pooling", ["cls", "mean", "max", "lasttoken", "cls+mean"])
@pytest.mark.parametrize("max_length", [7, 64])
def test_outputs_are_those_of_the_encoder(
    make_embedded, tiny_bert, read_sample, pooling, max_length
):
    readout, rng = PooledReadout(pooling), np.random.RandomState(0)
    head = LinearHead(rng.randn(3, 32 * readout.n_vectors), rng.randn(3))
    model = make_embedded(tiny_bert, readout, head=head)
    sample = read_sample(model, TEXT, max_length=max_length)
    found = model(sample, embed(model, sample).expand(2, -1, -1))
    encoder = build_encoder(locate(str(tiny_bert), None), CPU, torch.float64)
    config = EncodingConfig(readout, (3,))
    rows = encode_sequences(encoder, sample.sequences, config)
    rows = readout.join_arrays(rows, sample.sequences, 1)
    np.testing.assert_allclose(found.numpy(), [head(rows)] * 2, atol=1e-10)


@pytest.mark.parametrize("max_length", [7, 64])
def test_words_keep_their_order(make_embedded, tiny_bert, max_length):
    model = make_embedded(tiny_bert, WordReadout())
    encoder = build_encoder(locate(str(tiny_bert), None), CPU, torch.float64)
    sequences = tokenize_words(encoder.tokenizer, [TEXT.split()], max_length=max_length)
    sample = Sample.sort(sequences, [[]] * len(sequences.ids))
    found = model(sample, embed(model, sample).expand(2, -1, -1))
    rows = encode_sequences(encoder, sequences, EncodingConfig(WordReadout(), (3,)))
    head = LinearHead(model._coef.numpy(), model._intercept.numpy())
    np.testing.assert_allclose(found.numpy(), [head(rows)] * 2, atol=1e-10)


def test_each_copy_has_its_own_embeddings(embedded, read_sample):
    sample = read_sample(embedded, TEXT, max_length=7)
    real = embed(embedded, sample)
    points = torch.stack([real, 2 * real, 3 * real])
    together = embedded(sample, points)
    alone = torch.cat([embedded(sample, one[None]) for one in points])
    assert together.shape == (3, 1, 3)
    np.testing.assert_allclose(together, alone, atol=1e-10)
    assert not np.allclose(together[0], together[1])


def test_the_longest_window_is_the_first(embedded, read_sample):
    sequences = read_sample(embedded, TEXT, max_length=7).sequences
    ids = [sequences.ids[0][:4], *sequences.ids]
    uneven = replace(sequences, ids=ids, text_index=[0] * len(ids))
    sample = Sample.sort(uneven, [[number] for number in range(len(ids))])
    assert sample.words[-1] == [0]
    assert sample.sequences.ids[-1] == ids[0]


def test_gradients_are_those_of_differences(embedded, read_sample):
    sample = read_sample(embedded, "a good film")
    real = embed(embedded, sample)[None].clone().requires_grad_()
    assert torch.autograd.gradcheck(
        lambda points: embedded(sample, points), real, fast_mode=True
    )


def test_a_model_that_reads_ids_elsewhere_is_refused(tiny_bert):
    checkpoint = load(locate(str(tiny_bert), None))
    embeddings = checkpoint.model.embeddings
    table = embeddings.word_embeddings

    class Elsewhere(nn.Module):
        def forward(self, input_ids, position_ids, token_type_ids, **others):
            return embeddings(
                input_ids=input_ids,
                position_ids=position_ids,
                token_type_ids=token_type_ids,
            ) + table(input_ids.clamp(max=table.num_embeddings - 1))

    checkpoint.model.embeddings = Elsewhere()
    checkpoint.model.get_input_embeddings = lambda: embeddings.word_embeddings
    checkpoint.model.set_input_embeddings = lambda new: setattr(
        embeddings, "word_embeddings", new
    )
    head = LinearHead(np.zeros((2, 32)), np.zeros(2))
    with pytest.raises(CheckpointError, match="Got a 'bert' model"):
        EmbeddedModel(checkpoint, PooledReadout("mean"), head, CPU, torch.float32)
