"""Whichever forward pass fails, of any method of any estimator, nothing is lost.

Out of memory, the work is done in parts with the same result, or a DeviceMemoryError
says what does not fit. NaN is an error, or of no effect. After an error the estimator
can be used, and its parameters are those of before.
"""

import itertools
import pickle
import warnings
from contextlib import contextmanager

import pytest
import torch

from reliability.subjects import SUBJECTS, assert_close, calls, fresh, name_of_call
from reliability.subjects import plain as plainly
from sklearn_bert.exceptions import CheckpointError, DeviceMemoryError, NonFiniteError

# Every layer of an encoder, and every head, calls one of them.
STEPS = ("layer_norm", "linear")
ALLOCATOR = "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: "
NAN = "NaN"
FAULTS = {
    "out of memory, torch": lambda: torch.OutOfMemoryError("CUDA out of memory."),
    "out of memory, CPU": lambda: RuntimeError(f"{ALLOCATOR}can't allocate memory"),
    "out of memory, NumPy": lambda: MemoryError("Unable to allocate 8 GiB"),
    NAN: None,
}
# A model that gives NaN in its self-test is refused as a model.
ERRORS = {NAN: (NonFiniteError, CheckpointError)}
ENCODERS = [subject for subject in SUBJECTS if subject.name != "BertTokenizer"]


@contextmanager
def failing(number, make_error):
    """Let one step fail, counted from 0; yield the counter of the steps."""
    counter = itertools.count()
    with pytest.MonkeyPatch.context() as patch:
        for name in STEPS:
            original = getattr(torch.nn.functional, name)

            def step(*args, original=original, **options):
                if next(counter) != number:
                    return original(*args, **options)
                if make_error is None:
                    return original(*args, **options) * torch.nan
                raise make_error()

            patch.setattr(torch.nn.functional, name, step)
        yield counter


@pytest.fixture(scope="module")
def states(tiny_bert):
    """The pickle of a fitted estimator of each kind."""
    return {one.name: pickle.dumps(one.fitted(str(tiny_bert))) for one in ENCODERS}


class Trial:
    """Calls a method of new estimators."""

    def __init__(self, subject, method, model, state):
        self.subject, self.method = subject, method
        self._model, self._state = model, state

    def start(self):
        """Return an estimator to which the method has not been applied."""
        if self.method == "fit":
            return self.subject.make(self._model)
        return fresh(self._state)

    def run(self, estimator):
        """Call the method; return what shows its result."""
        answer = self.subject.call(estimator, self.method)
        if self.method in self.subject.learning:
            return self.subject.answers(estimator)
        return {self.method: plainly(answer)}

    def call(self, estimator):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self.subject.call(estimator, self.method)


@pytest.mark.parametrize(("subject", "method"), calls(ENCODERS), ids=name_of_call)
def test_a_failed_forward_is_recovered_or_named(
    tiny_bert, states, tally, subject, method
):
    trial = Trial(subject, method, str(tiny_bert), states[subject.name])
    with failing(-1, None) as counter:
        trial.call(trial.start())
    n_steps = next(counter)
    if n_steps == 0:
        # A vectorizer computes nothing in fit.
        return
    expected = trial.run(trial.start())
    for number, fault in cases(n_steps, tally.count(ci=2, soak=n_steps)):
        with tally.case(fault):
            try_fault(trial, number, fault, expected)


def cases(n_steps, n_tried):
    """Return the numbers of steps with faults: some, or all of them."""
    faults = list(FAULTS)
    if n_tried == n_steps:
        return list(itertools.product(range(n_steps), faults))
    steps = [(2 * k + 1) * n_steps // (2 * n_tried) for k in range(n_tried)]
    # NaN and one kind of too little memory in each test.
    memory = faults[n_steps % 3]
    return [(k, NAN if i % 2 else memory) for i, k in enumerate(steps)]


def try_fault(trial, number, fault, expected):
    estimator = trial.start()
    before = repr(estimator.get_params())
    errors = ERRORS.get(fault, DeviceMemoryError)
    failure = None
    with failing(number, FAULTS[fault]):
        try:
            found = trial.call(estimator)
        except errors as error:
            failure = error
    has_failed = failure is not None
    assert not has_failed or len(str(failure)) > 40
    assert repr(estimator.get_params()) == before
    if trial.method in trial.subject.learning:
        # The next fit is another pass for partial_fit.
        if has_failed and trial.method == "partial_fit":
            trial.subject.answers(estimator)
            estimator = trial.start()
        found = trial.run(estimator) if has_failed else trial.subject.answers(estimator)
    else:
        found = trial.run(estimator) if has_failed else {trial.method: plainly(found)}
    for method, answer in found.items():
        assert_close(answer, expected[method])
