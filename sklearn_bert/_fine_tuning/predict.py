"""The half of the fine-tuners that predicts; the other one is the template of fit."""

from typing import Any

import numpy as np

from sklearn_bert._base import BaseBert, warn_if_truncated
from sklearn_bert._engine.checkpoints.architecture import Architecture
from sklearn_bert._engine.encoding.encode import EncodingConfig, encode
from sklearn_bert._engine.encoding.fitted_encoders import FITTED_ENCODERS
from sklearn_bert._engine.encoding.readout import Readout
from sklearn_bert._engine.text.inputs import Inputs, TokenizingConfig
from sklearn_bert._engine.training.heads import LinearHead
from sklearn_bert._engine.training.model.trainable import TrainableEncoder


class BaseFineTuned(BaseBert):
    """An encoder of its own, and a linear layer that reads what it gives."""

    _holds_encoder = True
    # Where there is no such parameter, nothing may be lost.
    long_text = "window"

    encoder_: Any
    coef_: np.ndarray
    intercept_: np.ndarray

    def _readout(self) -> Readout:
        """Return which rows the linear layer reads."""
        raise NotImplementedError

    def _resolve(self, architecture: Architecture, n_columns: int) -> None:
        """Set the parameters that a fit resolves."""
        self.max_length_ = self._resolve_max_length(architecture, n_columns)
        self._long_text = self.long_text

    def _outputs_of(self, inputs: Inputs) -> np.ndarray:
        """Return what the linear layer gives: (n_rows, n_outputs)."""
        return self._features(inputs, LinearHead(self.coef_, self.intercept_))

    def _features(self, inputs: Inputs, head: LinearHead | None = None) -> np.ndarray:
        """Return what the linear layer reads, or gives: (n_rows, width)."""
        tokenizing = self._tokenizing_config()
        config = self._encoding_config(self.encoder_.architecture)
        if isinstance(self.encoder_, TrainableEncoder):
            # Scored in the middle of a fit, which speaks of long texts by itself.
            encoder = self.encoder_.encoder
            return encode(encoder, inputs, tokenizing, config, head).features
        device, dtype = self._resolve_device()
        encoder = FITTED_ENCODERS.get(self.encoder_, device, dtype)
        encoded = encode(encoder, inputs, tokenizing, config, head)
        warn_if_truncated(encoded.n_truncated, len(inputs), tokenizing)
        return encoded.features

    def _tokenizing_config(self) -> TokenizingConfig:
        return TokenizingConfig(self.max_length_, self._long_text)

    def _encoding_config(self, architecture: Architecture) -> EncodingConfig:
        return EncodingConfig(
            self._readout(),
            layers=(architecture.n_layers,),
            label=f"{type(self).__name__}, encoding" if self.verbose == 1 else None,
        )
