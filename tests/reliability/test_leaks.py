"""Memory, threads and file descriptors do not grow with fits, or with texts."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="needs the /proc of Linux"
)
MEGABYTE = 2**20

START = """
import gc, json, os, random, sys, threading, warnings
from reliability.subjects import BY_NAME
from sklearn_bert import BertVectorizer

warnings.simplefilter("ignore")
folder, name, n_cycles = sys.argv[1], sys.argv[2], int(sys.argv[3])

def measure():
    gc.collect()
    pages = int(open("/proc/self/statm").read().split()[1])
    return [
        pages * os.sysconf("SC_PAGE_SIZE"),
        threading.active_count(),
        len(os.listdir("/proc/self/task")),
        len(os.listdir("/proc/self/fd")),
    ]

def run(cycle):
    measured = []
    for k in range(n_cycles):
        cycle()
        measured.append(measure())
    print(json.dumps(measured))
"""
FITS = """
subject = BY_NAME[name]
def cycle():
    estimator = subject.fitted(folder)
    subject.call(estimator, subject.answering[0])
run(cycle)
"""
# Texts of 1 to 12 words, in numbers that differ from call to call.
TEXTS = """
words = "a good film the bad plot music and dull story slow fast".split()
rng = random.Random(0)
vectorizer = BertVectorizer(folder)
def cycle():
    n = rng.randrange(1900, 2101)
    vectorizer.transform(
        [" ".join(rng.choices(words, k=rng.randrange(1, 13))) for _ in range(n)]
    )
run(cycle)
"""


def measure(code, folder, name, n_cycles):
    """Return memory in megabytes, threads of Python, all threads, and descriptors."""
    tests = os.path.dirname(os.path.dirname(__file__))
    path = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), tests]))
    done = subprocess.run(
        [sys.executable, "-P", "-c", START + code, str(folder), name, str(n_cycles)],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=3600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    measured = np.array(json.loads(done.stdout), dtype=float)
    measured[:, 0] /= MEGABYTE
    return measured


def check_flat(measured, most_megabytes, capsys, what):
    """Check that nothing grows in the second half of the cycles; print the slopes."""
    later = measured[len(measured) // 2 :]
    cycles = np.arange(len(later))
    slopes = np.polyfit(cycles, later, 1)[0]
    with capsys.disabled():
        print(
            f"\n{what}, {len(measured)} cycles: {later[-1, 0]:.0f} MB; each cycle adds"
        )
        print(
            f"{slopes[0]:.3f} MB, {slopes[2]:.4f} threads, {slopes[3]:.4f} descriptors"
        )
    # The second half grows by less than what the noise of a heap is.
    assert later[-1, 0] - later[0, 0] < most_megabytes
    assert (later[-1, 1:] <= later[0, 1:]).all()


TUNERS = ("BertClassifier", "BertRegressor", "BertTokenClassifier", "BertMaskedLM")


@pytest.mark.parametrize("name", TUNERS)
def test_fits_leave_nothing_behind(tiny_bert, tally, capsys, name):
    n_cycles = tally.count(ci=6 if name == "BertClassifier" else 0, soak=200)
    if n_cycles == 0:
        pytest.skip("only in the full run")
    measured = measure(FITS, tiny_bert, name, n_cycles)
    with tally.case("fit-and-delete cycles"):
        check_flat(measured, 15, capsys, name)


def test_short_texts_leave_nothing_behind(tiny_bert, tally, capsys):
    n_cycles = tally.count(ci=5, soak=500)
    measured = measure(TEXTS, tiny_bert, "BertVectorizer", n_cycles)
    with tally.case("2,000 short texts"):
        # The kernels of oneDNN for the last shapes of batches.
        check_flat(measured, 30, capsys, "transform of 2,000 texts")


@pytest.fixture(scope="module")
def heavy_model(save_model, tmp_path_factory):
    """Folder of a model with weights of 30 MB."""
    sizes = {"hidden_size": 384, "intermediate_size": 1536, "num_hidden_layers": 4}
    return str(save_model(tmp_path_factory.mktemp("models") / "heavy", **sizes))


def test_a_deleted_estimator_releases_its_memory(heavy_model, run_module):
    rounds = run_module("releasing", {"folder": heavy_model})
    (_, first), *_, (with_it, after) = rounds
    # Those of the checkpoint, of the estimator, and of the encoder that predicts.
    assert with_it - after > 2.5 * 30
    assert after - first < 15


@pytest.mark.parametrize(
    "model", ["random", pytest.param("real", marks=pytest.mark.real)]
)
def test_a_search_needs_no_more_memory_than_a_fit(
    heavy_model, run_module, tally, capsys, model
):
    n_fits = tally.count(ci=8 if model == "random" else 0, soak=100)
    if n_fits == 0:
        pytest.skip("only in the full run")
    folder = heavy_model
    if model == "real":
        folder = "sentence-transformers/all-MiniLM-L6-v2"
    settings = {"folder": folder, "n_fits": n_fits}
    of_one_fit, after_fits, peak = run_module("searching", settings)
    with capsys.disabled():
        print(
            f"\n{n_fits} fits of a search: peak {peak:.0f} MB, of one fit "
            f"{of_one_fit:.0f} MB; after the fits {after_fits[3]:.0f} to "
            f"{after_fits[-1]:.0f} MB"
        )
    with tally.case("searches"):
        assert max(after_fits[3:]) - min(after_fits[3:]) < 50
        assert peak < 1.2 * of_one_fit
