"""Threads that share an estimator get the results of a single one."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from reliability.subjects import SUBJECTS, assert_close, plain

N_THREADS = 8


def parts(subject, method):
    """Return samples for a method that differ in number and length."""
    X = subject.other_X.get(method, subject.X)
    if method in ("score", "inverse_transform"):
        return [(X, subject.y)]
    return [(X[:stop], None) for stop in range(1, len(X) + 1)]


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
def test_results_are_those_of_a_single_thread(tiny_bert, tally, subject):
    model = str(tiny_bert)
    estimator = subject.fitted(model)
    work = [
        (method, X, y)
        for method in subject.answering
        for X, y in parts(subject, method)
    ]
    serial = [plain(subject.call(estimator, *one)) for one in work]
    start = threading.Barrier(N_THREADS)

    def run(seed):
        rng = random.Random(seed)
        start.wait(30)
        for _ in range(tally.count(ci=6, soak=500)):
            k = rng.randrange(len(work))
            found = plain(subject.call(estimator, *work[k]))
            with tally.case("calls in 8 threads"):
                assert_close(found, serial[k], rtol=1e-9)

    with ThreadPoolExecutor(N_THREADS) as pool:
        for done in [pool.submit(run, seed) for seed in range(N_THREADS)]:
            done.result(600)


def test_a_fit_in_one_thread_does_not_disturb_others(tiny_bert, tally):
    subject = next(one for one in SUBJECTS if one.name == "BertClassifier")
    estimator = subject.fitted(str(tiny_bert))
    other = subject.make(str(tiny_bert), n_epochs=2).fit(subject.X, subject.y)
    allowed = [plain(one.predict_proba(subject.X)) for one in (estimator, other)]
    is_done = threading.Event()

    def refit():
        for n_epochs in [2, 1] * tally.count(ci=1, soak=20):
            estimator.set_params(n_epochs=n_epochs).fit(subject.X, subject.y)
        is_done.set()

    def is_close(found, expected):
        try:
            assert_close(found, expected, rtol=1e-9)
        except AssertionError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        refits = pool.submit(refit)
        while not is_done.is_set() and not refits.done():
            found = plain(estimator.predict_proba(subject.X))
            with tally.case("predictions during a fit"):
                assert any(is_close(found, one) for one in allowed)
        refits.result(600)


def test_the_first_calls_of_a_process_may_be_in_several_threads(tiny_bert, run_module):
    assert run_module("starting", {"folder": str(tiny_bert)}) == []
