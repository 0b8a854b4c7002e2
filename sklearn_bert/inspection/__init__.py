"""Plots and explanations of fitted estimators, similar to :mod:`sklearn.inspection`."""

from sklearn_bert.inspection._token_attributions import token_attributions

__all__ = ["token_attributions"]
