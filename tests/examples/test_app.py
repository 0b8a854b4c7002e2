"""The service answers like the estimator, and refuses what it must."""

import http.client
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Timer
from urllib.parse import urlsplit

import numpy as np
import pytest

from sklearn_bert import BertClassifier, BertRegressor, BertVectorizer

TEXTS = ["the film was good", "a bad plot", "slow and long", "it was fun"] * 3
QUICK = {"n_epochs": 1, "random_state": 0, "dtype": "float32", "learning_rate": 1e-3}
BOTH = np.array([[0, 1], [1, 0], [1, 1], [0, 0]] * 3)
SOON = 20


class Lengths:
    """An estimator whose features are the length of the text."""

    def __init__(self):
        self.go = Event()
        self.go.set()
        self.started = Event()

    def transform(self, X):
        self.started.set()
        assert self.go.wait(SOON)
        if "broken" in X:
            raise RuntimeError(f"a secret of {X}")
        return np.array([[float(len(text))] for text in X])


@pytest.fixture
def lengths():
    estimator = Lengths()
    yield estimator
    estimator.go.set()


@pytest.fixture
def start():
    """Return a function that sends a request in the background: its future."""
    with ThreadPoolExecutor(8) as pool:
        yield pool.submit


def wait_until(is_so):
    deadline = time.monotonic() + SOON
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("labels", [["no", "yes"], [7, 3], [True, False]])
def test_predictions_are_those_of_the_classifier(tiny_bert, serve, post, labels):
    classifier = BertClassifier(tiny_bert, **QUICK).fit(TEXTS, labels * 6)
    with serve(classifier) as url:
        status, answer = post(url, {"texts": TEXTS[:4]})

    assert status == 200
    assert answer["predictions"] == classifier.predict(TEXTS[:4]).tolist()
    assert answer["classes"] == sorted(labels)
    np.testing.assert_allclose(
        answer["probabilities"], classifier.predict_proba(TEXTS[:4]), atol=5e-6
    )


def test_predictions_of_several_labels_are_indicators(tiny_bert, serve, post):
    classifier = BertClassifier(tiny_bert, **QUICK).fit(TEXTS, BOTH)
    with serve(classifier) as url:
        _, answer = post(url, {"texts": TEXTS[:4]})

    assert answer["predictions"] == classifier.predict(TEXTS[:4]).tolist()
    assert np.shape(answer["probabilities"]) == (4, 2)


@pytest.mark.parametrize("y", [np.arange(12.0), BOTH * 1.5], ids=["one", "two"])
def test_predictions_of_a_regressor_are_numbers(tiny_bert, serve, post, y):
    regressor = BertRegressor(tiny_bert, **QUICK).fit(TEXTS, y)
    with serve(regressor) as url:
        _, answer = post(url, {"texts": TEXTS[:4]})

    assert answer["classes"] is answer["probabilities"] is None
    np.testing.assert_allclose(
        answer["predictions"], regressor.predict(TEXTS[:4]), atol=5e-6
    )


def test_a_vectorizer_answers_with_features_and_predicts_nothing(
    tiny_bert, serve, post
):
    vectorizer = BertVectorizer(tiny_bert).fit(TEXTS)
    with serve(vectorizer) as url:
        status, answer = post(url, {"texts": TEXTS[:4]}, "/transform")
        missing, _ = post(url, {"texts": TEXTS[:4]})

    assert (status, missing) == (200, 404)
    np.testing.assert_allclose(
        answer["features"], vectorizer.transform(TEXTS[:4]), atol=5e-6
    )


