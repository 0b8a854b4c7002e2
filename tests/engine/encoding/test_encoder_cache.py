"""The cache of encoders: shared, bounded, released, safe with threads and forks."""

import gc
import multiprocessing
import os
import pickle
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_validate
from sklearn.pipeline import make_pipeline

from sklearn_bert import BertClassifier, BertVectorizer
from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.encoding import encoder, encoder_cache
from sklearn_bert._engine.encoding.encoder_cache import (
    ENCODERS,
    LINGER_SECONDS,
    MAX_ENCODERS,
    EncoderCache,
)

CPU = torch.device("cpu")
DTYPES = (torch.float32, torch.float64, torch.bfloat16, torch.float16, torch.int8)


class User:
    """An estimator that requests encoders."""


class Weights:
    """The weights of a fitted estimator."""


@pytest.fixture
def clock(monkeypatch):
    """The current time of caches, in a list of one number."""
    now = [1000.0]
    monkeypatch.setattr(encoder_cache, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def cache(clock):
    """A cache that builds a model from any source."""
    return EncoderCache(lambda source, device, dtype: [device, dtype])


@pytest.fixture
def files(tiny_bert):
    return locate(str(tiny_bert), None)


def wait_and_collect(clock, seconds):
    # The first collection finds unused encoders, the second one those to drop.
    gc.collect()
    clock[0] += seconds
    gc.collect()


def test_users_share_one_encoder(cache, files):
    a, b = User(), User()
    first = cache.get(files, CPU, torch.float32, a)
    assert cache.get(files, CPU, torch.float32, b) is first


def test_each_dtype_has_its_own_encoder(cache, files):
    user = User()
    first = cache.get(files, CPU, torch.float32, user)
    assert cache.get(files, CPU, torch.float64, user) is not first


def test_a_changed_checkpoint_is_loaded_again(cache, own_bert, save_model):
    user = User()
    first = cache.get(locate(str(own_bert), None), CPU, torch.float32, user)
    save_model(own_bert, initializer_range=0.2)
    again = cache.get(locate(str(own_bert), None), CPU, torch.float32, user)
    assert again is not first


def test_an_encoder_is_dropped_after_its_last_user(cache, files, clock):
    a, b = User(), User()
    for user in (a, b):
        cache.get(files, CPU, torch.float32, user)
    del a, user
    wait_and_collect(clock, LINGER_SECONDS)
    assert len(cache) == 1
    del b
    wait_and_collect(clock, LINGER_SECONDS)
    assert len(cache) == 0


def test_an_encoder_is_kept_for_the_next_fold(cache, files, clock):
    user = User()
    clock[0] += 2 * LINGER_SECONDS
    first = cache.get(files, CPU, torch.float32, user)
    del user
    wait_and_collect(clock, 0.9 * LINGER_SECONDS)
    following = User()
    assert cache.get(files, CPU, torch.float32, following) is first
    # It is now in use, which has no time limit.
    wait_and_collect(clock, 10 * LINGER_SECONDS)
    assert len(cache) == 1
    del following
    wait_and_collect(clock, 0.9 * LINGER_SECONDS)
    assert len(cache) == 1


def test_a_request_drops_unused_encoders(cache, files, clock):
    user, other = User(), User()
    cache.get(files, CPU, torch.float32, user)
    del user
    gc.collect()
    clock[0] += LINGER_SECONDS
    gc.disable()
    try:
        cache.get(files, CPU, torch.float64, other)
        assert len(cache) == 1
    finally:
        gc.enable()


def test_requesting_another_encoder_releases_the_first(cache, files, clock):
    user = User()
    cache.get(files, CPU, torch.float32, user)
    second = cache.get(files, CPU, torch.float64, user)
    wait_and_collect(clock, LINGER_SECONDS)
    assert len(cache) == 1
    assert cache.get(files, CPU, torch.float64, user) is second


def test_an_encoder_of_weights_is_dropped_with_them(cache):
    weights, user = Weights(), User()
    for dtype in (torch.float32, torch.float64):
        cache.get(weights, CPU, dtype, user)
    gc.collect()
    assert len(cache) == 2
    del weights
    gc.collect()
    assert len(cache) == 0


def test_an_encoder_of_weights_is_dropped_without_the_garbage_collector(cache):
    weights = Weights()
    cache.get(weights, CPU, torch.float32, User())
    gc.disable()
    try:
        del weights
        assert len(cache) == 0
    finally:
        gc.enable()


def test_weights_may_be_deleted_during_a_request(files):
    weights = [Weights()]

    def build(source, device, dtype):
        if source is files:
            weights.clear()
        return object()

    cache, user = EncoderCache(build), User()
    cache.get(weights[0], CPU, torch.float32, user)
    cache.get(files, CPU, torch.float32, user)
    assert len(cache) == 2
    gc.collect()
    assert len(cache) == 1


def test_an_encoder_of_weights_is_kept_without_users(cache, clock):
    weights = Weights()
    first = cache.get(weights, CPU, torch.float32, User())
    wait_and_collect(clock, LINGER_SECONDS)
    assert cache.get(weights, CPU, torch.float32, User()) is first


def test_errors_in_releasing_memory_are_ignored(cache, monkeypatch):
    def refuse(device):
        raise RuntimeError("a CUDA graph is being recorded")

    monkeypatch.setattr(encoder_cache, "release_memory", refuse)
    weights = Weights()
    cache.get(weights, CPU, torch.float32, User())
    del weights
    gc.collect()
    assert len(cache) == 0


def test_each_kind_is_bounded(cache, files):
    weights, users = Weights(), [User() for _ in DTYPES]
    for source in (files, weights):
        for dtype, user in zip(DTYPES, users, strict=True):
            cache.get(source, CPU, dtype, user)
            assert len(cache) <= 2 * MAX_ENCODERS
    assert len(cache) == 2 * MAX_ENCODERS


def test_the_least_recently_used_is_dropped(cache, files):
    users = [User() for _ in DTYPES]
    made = [
        cache.get(files, CPU, dtype, user)
        for dtype, user in zip(DTYPES[:-1], users, strict=False)
    ]
    assert cache.get(files, CPU, DTYPES[0], users[0]) is made[0]
    cache.get(files, CPU, DTYPES[-1], users[-1])
    assert cache.get(files, CPU, DTYPES[0], users[0]) is made[0]
    assert cache.get(files, CPU, DTYPES[1], users[1]) is not made[1]


def test_those_without_users_are_dropped_first(cache, files):
    users = [User() for _ in DTYPES]
    made = [
        cache.get(files, CPU, dtype, user)
        for dtype, user in zip(DTYPES[:-1], users, strict=False)
    ]
    del users[1]
    cache.get(files, CPU, DTYPES[-1], users[-1])
    assert cache.find(files, CPU, DTYPES[0], User()) is made[0]
    assert cache.find(files, CPU, DTYPES[1], User()) is None


def test_nothing_is_built_for_a_search(cache, files):
    assert cache.find(files, CPU, torch.float32, User()) is None
    assert len(cache) == 0
    first = cache.get(files, CPU, torch.float32, User())
    assert cache.find(files, CPU, torch.float32, User()) is first


def test_what_a_search_finds_has_one_more_user(cache, files, clock):
    first, second = User(), User()
    cache.get(files, CPU, torch.float32, first)
    cache.find(files, CPU, torch.float32, second)
    del first
    wait_and_collect(clock, 2 * LINGER_SECONDS)
    assert len(cache) == 1
    del second
    wait_and_collect(clock, LINGER_SECONDS)
    assert len(cache) == 0


def test_concurrent_requests_share_one_load(files):
    loads, users = [], [User() for _ in range(4)]

    def load(*args):
        loads.append(args)
        time.sleep(0.1)
        return object()

    cache = EncoderCache(load)
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda user: cache.get(files, CPU, DTYPES[0], user), users)
        assert len(set(found)) == len(loads) == 1


