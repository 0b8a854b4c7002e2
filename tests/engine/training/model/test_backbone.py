"""Backbones: read once, never changed, released after the last fit."""

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from sklearn.model_selection import GridSearchCV

from sklearn_bert import BertClassifier
from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.load import load_checkpoint
from sklearn_bert._engine.encoding import encoder_cache
from sklearn_bert._engine.encoding.encoder_cache import LINGER_SECONDS
from sklearn_bert._engine.training.model import backbone
from sklearn_bert._engine.training.model.backbone import copy_weights, find_backbone


@pytest.fixture
def labels(texts):
    return np.array([len(text) > 60 for text in texts])


@pytest.fixture
def make(own_bert):
    """Return a function that makes a quick classifier on a checkpoint of its own."""
    return lambda **options: BertClassifier(
        own_bert, n_epochs=1, learning_rate=1e-2, random_state=0, **options
    )


@pytest.fixture
def loads(monkeypatch):
    """A list of the checkpoints that are read."""
    loads, load = [], backbone.load
    monkeypatch.setattr(backbone, "load", lambda x: loads.append(x) or load(x))
    return loads


@pytest.fixture
def clock(monkeypatch):
    """The current time of caches, in a list of one number."""
    now = [1000.0]
    monkeypatch.setattr(encoder_cache, "monotonic", lambda: now[0])
    return now


def wait_and_collect(clock):
    # The first collection finds what is unused, the second one what to drop.
    gc.collect()
    clock[0] += LINGER_SECONDS
    gc.collect()


class User:
    """An estimator that is fitted."""


def find(folder, user):
    return find_backbone(locate(str(folder), None), user)


def weights_of(checkpoint):
    return {name: x.numpy().copy() for name, x in checkpoint.model.state_dict().items()}


def assert_equal(found, expected):
    assert found.keys() == expected.keys()
    for name in expected:
        np.testing.assert_array_equal(found[name], expected[name], err_msg=name)


def test_the_fits_of_a_search_share_one_load(make, texts, labels, loads):
    search = GridSearchCV(make(), {"dropout": [0.0, 0.1]}, cv=2)
    search.fit(texts, labels)
    assert len(loads) == 1


@pytest.mark.parametrize("freeze", [None, "embeddings", 2, "encoder"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_fit_does_not_change_the_backbone(
    make, own_bert, texts, labels, freeze, dtype
):
    user = User()
    found = find(own_bert, user).checkpoint
    before = weights_of(load_checkpoint(locate(str(own_bert), None)))
    make(freeze=freeze, dtype=dtype).fit(texts, labels)
    assert find(own_bert, user).checkpoint is found
    assert_equal(weights_of(found), before)


def test_a_fit_after_others_equals_a_first_one(make, texts, labels, loads):
    first = make().fit(texts, labels)
    again = make(freeze=2).fit(texts, labels).set_params(freeze=None).fit(texts, labels)
    assert len(loads) == 1
    assert_equal(again.encoder_.weights, first.encoder_.weights)


def test_threads_share_one_load(make, texts, labels, loads):
    with ThreadPoolExecutor(4) as pool:
        fitted = list(pool.map(lambda _: make().fit(texts, labels), range(4)))
    assert len(loads) == 1
    alone = make().fit(texts, labels)
    for one in fitted:
        assert_equal(one.encoder_.weights, alone.encoder_.weights)


def test_a_changed_checkpoint_is_read_again(
    make, own_bert, texts, labels, loads, save_model
):
    first = make(freeze="encoder").fit(texts, labels)
    save_model(own_bert, initializer_range=0.2)
    again = make(freeze="encoder").fit(texts, labels)
    assert len(loads) == 2
    name = "embeddings.word_embeddings.weight"
    assert (first.encoder_.weights[name] != again.encoder_.weights[name]).any()


def test_only_frozen_weights_are_shared(tiny_bert):
    checkpoint = load_checkpoint(locate(str(tiny_bert), None))
    copied = copy_weights(checkpoint, n_frozen=2)
    pairs = zip(
        checkpoint.model.named_parameters(), copied.model.parameters(), strict=True
    )
    shared = {name for (name, a), b in pairs if a.data_ptr() == b.data_ptr()}
    frozen = ("embeddings.", "encoder.layer.0.")
    names = {name for name, _ in checkpoint.model.named_parameters()}
    assert shared == {name for name in names if name.startswith(frozen)}


def test_converting_a_copy_leaves_the_backbone_alone(tiny_bert):
    checkpoint = load_checkpoint(locate(str(tiny_bert), None))
    copy_weights(checkpoint, n_frozen=4).model.to(torch.float64)
    assert {x.dtype for x in checkpoint.model.parameters()} == {torch.float32}


def test_the_weights_of_a_fitted_estimator_are_its_own(make, own_bert, texts, labels):
    fits = [make(freeze="encoder").fit(texts, labels) for _ in range(2)]
    for one in fits[0].encoder_.weights.values():
        one += 1
    fresh = weights_of(load_checkpoint(locate(str(own_bert), None)))
    assert_equal(fits[1].encoder_.weights, fresh)
    assert_equal(weights_of(find(own_bert, User()).checkpoint), fresh)


def test_a_backbone_is_dropped_although_the_fitted_estimator_lives(
    make, own_bert, texts, labels, clock
):
    fitted = make().fit(texts, labels)
    model = weakref.ref(find(own_bert, User()).checkpoint.model)
    wait_and_collect(clock)
    assert model() is None
    assert fitted.predict(texts).shape == (40,)


def test_a_backbone_is_kept_during_a_fit(make, own_bert, texts, labels, clock, loads):
    def wait(state):
        wait_and_collect(clock)
        wait_and_collect(clock)

    make(callbacks=[wait]).fit(texts, labels)
    find(own_bert, User())
    assert len(loads) == 1


@pytest.mark.gpu
def test_fits_leave_nothing_on_the_gpu(make, texts, labels, clock):
    make().fit(texts, labels)
    wait_and_collect(clock)
    before = torch.cuda.memory_allocated()
    for freeze in (None, 2, "encoder"):
        make(freeze=freeze).fit(texts, labels)
    wait_and_collect(clock)
    assert torch.cuda.memory_allocated() <= before
