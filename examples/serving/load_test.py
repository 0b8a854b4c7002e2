"""Measure a running service: one client, then many at the same time.

``python -m serving.load_test --clients 32`` prints requests per second and percentiles
of the latency.
"""

import argparse
import json
import random
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

WORDS = [
    *("the", "a", "film", "story", "actor", "music", "plot", "was", "and", "but"),
    *("good", "bad", "slow", "funny", "sad", "long", "new", "old", "very", "not"),
]


@dataclass
class Measured:
    """What a run gave.

    Attributes
    ----------
    seconds : float
        Duration of the run.
    latencies : list of float
        Seconds from each request to its answer.
    answers : list of (str, int, object)
        Text, status and content of each answer.
    """

    seconds: float
    latencies: list[float]
    answers: list[tuple[str, int, Any]]

    def rate(self) -> float:
        """Return the answers per second."""
        return len(self.answers) / self.seconds

    def percentile(self, percent: float) -> float:
        """Return a percentile of the latency in milliseconds."""
        ordered = sorted(self.latencies)
        return 1000 * ordered[int(percent / 100 * (len(ordered) - 1))]

    def __str__(self) -> str:
        return (
            f"{self.rate():8.1f} requests/s, latency "
            f"p50 {self.percentile(50):.1f} ms, p99 {self.percentile(99):.1f} ms"
        )


class Client:
    """One connection, which is kept open.

    Parameters
    ----------
    url : str
        Such as ``"http://127.0.0.1:8000"``.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._connection = HTTPConnection(parts.hostname or "", parts.port, timeout=60)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def get(self, path: str) -> tuple[int, str]:
        """Return the status and the body."""
        self._connection.request("GET", path)
        response = self._connection.getresponse()
        return response.status, response.read().decode()

    def post(self, path: str, body: Any) -> tuple[int, Any]:
        """Send JSON, and return the status and the content."""
        headers = {"Content-Type": "application/json"}
        self._connection.request("POST", path, json.dumps(body), headers)
        response = self._connection.getresponse()
        return response.status, json.loads(response.read())


def make_texts(number: int) -> list[str]:
    """Return texts of 5 to 30 words, all different."""
    chance = random.Random(0)
    return [
        " ".join([*chance.choices(WORDS, k=chance.randint(4, 29)), str(k)])
        for k in range(number)
    ]


def measure(url: str, path: str, texts: list[str], n_clients: int) -> Measured:
    """Send one text per request; each client waits for its answer before the next."""
    latencies, answers = [], []
    remaining = iter(texts)
    lock = Lock()

    def ask_all() -> None:
        with closing(Client(url)) as client:
            while True:
                with lock:
                    text = next(remaining, None)
                if text is None:
                    return
                start = time.perf_counter()
                status, content = client.post(path, {"texts": [text]})
                latencies.append(time.perf_counter() - start)
                answers.append((text, status, content))

    start = time.perf_counter()
    with ThreadPoolExecutor(n_clients) as pool:
        for future in [pool.submit(ask_all) for _ in range(n_clients)]:
            future.result()
    return Measured(time.perf_counter() - start, latencies, answers)


def main() -> None:
    """Measure the service at ``--url`` and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--path", default="/predict", help="/predict or /transform")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--requests", type=int, default=2000)
    options = parser.parse_args()
    texts = make_texts(options.requests)
    n_single = max(1, options.requests // 8)
    measure(options.url, options.path, texts[:50], 1)
    single = measure(options.url, options.path, texts[:n_single], 1)
    many = measure(options.url, options.path, texts, options.clients)
    print(f"{1:3} client:  {single}")
    print(f"{options.clients:3} clients: {many}")
    print(f"{many.rate() / single.rate():.1f} times the throughput of one client")
    refused = sum(status != 200 for _, status, _ in many.answers)
    print(f"{len(many.answers)} answers, {refused} of them refusals or errors")


if __name__ == "__main__":
    main()
