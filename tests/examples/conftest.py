"""The service of examples/serving, in a thread of the tests."""

import socket
import sys
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Thread

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
# Last: the tests import the installed sklearn_bert, if there is one.
sys.path.append(str(EXAMPLES))


@pytest.fixture
def serve():
    """Return a context manager that serves an estimator, with some settings."""
    import uvicorn
    from serving.app import create_app
    from serving.settings import Settings

    @contextmanager
    def run(estimator, **changes):
        app = create_app(estimator, Settings(path="unused", **changes))
        config = uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=5)
        server = uvicorn.Server(config)
        with socket.create_server(("127.0.0.1", 0)) as listening:
            arguments = {"sockets": [listening]}
            thread = Thread(target=server.run, kwargs=arguments, daemon=True)
            thread.start()
            try:
                yield f"http://127.0.0.1:{listening.getsockname()[1]}"
            finally:
                server.should_exit = True
                thread.join(20)
        assert not thread.is_alive()

    return run


@pytest.fixture
def post():
    """Return a function that sends one request: its status and its content."""
    from serving.load_test import Client

    def send(url, body, path="/predict"):
        with closing(Client(url)) as client:
            return client.post(path, body)

    return send


@pytest.fixture
def get():
    """Return a function that reads a page: its status and its text."""
    from serving.load_test import Client

    def read(url, path):
        with closing(Client(url)) as client:
            return client.get(path)

    return read
