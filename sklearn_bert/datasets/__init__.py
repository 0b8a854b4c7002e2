"""Functions that fetch text data sets, similar to :mod:`sklearn.datasets`."""

from sklearn_bert.datasets._vader import fetch_vader_sentiment

__all__ = ["fetch_vader_sentiment"]
