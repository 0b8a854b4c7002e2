"""Ctrl-C at any moment leaves the estimator as it was, or with what it has learned."""

import pickle
import random
import signal
import threading
import time
import warnings
import zlib

import pytest

import sklearn_bert
from reliability.subjects import SUBJECTS, assert_close, fresh, name_of_call
from reliability.subjects import plain as plainly

pytestmark = [
    pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs setitimer"),
    # Python 3.11 may handle the signal inside a callback of its garbage collector,
    # where it only prints the interruption. The call then ends as if there was none.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
FILE = "saved"


@pytest.fixture
def interruptible():
    """Let the timer of the system act as Ctrl-C."""
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


class Work:
    """A method of new estimators, and what it gives if it is not interrupted."""

    def __init__(self, subject, method, model, folder):
        self.subject, self.method = subject, method
        self.is_learning = method in subject.learning
        self._model, self._file = model, folder / FILE
        self._state = pickle.dumps(subject.fitted(model))
        # The first call imports and fills caches.
        self.result(self.start())
        estimator = self.start()
        start = time.perf_counter()
        answer = self.run(estimator)
        self.seconds = time.perf_counter() - start
        self.expected = self.shown(estimator, answer)

    def start(self):
        if self.method == "fit":
            return self.subject.make(self._model)
        return fresh(self._state)

    def run(self, estimator):
        if self.method == "save":
            return estimator.save(self._file)
        return self.subject.call(estimator, self.method)

    def shown(self, estimator, answer):
        """Return what shows the result of a call."""
        if self.method == "save":
            estimator = sklearn_bert.load(self._file)
        if self.is_learning or self.method == "save":
            return list(self.subject.answers(estimator).values())
        return plainly(answer)

    def result(self, estimator):
        return self.shown(estimator, self.run(estimator))


def run_interrupted(work, estimator, seconds):
    """Return whether a call was interrupted, and its answer."""
    try:
        try:
            signal.setitimer(signal.ITIMER_REAL, seconds)
            answer = work.run(estimator)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except KeyboardInterrupt:
        return True, None
    return False, answer


CALLS = [
    (subject, method)
    for subject in SUBJECTS
    for method in (*subject.learning, subject.answering[0], "save")
]


@pytest.mark.parametrize(("subject", "method"), CALLS, ids=name_of_call)
def test_an_interruption_loses_nothing(
    tiny_bert, tmp_path, tally, interruptible, subject, method
):
    work = Work(subject, method, str(tiny_bert), tmp_path)
    n_threads = threading.active_count()
    # The same moments in each run, as shares of the time that a call takes.
    rng = random.Random(zlib.crc32(f"{subject.name} {method}".encode()))
    for _ in range(tally.count(ci=1, soak=100)):
        with tally.case(f"Ctrl-C in {'save' if method == 'save' else 'a call'}"):
            try_to_interrupt(work, max(1e-5, rng.uniform(0, work.seconds)), tmp_path)
            assert threading.active_count() <= n_threads


def try_to_interrupt(work, seconds, folder):
    estimator = work.start()
    before = pickle.dumps(estimator)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        is_interrupted, answer = run_interrupted(work, estimator, seconds)
    if is_interrupted:
        # It may have learned everything, and then not returned.
        if pickle.dumps(estimator) != before:
            assert work.is_learning
            assert_close(work.shown(estimator, None), work.expected)
    elif work.is_learning:
        # All of it, or with a warning what was learned until then.
        work.subject.answers(estimator)
    else:
        assert_close(work.shown(estimator, answer), work.expected)
    if work.method == "save":
        # The file of the last call, or of this one.
        assert_close(work.shown(None, None), work.expected)
    again = work.start() if work.method == "partial_fit" else estimator
    assert_close(work.result(again), work.expected)
    names = {path.name for path in folder.iterdir()}
    assert names <= {FILE}
