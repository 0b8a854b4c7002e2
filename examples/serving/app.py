"""The HTTP interface: endpoints, validation, errors, health."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import numpy as np
from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, ConfigDict, Field, create_model

from serving.batching import Batcher, Call, QueueFullError
from serving.metrics import CountRequests, Metrics
from serving.settings import Settings
from sklearn_bert.exceptions import InputError

Label = bool | int | float | str


class Predictions(BaseModel):
    """One prediction per text, in the order of the request."""

    predictions: list[Label | list[Label]] = Field(
        description="Classes, numbers, or a 0 or 1 for each label."
    )
    classes: list[Label] | None = Field(
        None, description="The classes, in the order of the probabilities."
    )
    probabilities: list[list[float]] | None = Field(
        None, description="The probability of each class, for each text."
    )


class Features(BaseModel):
    """One vector per text, in the order of the request."""

    features: list[list[float]]


class Refusal(BaseModel):
    """Why a request was not answered."""

    detail: str | list[dict[str, Any]]


REFUSALS = {status: {"model": Refusal} for status in (413, 422, 500, 503)}
BUSY = {"Retry-After": "1"}
MOST_ERRORS = 5
NOT_JSON = (
    "The body must be JSON in UTF-8. Add the header Content-Type: application/json."
)


def create_app(estimator: Any, settings: Settings) -> FastAPI:
    """Return the application that serves a fitted estimator."""
    batcher = Batcher(
        settings.max_batch, settings.max_wait_ms / 1000, settings.max_queue
    )
    metrics = Metrics(batcher)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        batcher.close(timeout=1)

    app = FastAPI(
        title=f"{type(estimator).__name__}",
        lifespan=lifespan,
        max_body_size=settings.max_body_bytes,
    )
    app.add_middleware(CountRequests, metrics=metrics)
    add_error_handlers(app)
    add_probes(app, batcher, metrics, settings.timeout)
    add_endpoints(app, estimator, batcher, metrics, settings)
    return app


def add_endpoints(
    app: FastAPI,
    estimator: Any,
    batcher: Batcher,
    metrics: Metrics,
    settings: Settings,
) -> None:
    """Add the methods that the estimator has."""
    Texts = request_model(settings, getattr(estimator, "n_features_in_", 1))

    async def ask(call: Call, rows: list[Any]) -> np.ndarray:
        future = asyncio.wrap_future(batcher.submit(call, rows))
        return np.asarray(await asyncio.wait_for(future, settings.timeout))

    features_of = metrics.measured(estimator.transform)

    @app.post("/transform", responses=REFUSALS)
    async def transform(request: Texts) -> Features:
        features = await ask(features_of, request.texts)
        return Features(features=features.tolist())

    if not hasattr(estimator, "predict"):
        return
    # Class and probabilities from one call.
    method = getattr(estimator, "predict_proba", estimator.predict)
    outputs_of = metrics.measured(method)

    @app.post("/predict", responses=REFUSALS)
    async def predict(request: Texts) -> Predictions:
        return read_outputs(estimator, await ask(outputs_of, request.texts))


def request_model(settings: Settings, n_columns: int) -> type[BaseModel]:
    """Return the schema of requests, with the limits of the settings."""
    Text = Annotated[str, Field(max_length=settings.max_characters)]
    Row = Text if n_columns == 1 else tuple[Text, Text]
    example = "a joy to watch" if n_columns == 1 else ("a question", "an answer")
    rows = Annotated[
        list[Row],
        Field(
            min_length=1,
            max_length=settings.max_texts,
            description="Texts, or pairs of texts, as the estimator was fitted to.",
            examples=[[example]],
        ),
    ]
    # An unknown key may be a misspelled one.
    return create_model(
        "Texts", __config__=ConfigDict(extra="forbid"), texts=(rows, ...)
    )


def read_outputs(estimator: Any, outputs: np.ndarray) -> Predictions:
    """Return numbers as they are, and probabilities with their classes."""
    if not hasattr(estimator, "predict_proba"):
        return Predictions(predictions=outputs.tolist())
    if estimator.is_multilabel_:
        labels = (outputs > 0.5).astype(int)
    else:
        labels = estimator.classes_[outputs.argmax(axis=1)]
    return Predictions(
        predictions=labels.tolist(),
        classes=estimator.classes_.tolist(),
        probabilities=outputs.tolist(),
    )


def add_probes(
    app: FastAPI, batcher: Batcher, metrics: Metrics, timeout: float
) -> None:
    """Add what an orchestrator asks."""

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/ready", responses={503: {"model": Refusal}})
    async def ready() -> dict[str, str]:
        if batcher.age() > timeout:
            raise HTTPException(503, "The estimator does not answer.")
        return {"status": "ready"}

    @app.get("/metrics", response_class=PlainTextResponse)
    def read_metrics() -> PlainTextResponse:
        return PlainTextResponse(metrics.text(), media_type=CONTENT_TYPE_LATEST)


def describe(error: dict[str, Any]) -> dict[str, Any]:
    """Return an error without values and unknown keys, which can be of any length."""
    place = error["loc"][:1] if error["type"] == "extra_forbidden" else error["loc"]
    return {"type": error["type"], "loc": place, "msg": error["msg"]}


def add_error_handlers(app: FastAPI) -> None:
    """Answer errors with what the client can do, and without internals."""

    def refuse(status: int, detail: Any, **options: Any) -> JSONResponse:
        return JSONResponse({"detail": detail}, status, **options)

    @app.exception_handler(RequestValidationError)
    async def malformed(
        request: Request, error: RequestValidationError
    ) -> JSONResponse:
        if "json" not in request.headers.get("content-type", ""):
            return refuse(422, NOT_JSON)
        return refuse(422, [describe(one) for one in error.errors()[:MOST_ERRORS]])

    @app.exception_handler(InputError)
    async def invalid(_: Request, error: InputError) -> JSONResponse:
        return refuse(422, str(error))

    @app.exception_handler(QueueFullError)
    @app.exception_handler(TimeoutError)
    async def busy(_: Request, error: Exception) -> JSONResponse:
        return refuse(503, "Too many requests. Try again later.", headers=BUSY)

    @app.exception_handler(Exception)
    async def failed(_: Request, error: Exception) -> JSONResponse:
        # The server logs the error.
        return refuse(500, "Internal server error")
