"""The loss of an encoder and the head that predicts masked tokens."""

import pytest
import torch

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.masked_lm.batches import MaskedBatches
from sklearn_bert._engine.masked_lm.masking import Masker
from sklearn_bert._engine.masked_lm.self_supervised import SelfSupervisedModel
from sklearn_bert._engine.masked_lm.start import load_masked_model
from sklearn_bert._engine.text.corpus import TokenCorpus
from sklearn_bert._engine.training.model.trainable import make_trainable

CPU = torch.device("cpu")


@pytest.fixture
def masked_model(tiny_bert):
    files = locate(str(tiny_bert), None)
    return load_masked_model(files, seed=0, user=files)


@pytest.fixture
def model(masked_model):
    trainable = make_trainable(
        masked_model.checkpoint,
        CPU,
        torch.float64,
        autocast_dtype=None,
        n_frozen=0,
        dropout=0.0,
        seed=0,
        trains_all_tokens=True,
    )
    return SelfSupervisedModel(trainable, masked_model.head.double())


def test_losses_of_parts_add_up_to_that_of_the_batch(model, masked_model, texts):
    tokenizer = masked_model.checkpoint.tokenizer
    corpus = TokenCorpus(iter(texts), tokenizer, 32)
    masker = Masker(tokenizer, 0.15, whole_words=False)
    batches = MaskedBatches(corpus, masker, 10**6, 0, CPU)
    rows = next(batches.rows(0, 1))
    whole, parted = (batches.make(rows, 0, size).parts for size in (10**6, 64))
    assert len(whole) == 1 < len(parted)
    in_parts, at_once = (
        sum(model.sum_losses(share).item() for part in parts for share in part)
        for parts in (parted, whole)
    )
    assert in_parts == pytest.approx(at_once)


def test_the_head_is_trained_with_the_encoder(model):
    names = [one.name for one in model.trained_tensors()]
    assert any(name.startswith("head.") for name in names)
    assert len(names) > len([name for name in names if name.startswith("head.")])