def test_pairs_go_to_an_estimator_of_pairs_only(tiny_bert, serve, post):
    pairs = list(zip(TEXTS, TEXTS[::-1], strict=True))
    of_pairs = BertRegressor(tiny_bert, **QUICK).fit(pairs, np.arange(12.0))
    with serve(of_pairs) as url:
        _, answer = post(url, {"texts": pairs[:3]})
        status, refusal = post(url, {"texts": TEXTS[:3]})

    np.testing.assert_allclose(
        answer["predictions"], of_pairs.predict(pairs[:3]), atol=5e-6
    )
    assert status == 422
    assert refusal["detail"][0]["msg"] == "Input should be a valid tuple"


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ({"texts": "secret"}, "Input should be a valid list"),
        ({"texts": ["secret", 3]}, "Input should be a valid string"),
        ({"texts": [["secret", "secret"]]}, "Input should be a valid string"),
        ({"texts": [None]}, "Input should be a valid string"),
        ({"texts": ["secret \ud800"]}, "should be a valid string"),
        ({"texts": []}, "List should have at least 1 item"),
        ({"texts": ["secret"] * 9}, "List should have at most 8 items"),
        ({"texts": ["secret" * 9]}, "String should have at most 50 characters"),
        ({"secret": ["secret"]}, "Field required"),
        ({"texts": ["secret"], "secret": 1}, "Extra inputs are not permitted"),
        ({"\ud800": ["secret"]}, "should be a valid string"),
        (["secret"], "Input should be a valid dictionary"),
    ],
    ids=range(12),
)
def test_an_invalid_body_is_refused_with_the_rule(lengths, serve, post, body, rule):
    with serve(lengths, max_texts=8, max_characters=50) as url:
        status, answer = post(url, body, "/transform")

    assert status == 422
    assert rule in json.dumps(answer)
    assert "secret" not in json.dumps(answer)
    assert {"type", "loc", "msg"} == set(answer["detail"][0])


@pytest.mark.parametrize("body", [b"", b"{", b'{"texts": ' + b"[" * 100_000, b"\xff"])
def test_a_body_that_is_not_json_is_refused(lengths, serve, get, body):
    with serve(lengths) as url:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=SOON)
        headers = {"Content-Type": "application/json"}
        connection.request("POST", "/transform", body, headers)
        assert connection.getresponse().status in (400, 422)
        connection.close()
        assert get(url, "/ready")[0] == 200


def test_a_body_of_another_type_is_told_to_be_json(lengths, serve):
    with serve(lengths) as url:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=SOON)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/transform", b'{"texts": ["four"]}', headers)
        answer = connection.getresponse()
        assert answer.status == 422
        assert "Content-Type: application/json" in json.load(answer)["detail"]
        connection.close()


def test_a_long_list_of_errors_is_shortened(lengths, serve, post):
    with serve(lengths) as url:
        _, answer = post(url, {"texts": [1] * 64}, "/transform")
    assert len(answer["detail"]) == 5


def open_socket(url, head):
    connection = socket.create_connection(urlsplit(url).netloc.split(":"), timeout=SOON)
    connection.sendall(
        f"POST /transform HTTP/1.1\r\nHost: a\r\n{head}\r\n\r\n".encode()
    )
    return connection


def test_a_declared_body_that_is_too_large_is_not_awaited(lengths, serve, get):
    with serve(lengths, max_body_bytes=1000) as url:
        with open_socket(
            url, "Content-Type: application/json\r\nContent-Length: 1001"
        ) as connection:
            assert connection.recv(1000).startswith(b"HTTP/1.1 413 ")
        assert 'status="413"' in get(url, "/metrics")[1]


def test_a_chunked_body_that_becomes_too_large_is_not_read_on(lengths, serve):
    with (
        serve(lengths, max_body_bytes=1000) as url,
        open_socket(
            url, "Content-Type: application/json\r\nTransfer-Encoding: chunked"
        ) as connection,
    ):
        for _ in range(3):
            connection.sendall(b"190\r\n" + b" " * 400 + b"\r\n")
        # The body has not ended.
        assert connection.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_an_unexpected_error_tells_nothing(lengths, serve, post):
    with serve(lengths) as url:
        status, answer = post(url, {"texts": ["broken"]}, "/transform")
        assert post(url, {"texts": ["four"]}, "/transform")[1] == {"features": [[4]]}

    assert (status, answer) == (500, {"detail": "Internal server error"})


def test_good_and_bad_requests_of_one_call_get_their_own_answers(
    lengths, serve, post, get, start
):
    lengths.go.clear()
    bodies = [["four"], ["broken"], ["a", "three"], [3], ["broken"], ["seven"]]
    with serve(lengths) as url:
        first = start(post, url, {"texts": ["a"]}, "/transform")
        assert lengths.started.wait(SOON)
        sent = [start(post, url, {"texts": texts}, "/transform") for texts in bodies]
        wait_until(lambda: "bert_queued_texts 6.0" in get(url, "/metrics")[1])
        lengths.go.set()
        answers = [future.result(SOON) for future in sent]
        assert first.result(SOON)[0] == 200

    error = (500, {"detail": "Internal server error"})
    assert answers[0] == (200, {"features": [[4]]})
    assert answers[2] == (200, {"features": [[1], [5]]})
    assert answers[5] == (200, {"features": [[5]]})
    assert answers[1] == answers[4] == error
    assert answers[3][0] == 422


