"""BERT-family encoders as ordinary scikit-learn estimators."""

from sklearn_bert import datasets, exceptions
from sklearn_bert._classifier import BertClassifier
from sklearn_bert._masked_lm import BertMaskedLM
from sklearn_bert._tokenizer import BertTokenizer
from sklearn_bert._vectorizer import BertVectorizer

__version__ = "0.1.0.dev0"

__all__ = [
    "BertClassifier",
    "BertMaskedLM",
    "BertTokenizer",
    "BertVectorizer",
    "__version__",
    "datasets",
    "exceptions",
]