def test_garbage_collection_does_not_wait_for_a_load(files):
    is_loading, may_end = threading.Event(), threading.Event()

    def load(source, device, dtype):
        if dtype is DTYPES[1]:
            gc.collect()
            is_loading.set()
            assert may_end.wait(timeout=60)
        return object()

    cache, user = EncoderCache(load), User()
    cache.get(files, CPU, DTYPES[0], user)
    with ThreadPoolExecutor(2) as pool:
        pool.submit(cache.get, files, CPU, DTYPES[1], user)
        try:
            assert is_loading.wait(timeout=60)
            pool.submit(gc.collect).result(timeout=60)
        finally:
            may_end.set()


def test_threads_give_the_results_of_a_single_one(tiny_bert, texts):
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


def test_folds_share_one_load(own_bert, texts, monkeypatch):
    loads, load = [], encoder.load
    monkeypatch.setattr(encoder, "load", lambda x: loads.append(x) or load(x))
    pipeline = make_pipeline(BertVectorizer(own_bert), LogisticRegression())
    cross_validate(pipeline, texts, [len(text) > 60 for text in texts], cv=3)
    assert len(loads) == 1


def test_a_vectorizers_encoder_is_dropped_with_it(own_bert, clock):
    vectorizer = BertVectorizer(own_bert)
    vectorizer.transform(["good"])
    wait_and_collect(clock, LINGER_SECONDS)
    n_before = len(ENCODERS)
    del vectorizer
    wait_and_collect(clock, LINGER_SECONDS)
    assert len(ENCODERS) == n_before - 1


