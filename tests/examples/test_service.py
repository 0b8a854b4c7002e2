"""A process of its own serves 32 clients at once, and stops cleanly."""

import http.client
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest
from serving.__main__ import load_estimator
from serving.load_test import Client, make_texts, measure
from serving.settings import Settings

from sklearn_bert import BertClassifier, BertTokenizer
from sklearn_bert.exceptions import SavedFileError

EXAMPLES = Path(__file__).parents[2] / "examples"
N_CLIENTS = 32
SOON = 60


@pytest.fixture(scope="module")
def saved(tiny_bert, tmp_path_factory):
    """A classifier, its file and the SHA-256 of the file."""
    texts, labels = ["a good film", "a bad plot"] * 4, ["good", "bad"] * 4
    classifier = BertClassifier(
        tiny_bert, n_epochs=1, random_state=0, dtype="float32", learning_rate=1e-3
    ).fit(texts, labels)
    path = tmp_path_factory.mktemp("saved") / "classifier.safetensors"
    return classifier, path, classifier.save(path)


@pytest.fixture
def launch(saved, tmp_path):
    """Return a context manager that starts the service: its process and address."""
    _, path, sha256 = saved

    @contextmanager
    def run(**variables):
        own = {"PATH": str(path), "SHA256": sha256, "PORT": "0", **variables}
        paths = [str(EXAMPLES), os.environ.get("PYTHONPATH", "")]
        environment = {
            **os.environ,
            **{f"BERT_SERVING_{name}": value for name, value in own.items()},
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            "OMP_NUM_THREADS": "1",
        }
        log = tmp_path / "log"
        with log.open("w") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "serving"],
                env=environment,
                cwd=tmp_path,
                stdout=file,
                stderr=file,
            )
            try:
                yield process, wait_for_address(process, log)
            finally:
                process.kill()
                process.wait()

    return run


def wait_for_address(process, log):
    mark, deadline = "Uvicorn running on ", time.monotonic() + 4 * SOON
    while mark not in (text := log.read_text()):
        assert process.poll() is None, text
        assert time.monotonic() < deadline, text
        time.sleep(0.05)
    return text.split(mark)[1].split()[0]


def check_all_right(classifier, answers):
    """Compare each answer with that of the estimator for its text."""
    texts, statuses, contents = zip(*answers, strict=True)
    assert set(statuses) == {200}
    found = [content["probabilities"][0] for content in contents]
    np.testing.assert_allclose(found, classifier.predict_proba(texts), atol=5e-6)
    labels = [content["predictions"][0] for content in contents]
    assert labels == classifier.predict(texts).tolist()


def ask_until_refused(url, texts):
    """Send requests until the service does not answer any more."""
    answers = []
    with closing(Client(url)) as client:
        for text in texts:
            try:
                answers.append((text, *client.post("/predict", {"texts": [text]})))
            except (OSError, http.client.HTTPException):
                break
    return answers


def test_32_clients_get_their_own_answers_until_the_service_stops(launch, saved):
    classifier = saved[0]
    texts = make_texts(20_000)
    with launch() as (process, url), ThreadPoolExecutor(N_CLIENTS + 1) as pool:
        single = measure(url, "/predict", texts[:30], 1)
        bad = pool.submit(measure, url, "/predict", [3] * 40, 2)
        many = measure(url, "/predict", texts[:320], N_CLIENTS)
        with closing(Client(url)) as client:
            page = client.get("/metrics")[1]
        parts = [texts[k::N_CLIENTS] for k in range(N_CLIENTS)]
        clients = [pool.submit(ask_until_refused, url, part) for part in parts]
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        exit_code = process.wait(SOON)
        last = [one for client in clients for one in client.result(SOON)]
    print(f"\n1 client: {single}\n{N_CLIENTS} clients: {many}")

    assert sorted(text for text, _, _ in many.answers) == sorted(texts[:320])
    for answers in (single.answers, many.answers, last):
        check_all_right(classifier, answers)
    assert {status for _, status, _ in bad.result().answers} == {422}
    # Several texts per call, which is where the throughput comes from.
    counts = dict(line.rsplit(" ", 1) for line in page.splitlines() if line[0] != "#")
    n_calls = float(counts["bert_batch_texts_count"]) - len(single.answers)
    assert len(many.answers) / n_calls > 4
    assert exit_code == 0
    assert len(last) < len(texts)


def test_a_file_with_another_sha256_is_not_served(saved):
    settings = Settings(path=str(saved[1]), sha256="0" * 64)
    with pytest.raises(SavedFileError, match="SHA-256"):
        load_estimator(settings)


def test_an_estimator_without_an_endpoint_is_not_served(tmp_path):
    path = str(tmp_path / "tokenizer.safetensors")
    BertTokenizer(vocab_size=64).fit(["a film"]).save(path)
    with pytest.raises(SystemExit, match="Cannot serve BertTokenizer"):
        load_estimator(Settings(path=path))
