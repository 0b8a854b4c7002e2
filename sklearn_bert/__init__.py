"""BERT-family encoders as ordinary scikit-learn estimators."""

from sklearn_bert import (
    datasets,
    distributed,
    exceptions,
    inspection,
    metrics,
    model_selection,
    streaming,
)
from sklearn_bert._cache import cache_info, clear_cache
from sklearn_bert._classifier import BertClassifier
from sklearn_bert._config import config_context, get_config, set_config
from sklearn_bert._convert import convert_checkpoint
from sklearn_bert._load import load
from sklearn_bert._masked_lm import BertMaskedLM
from sklearn_bert._regressor import BertRegressor
from sklearn_bert._target_encoder import BertTargetEncoder
from sklearn_bert._token_classifier import BertTokenClassifier
from sklearn_bert._tokenizer import BertTokenizer
from sklearn_bert._vectorizer import BertVectorizer

__version__ = "0.1.0.dev0"

__all__ = [
    "BertClassifier",
    "BertMaskedLM",
    "BertRegressor",
    "BertTargetEncoder",
    "BertTokenClassifier",
    "BertTokenizer",
    "BertVectorizer",
    "__version__",
    "cache_info",
    "clear_cache",
    "config_context",
    "convert_checkpoint",
    "datasets",
    "distributed",
    "exceptions",
    "get_config",
    "inspection",
    "load",
    "metrics",
    "model_selection",
    "set_config",
    "streaming",
]
