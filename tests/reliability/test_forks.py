"""A forked child of a process that has computed uses estimators and tokenizers."""

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

PROGRAM = """
import json, os, signal, sys, time, warnings
from transformers import AutoTokenizer
from reliability.subjects import SUBJECTS, assert_close

warnings.simplefilter("ignore")
folder, n_forks = sys.argv[1], int(sys.argv[2])
fitted = [subject.fitted(folder) for subject in SUBJECTS]
expected = [one.answers(x) for one, x in zip(SUBJECTS, fitted)]
texts = [f"a good film {i}" for i in range(600)]

def use(k):
    subject = SUBJECTS[k % len(SUBJECTS)]
    # Of the parent, or of its own.
    own = (k + k // len(SUBJECTS)) % 2
    estimator = subject.fitted(folder) if own else fitted[k % len(SUBJECTS)]
    found = subject.answers(estimator)
    assert_close(list(found.values()), list(expected[k % len(SUBJECTS)].values()))
    assert len(AutoTokenizer.from_pretrained(folder)(texts)["input_ids"]) == 600

def fork(k):
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    status = 1
    try:
        # Ends a child that hangs.
        signal.alarm(100)
        use(k)
        status = 0
    finally:
        os._exit(status)

statuses = []
for k in range(n_forks):
    SUBJECTS[k % 5].answers(fitted[k % 5])
    statuses.append(fork(k))
print(json.dumps(statuses))
"""


def test_a_child_of_a_process_that_has_computed_does_not_hang(tiny_bert, tally):
    n_forks = tally.count(ci=4, soak=50)
    tests = os.path.dirname(os.path.dirname(__file__))
    path = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), tests]))
    # With one thread nothing can hang.
    threads = {"OMP_NUM_THREADS": "2", "RAYON_NUM_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM, str(tiny_bert), str(n_forks)],
        env={**os.environ, **threads, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120 + 20 * n_forks,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for status in json.loads(done.stdout):
        with tally.case("a fork after a forward"):
            assert status == 0, done.stderr