@pytest.fixture
def classifier(tiny_bert, texts):
    classifier = BertClassifier(tiny_bert, n_epochs=1, random_state=0)
    return classifier.fit(texts, [len(text) > 60 for text in texts])


def test_a_dropped_classifier_encoder_is_built_again(classifier, texts):
    expected = classifier.predict_proba(texts)
    others = [pickle.loads(pickle.dumps(classifier)) for _ in range(MAX_ENCODERS)]
    for other in [*others, classifier]:
        np.testing.assert_array_equal(other.predict_proba(texts), expected)


def test_a_classifiers_encoder_is_dropped_with_it(classifier, texts):
    copied = pickle.loads(pickle.dumps(classifier))
    copied.predict(texts)
    gc.collect()
    n_before = len(ENCODERS)
    del copied
    gc.collect()
    assert len(ENCODERS) == n_before - 1


def _transform_in_child(vectorizer, texts, queue):
    queue.put(vectorizer.transform(texts))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
@pytest.mark.parametrize("is_released", [False, True], ids=["held", "released"])
def test_a_forked_child_gives_the_parents_results(
    own_bert, texts, capfd, clock, is_released
):
    vectorizer = BertVectorizer(own_bert)
    many = [f"{text} {k}" for k in range(20) for text in texts]
    expected = vectorizer.transform(many)
    if is_released:
        # Without an encoder, torch still has its pool of threads.
        vectorizer = clone(vectorizer)
        wait_and_collect(clock, LINGER_SECONDS)
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
    assert capfd.readouterr().err == ""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
def test_a_child_forked_during_a_load_can_load(files):
    is_loading, may_end = threading.Event(), threading.Event()
    parent = os.getpid()

    def load(*args):
        if os.getpid() == parent:
            is_loading.set()
            assert may_end.wait(timeout=60)
        return object()

    cache, user = EncoderCache(load), User()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(cache.get, files, CPU, torch.float32, user)
        assert is_loading.wait(timeout=60)
        child = multiprocessing.get_context("fork").Process(
            target=cache.get, args=(files, CPU, torch.float32, user), daemon=True
        )
        child.start()
        child.join(timeout=60)
        child.kill()
        may_end.set()
    assert child.exitcode == 0


def test_a_user_keeps_its_models_on_all_devices(cache, clock, files):
    user, other, meta = User(), User(), torch.device("meta")
    first = cache.get(files, CPU, torch.float32, user)
    second = cache.get(files, meta, torch.float32, user, is_replica=True)
    # Models without a user are dropped by then.
    for _ in range(2):
        clock[0] += LINGER_SECONDS + 1
        cache.get(files, CPU, torch.float64, other)
    assert cache.get(files, CPU, torch.float32, user) is first
    assert cache.get(files, meta, torch.float32, user, is_replica=True) is second


def test_each_device_has_room_of_its_own(cache, files):
    devices = [torch.device("cuda", number) for number in range(MAX_ENCODERS + 2)]
    user = User()
    for device in devices:
        cache.get(files, device, torch.float32, user, is_replica=True)
    assert len(cache) == len(devices)