def test_a_full_queue_answers_503_and_when_to_come_back(
    lengths, serve, get, start, post
):
    lengths.go.clear()
    with serve(lengths, max_queue=2) as url:
        first = start(post, url, {"texts": ["a"]}, "/transform")
        assert lengths.started.wait(SOON)
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=SOON)
        headers = {"Content-Type": "application/json"}
        body = json.dumps({"texts": ["a", "b", "c"]})
        connection.request("POST", "/transform", body, headers)
        response = connection.getresponse()
        connection.close()
        lengths.go.set()
        assert first.result(SOON)[0] == 200

    assert response.status == 503
    assert response.headers["Retry-After"] == "1"


def test_an_estimator_that_hangs_is_alive_but_not_ready(lengths, serve, get, post):
    lengths.go.clear()
    with serve(lengths, timeout=0.3) as url:
        assert get(url, "/ready")[0] == 200
        assert post(url, {"texts": ["a"]}, "/transform")[0] == 503
        assert get(url, "/ready")[0] == 503
        assert get(url, "/health")[0] == 200
        lengths.go.set()
        wait_until(lambda: get(url, "/ready")[0] == 200)
        assert post(url, {"texts": ["a"]}, "/transform")[0] == 200


def test_a_client_that_leaves_does_no_harm(lengths, serve, post, start):
    lengths.go.clear()
    with serve(lengths) as url:
        body = b'{"texts": ["left"]}'
        head = f"Content-Type: application/json\r\nContent-Length: {len(body)}"
        with open_socket(url, head) as connection:
            connection.sendall(body)
            assert lengths.started.wait(SOON)
        other = start(post, url, {"texts": ["four"]}, "/transform")
        lengths.go.set()
        assert other.result(SOON) == (200, {"features": [[4]]})


def test_stopping_answers_what_was_accepted(lengths, serve, post, get, start):
    lengths.go.clear()
    texts = ["a", "four", "three", "seventy"]
    with serve(lengths) as url:
        sent = [start(post, url, {"texts": ["first"]}, "/transform")]
        assert lengths.started.wait(SOON)
        sent += [start(post, url, {"texts": [text]}, "/transform") for text in texts]
        wait_until(lambda: "bert_queued_texts 4.0" in get(url, "/metrics")[1])
        Timer(0.5, lengths.go.set).start()

    # The service has stopped.
    expected = [(200, {"features": [[len(text)]]}) for text in ["first", *texts]]
    assert [future.result(SOON) for future in sent] == expected


def test_metrics_count_requests_by_endpoint_and_status(lengths, serve, get, post):
    with serve(lengths) as url:
        for texts in (["a", "b"], ["c"], [3], ["broken"]):
            post(url, {"texts": texts}, "/transform")
        for number in range(3):
            get(url, f"/no-such-page-{number}")
        _, page = get(url, "/metrics")

    lines = page.splitlines()
    assert 'bert_requests_total{endpoint="/transform",status="200"} 2.0' in lines
    assert 'bert_requests_total{endpoint="/transform",status="422"} 1.0' in lines
    assert 'bert_requests_total{endpoint="/transform",status="500"} 1.0' in lines
    assert 'bert_requests_total{endpoint="other",status="404"} 3.0' in lines
    assert 'bert_request_seconds_count{endpoint="/transform"} 4.0' in lines
    assert "bert_batch_texts_sum 4.0" in lines
    assert "bert_queued_texts 0.0" in lines
    assert "no-such-page" not in page


def test_the_schema_documents_limits_and_answers(tiny_bert, serve, get):
    classifier = BertClassifier(tiny_bert, **QUICK).fit(TEXTS, [0, 1] * 6)
    with serve(classifier, max_texts=8) as url:
        schema = json.loads(get(url, "/openapi.json")[1])

    assert set(schema["paths"]) == {
        "/predict",
        "/transform",
        "/health",
        "/ready",
        "/metrics",
    }
    models = schema["components"]["schemas"]
    assert models["Texts"]["properties"]["texts"]["maxItems"] == 8
    assert "probabilities" in models["Predictions"]["properties"]
    assert {"200", "422", "503"} <= set(
        schema["paths"]["/predict"]["post"]["responses"]
    )
