"""Plots and explanations of fitted estimators, similar to :mod:`sklearn.inspection`."""

from sklearn_bert.inspection._confusion_examples_display import (
    ConfusionExamplesDisplay,
)
from sklearn_bert.inspection._embedding_map_display import EmbeddingMapDisplay
from sklearn_bert.inspection._length_display import LengthDisplay
from sklearn_bert.inspection._token_attribution_display import TokenAttributionDisplay
from sklearn_bert.inspection._token_attributions import token_attributions
from sklearn_bert.inspection._training_curve_display import TrainingCurveDisplay

__all__ = [
    "ConfusionExamplesDisplay",
    "EmbeddingMapDisplay",
    "LengthDisplay",
    "TokenAttributionDisplay",
    "TrainingCurveDisplay",
    "token_attributions",
]
