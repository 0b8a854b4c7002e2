"""The settings, from environment variables."""

import os
from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt

PREFIX = "BERT_SERVING_"


class Settings(BaseModel):
    """What can be configured. The variable of ``port`` is ``BERT_SERVING_PORT``."""

    # Errors name the variables. An unknown one may be a limit that is misspelled.
    model_config = ConfigDict(
        alias_generator=lambda name: PREFIX + name.upper(),
        populate_by_name=True,
        extra="forbid",
        frozen=True,
    )

    path: str = Field(description="File that the method save of an estimator wrote.")
    sha256: str | None = Field(None, description="The SHA-256 that save returned.")
    host: str = Field("127.0.0.1", description="Address to listen at.")
    port: int = Field(8000, ge=0, le=65535, description="0 chooses a free one.")
    max_body_bytes: PositiveInt = Field(1_000_000, description="Size of a request.")
    max_texts: PositiveInt = Field(64, description="Texts per request.")
    max_characters: PositiveInt = Field(20_000, description="Length of a text.")
    max_batch: PositiveInt = Field(64, description="Texts per call of the estimator.")
    max_queue: PositiveInt = Field(512, description="Texts that wait for a call.")
    max_wait_ms: float = Field(
        5.0, ge=0, description="How long an idle estimator waits for more texts."
    )
    timeout: PositiveFloat = Field(
        20.0, description="Seconds in which a request is answered, or refused by 503."
    )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read the variables with the prefix."""
        own = {k: v for k, v in environment.items() if k.startswith(PREFIX)}
        return cls.model_validate(own)
