"""Forked child processes of a process that has used this package do not hang."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import sklearn_bert

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

PARALLELISM = "TOKENIZERS_PARALLELISM"

PROGRAM = """
import json, multiprocessing, os, signal, sys, threading, warnings
import joblib, torch
from transformers import AutoTokenizer
from sklearn_bert import BertTokenizer, BertVectorizer

# Python's own advice about forks in processes with threads.
warnings.simplefilter("ignore", DeprecationWarning)
folder = sys.argv[1]
texts = [f"a good film {i}" for i in range(600)]
foreign = AutoTokenizer.from_pretrained(folder)
found = {}

def use_our_tokenizer():
    return BertTokenizer().fit_transform(texts).shape

def use_our_encoder():
    return BertVectorizer(folder).transform(texts).shape

def use_a_foreign_tokenizer():
    return len(foreign(texts)["input_ids"])

def use_torch():
    return float((torch.ones(1000, 1000) @ torch.ones(1000, 1000)).sum())

def read_variable():
    use_our_tokenizer()
    return os.environ.get("TOKENIZERS_PARALLELISM")

def fork(work):
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        # Ends a child that hangs.
        signal.alarm(30)
        os.write(writer, json.dumps(work()).encode())
        os._exit(0)
    os.close(writer)
    status = os.waitpid(child, 0)[1]
    return json.loads(os.read(reader, 1000)) if status == 0 else f"status {status}"

def fork_often():
    for _ in range(20):
        fork(int)

def settings():
    return [os.environ.get("TOKENIZERS_PARALLELISM"), torch.get_num_threads()]

found["after_import"] = fork(settings)
use_our_encoder()
for work in (use_our_tokenizer, use_our_encoder, use_torch, read_variable):
    found[work.__name__] = fork(work)
if os.environ.get("TOKENIZERS_PARALLELISM") != "true":
    found["use_a_foreign_tokenizer"] = fork(use_a_foreign_tokenizer)

threads = [threading.Thread(target=fork_often) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
found["parent"] = settings()

signal.alarm(120)
alarm = {"initializer": signal.alarm, "initargs": (30,)}
with multiprocessing.get_context("fork").Pool(2, **alarm) as pool:
    found["pool"] = pool.apply(use_our_tokenizer)
with joblib.parallel_config("multiprocessing"):
    found["joblib"] = joblib.Parallel(2)(
        joblib.delayed(work)() for work in (use_our_encoder, use_our_tokenizer)
    )
print(json.dumps(found))
"""


@pytest.fixture(scope="module", params=[None, "true", "false"], ids=str)
def forked(request, tiny_bert):
    """Return the results of children of a process that has computed."""
    environment = {k: v for k, v in os.environ.items() if k != PARALLELISM}
    # With one thread nothing can hang.
    environment |= {"OMP_NUM_THREADS": "2", "RAYON_NUM_THREADS": "2"}
    if request.param is not None:
        environment[PARALLELISM] = request.param
    process = subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM, str(tiny_bert)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=240,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    found = json.loads(process.stdout)
    return {**found, "given": request.param, "printed": process.stderr}


def test_an_import_alone_changes_nothing_in_a_child(forked):
    assert forked["after_import"] == [forked["given"], 2]


def test_our_tokenizer_works_in_a_child(forked):
    assert forked["use_our_tokenizer"] == [600, 7]


def test_our_encoder_works_in_a_child(forked):
    assert forked["use_our_encoder"] == [600, 32]


def test_torch_works_in_a_child(forked):
    assert forked["use_torch"] == 1e9


def test_other_tokenizers_work_in_a_child(forked):
    if forked["given"] == "true":
        pytest.skip("the user has switched off the library's protection")
    assert forked["use_a_foreign_tokenizer"] == 600


def test_the_users_setting_holds_in_a_child(forked):
    # Without a setting, the child must not use threads.
    assert forked["read_variable"] == (forked["given"] or "false")


def test_the_parents_settings_are_unchanged(forked):
    assert forked["parent"] == [forked["given"], 2]


def test_a_pool_of_forked_processes_works(forked):
    assert forked["pool"] == [600, 7]


def test_joblibs_forked_processes_work(forked):
    assert forked["joblib"] == [[600, 32], [600, 7]]


def test_forks_print_nothing(forked):
    assert forked["printed"] == ""


def test_the_package_has_one_fork_hook():
    modules = Path(sklearn_bert.__file__).parent.rglob("*.py")
    hooks = [path.name for path in modules if "register_at_fork" in path.read_text()]
    assert hooks == ["fork_safety.py"]


# A parent whose only threads are those of torch. The tiny model is too small for any.
LARGE = """
import os, signal
import torch
from sklearn_bert import BertClassifier

torch.ones(20_000_000).sum()
child = os.fork()
if not child:
    signal.alarm(60)
    BertClassifier(n_epochs=1, freeze="encoder").fit(["a", "b"], [0, 1])
    os._exit(0)
print(os.waitpid(child, 0)[1])
"""


@pytest.mark.real
def test_a_large_model_is_loaded_in_a_child_of_a_process_that_used_torch():
    process = subprocess.run(
        [sys.executable, "-P", "-W", "ignore", "-c", LARGE],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "2"},
        timeout=240,
        check=True,
    )
    assert process.stdout.strip() == "0"
