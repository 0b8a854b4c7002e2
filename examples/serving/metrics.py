"""Metrics for Prometheus."""

import time
from collections.abc import Sequence
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.batching import Batcher, Call

SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """What is counted and timed, in a registry of its own."""

    def __init__(self, batcher: Batcher) -> None:
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.registry = registry
        self.requests = Counter(
            "bert_requests", "Requests.", ["endpoint", "status"], registry=registry
        )
        self.seconds = Histogram(
            "bert_request_seconds",
            "Time from the headers of a request to the end of its answer.",
            ["endpoint"],
            buckets=SECONDS,
            registry=registry,
        )
        self.batch = Histogram(
            "bert_batch_texts",
            "Texts per call of the estimator.",
            buckets=ROWS,
            registry=registry,
        )
        self.call_seconds = Histogram(
            "bert_call_seconds",
            "Duration of a call of the estimator.",
            buckets=SECONDS,
            registry=registry,
        )
        queue = Gauge("bert_queued_texts", "Texts that wait.", registry=registry)
        queue.set_function(batcher.n_waiting)

    def measured(self, call: Call) -> Call:
        """Return a function of an estimator that observes its calls."""

        def measure(rows: list[Any]) -> Sequence[Any]:
            self.batch.observe(len(rows))
            with self.call_seconds.time():
                return call(rows)

        return measure

    def text(self) -> bytes:
        """Return all metrics in the format of Prometheus."""
        return generate_latest(self.registry)


class CountRequests:
    """Middleware that counts and times requests by endpoint and status."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start = time.perf_counter()
        # An exception becomes a 500 further out.
        status = 500

        async def send_and_look(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self.app(scope, receive, send_and_look)
        finally:
            # Paths that do not exist would be labels without end.
            endpoint = getattr(scope.get("route"), "path", "other")
            self.metrics.requests.labels(endpoint, status).inc()
            seconds = time.perf_counter() - start
            self.metrics.seconds.labels(endpoint).observe(seconds)
