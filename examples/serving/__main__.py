"""``python -m serving`` serves the estimator that the environment names."""

import math
import signal
from typing import Any

import uvicorn
from pydantic import ValidationError

from serving.app import create_app
from serving.settings import Settings
from sklearn_bert import BertClassifier, BertRegressor, BertVectorizer, load

SERVED = (BertClassifier, BertRegressor, BertVectorizer)


def load_estimator(settings: Settings) -> Any:
    """Load the estimator, and call it once, which shows what is missing."""
    estimator = load(settings.path, expected_sha256=settings.sha256)
    if not isinstance(estimator, SERVED):
        names = ", ".join(kind.__name__ for kind in SERVED)
        raise SystemExit(f"Cannot serve {type(estimator).__name__}, only {names}.")
    reads_pairs = getattr(estimator, "n_features_in_", 1) == 2
    estimator.transform([("warm", "up")] if reads_pairs else ["warm up"])
    return estimator


def read_settings() -> Settings:
    """Read the settings, and exit with one line for each that is not valid."""
    try:
        return Settings.from_environment()
    except ValidationError as error:
        lines = [f"{one['loc'][0]}: {one['msg']}" for one in error.errors()]
        known = ", ".join(field.alias for field in Settings.model_fields.values())
        raise SystemExit(
            "\n".join(["The settings are not valid.", *lines, f"Known are {known}."])
        ) from None


def main() -> None:
    """Serve until SIGTERM or Ctrl-C, and answer what was accepted."""
    settings = read_settings()
    config = uvicorn.Config(
        create_app(load_estimator(settings), settings),
        host=settings.host,
        port=settings.port,
        # By then each request is answered, if only by 503.
        timeout_graceful_shutdown=math.ceil(settings.timeout) + 1,
        server_header=False,
    )
    # uvicorn raises the signal again after the shutdown; the exit code would not be 0.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    uvicorn.Server(config).run()


if __name__ == "__main__":
    main()
