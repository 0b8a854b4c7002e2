"""Parallel workers give the results of a serial call, and one that dies is an error."""

import json
import os
import subprocess
import sys

import pytest

# A program, since workers of joblib import the modules of functions by name.
PROGRAM = """
import json, os, sys, time, warnings
import joblib, numpy as np
from sklearn.model_selection import cross_val_score
from sklearn_bert import BertClassifier

warnings.simplefilter("ignore")
folder, is_soak, death = sys.argv[1], sys.argv[2] == "True", sys.argv[3]
texts = ["a good film", "the bad plot", "good music", "bad and dull"] * 3
y = [0, 1] * 6
exact = {"n_epochs": 1, "dropout": 0.0, "dtype": "float64", "random_state": 0}
stopping = {"early_stopping": True, "validation_fraction": 0.5}
found = {}

def die(*args):
    with open(death, "w") as file:
        file.write(str(time.time()))
    os._exit(1)

def seconds_until_error(run):
    try:
        run()
    # The test checks which one.
    except Exception as error:
        with open(death) as file:
            return [type(error).__name__, time.time() - float(file.read())]
    return ["no error", 0]

def fit_in_parallel(**changes):
    model = BertClassifier(folder, **exact, **changes)
    return cross_val_score(model, texts, y, cv=2, error_score="raise")

with joblib.parallel_config("loky", n_jobs=2):
    fitted = BertClassifier(folder, **exact).fit(texts, y)
    serial = fitted.predict_proba(texts)
    parts = joblib.Parallel()(
        joblib.delayed(fitted.predict_proba)(texts[k : k + 3]) for k in range(0, 12, 3)
    )
    found["predictions"] = bool(np.allclose(np.vstack(parts), serial, rtol=1e-9))
    fits = joblib.Parallel()(
        joblib.delayed(BertClassifier(folder, **exact).fit)(texts, y) for _ in range(2)
    )
    found["fits"] = all(
        np.allclose(one.predict_proba(texts), serial, rtol=1e-9) for one in fits
    )
    found["callback"] = seconds_until_error(lambda: fit_in_parallel(callbacks=[die]))
    # The next workers are new ones.
    if is_soak:
        found["scorer"] = seconds_until_error(
            lambda: fit_in_parallel(**stopping, scoring=die)
        )
        found["afterwards"] = bool(np.isfinite(fit_in_parallel()).all())
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def found(tiny_bert, tmp_path_factory, request):
    death = tmp_path_factory.mktemp("workers") / "time-of-death"
    is_soak = request.config.getoption("soak")
    done = subprocess.run(
        # -P: not the source tree that the tests may have been started in.
        [sys.executable, "-P", "-c", PROGRAM, *map(str, (tiny_bert, is_soak, death))],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def result_of(found, what):
    if what not in found:
        pytest.skip("only in the full run")
    return found[what]


@pytest.mark.parametrize("what", ["predictions", "fits", "afterwards"])
def test_workers_give_the_results_of_a_serial_call(found, tally, what):
    result = result_of(found, what)
    with tally.case("loky workers"):
        assert result


@pytest.mark.parametrize("where", ["callback", "scorer"])
def test_a_worker_that_dies_is_an_error_within_a_minute(found, tally, where):
    error, seconds = result_of(found, where)
    with tally.case("a worker that dies"):
        assert error == "TerminatedWorkerError"
        assert seconds < 60
