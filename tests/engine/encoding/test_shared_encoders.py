"""One encoder per checkpoint and process: shared, bounded, released, fork-proof."""

import gc
import multiprocessing
import os
import threading
import time
from collections import OrderedDict

import numpy as np
import pytest
import torch
from sklearn.base import clone

from sklearn_bert import BertVectorizer
from sklearn_bert._engine.checkpoints.locate import locate
from sklearn_bert._engine.encoding import shared_encoders as module
from sklearn_bert._engine.encoding.shared_encoders import (
    SHARED_ENCODERS,
    SharedEncoders,
)

CPU = torch.device("cpu")


class User:
    """Stands for an estimator."""


@pytest.fixture
def registry(monkeypatch):
    monkeypatch.setattr(module, "LINGER_SECONDS", 0.01)
    return SharedEncoders()


@pytest.fixture
def files(tiny_bert):
    return locate(str(tiny_bert), None)


def wait_until_empty(registry):
    deadline = time.monotonic() + 20
    while len(registry) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(registry) == 0


def test_users_share_one_encoder(registry, files):
    a, b = User(), User()
    first = registry.acquire(files, CPU, torch.float32, a)
    assert registry.acquire(files, CPU, torch.float32, b) is first


def test_dtypes_have_encoders_of_their_own(registry, files):
    user = User()
    first = registry.acquire(files, CPU, torch.float32, user)
    assert registry.acquire(files, CPU, torch.float64, user) is not first


def test_a_changed_checkpoint_is_loaded_anew(registry, own_bert, save_model):
    user = User()
    first = registry.acquire(locate(str(own_bert), None), CPU, torch.float32, user)
    save_model(own_bert, initializer_range=0.2)
    again = registry.acquire(locate(str(own_bert), None), CPU, torch.float32, user)
    assert again is not first


def test_the_last_user_releases(registry, files):
    a, b = User(), User()
    for user in (a, b):
        registry.acquire(files, CPU, torch.float32, user)
    del a, user
    gc.collect()
    time.sleep(0.2)
    assert len(registry) == 1
    del b
    gc.collect()
    wait_until_empty(registry)


def test_an_encoder_lingers_for_the_next_fold(registry, files, monkeypatch):
    monkeypatch.setattr(module, "LINGER_SECONDS", 2.0)
    user = User()
    first = registry.acquire(files, CPU, torch.float32, user)
    del user
    gc.collect()
    following = User()
    assert registry.acquire(files, CPU, torch.float32, following) is first
    del following
    gc.collect()
    wait_until_empty(registry)


def test_the_registry_is_bounded(registry, save_model, tmp_path):
    users = [User() for _ in range(module.MAX_ENCODERS + 1)]
    for i, user in enumerate(users):
        folder = save_model(tmp_path / str(i), hidden_size=4 * (i + 1))
        registry.acquire(locate(str(folder), None), CPU, torch.float32, user)
    assert len(registry) == module.MAX_ENCODERS


def test_threads_that_ask_at_once_wait_for_one_load(registry, files, monkeypatch):
    n_loads = []
    original = module.build_encoder

    def slowly(*args):
        n_loads.append(1)
        time.sleep(0.1)
        return original(*args)

    monkeypatch.setattr(module, "build_encoder", slowly)
    users = [User() for _ in range(4)]
    threads = [
        threading.Thread(
            target=registry.acquire, args=(files, CPU, torch.float32, user)
        )
        for user in users
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(n_loads) == 1


def test_threads_give_the_results_of_one(tiny_bert, texts):
    vectorizers = [
        BertVectorizer(tiny_bert, max_length=n, long_text="window") for n in (8, 64)
    ]
    expected = [v.transform(texts) for v in vectorizers]
    wrong = []

    def work(seed):
        rng = np.random.RandomState(seed)
        for _ in range(15):
            which = rng.randint(2)
            rows = rng.permutation(len(texts))[:10]
            features = vectorizers[which].transform([texts[row] for row in rows])
            if not np.allclose(features, expected[which][rows], rtol=0, atol=5e-6):
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_estimators_use_the_process_wide_registry(tiny_bert):
    vectorizer = BertVectorizer(tiny_bert)
    vectorizer.transform(["good"])
    keys = [key[0] for key in SHARED_ENCODERS._encoders]
    assert tiny_bert in keys


def _transform_in_child(vectorizer, texts, queue):
    queue.put(vectorizer.transform(texts))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
@pytest.mark.parametrize("is_released", [False, True], ids=["held", "released"])
def test_a_forked_child_gives_the_parents_results(
    tiny_bert, texts, capfd, monkeypatch, is_released
):
    monkeypatch.setattr(module, "LINGER_SECONDS", 0.01)
    vectorizer = BertVectorizer(tiny_bert)
    many = texts * 20
    expected = vectorizer.transform(many)
    if is_released:
        # Without an encoder, torch still has its pool of threads.
        vectorizer = clone(vectorizer)
        gc.collect()
        # Under the lock: the thread that releases must not see one without the other.
        with SHARED_ENCODERS._lock:
            monkeypatch.setattr(SHARED_ENCODERS, "_encoders", OrderedDict())
            monkeypatch.setattr(SHARED_ENCODERS, "_users", {})
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(
        target=_transform_in_child, args=(vectorizer, many, queue), daemon=True
    )
    child.start()
    try:
        features = queue.get(timeout=60)
    finally:
        child.kill()
    np.testing.assert_allclose(features, expected, rtol=0, atol=5e-6)
    assert "TOKENIZERS_PARALLELISM" not in os.environ
    assert capfd.readouterr().err == ""


def test_turning_to_another_encoder_releases_the_first(registry, files):
    user = User()
    registry.acquire(files, CPU, torch.float32, user)
    registry.acquire(files, CPU, torch.float64, user)
    deadline = time.monotonic() + 60
    while len(registry) > 1 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [key[-1] for key in registry._encoders] == [torch.float64]


def test_the_linger_starts_with_the_last_user(registry, files, monkeypatch):
    monkeypatch.setattr(module, "LINGER_SECONDS", 1.0)
    first, second = User(), User()
    for user in (first, second):
        registry.acquire(files, CPU, torch.float32, user)
    key = next(iter(registry._encoders))
    del first, user
    gc.collect()
    time.sleep(0.7)
    gone_at = time.monotonic()
    del second
    gc.collect()
    time.sleep(0.5)
    # The first has been gone for longer than the linger, the second has not.
    is_held = key in registry._encoders
    # On a machine that stalls, both may have been.
    is_late = time.monotonic() - gone_at > 1.0
    assert is_held or is_late
