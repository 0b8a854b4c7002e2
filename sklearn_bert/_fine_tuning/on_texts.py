"""What the fine-tuners of whole texts share: pooling, and features for each text."""

from typing import Any

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin

from sklearn_bert._engine.checkpoints.architecture import Architecture
from sklearn_bert._engine.encoding.readout import PooledReadout
from sklearn_bert._fine_tuning.fit import BaseFineTuner


class TextFineTuner(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseFineTuner):
    """A fine-tuner that reads one row of features per text, or per pair of texts.

    Subclasses have the parameters of :data:`~sklearn_bert._params.shared.FINE_TUNING`.
    """

    def transform(self, X):
        """Turn texts into features with the fine-tuned encoder.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,), (n_samples, 1) or (n_samples, 2)
            Texts, or pairs of texts.

        Returns
        -------
        X_out : ndarray of shape (n_samples, n_features_out)
            What the linear layer on top reads, in the order of X.
        """
        fitted = self._snapshot()
        return fitted._features(fitted._check_texts(X))

    def _outputs(self, X: Any) -> np.ndarray:
        """Return what the linear layer gives: (n_samples, n_outputs)."""
        return self._outputs_of(self._check_texts(X))

    def _readout(self) -> PooledReadout:
        return PooledReadout(self.pooling_)

    def _resolve(self, architecture: Architecture, n_columns: int) -> None:
        super()._resolve(architecture, n_columns)
        self.pooling_ = self._resolve_pooling(architecture, n_columns)

    @property
    def _n_features_out(self) -> int:
        return self.coef_.shape[1]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags
