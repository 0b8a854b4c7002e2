"""Plots and explanations of fitted estimators, similar to :mod:`sklearn.inspection`."""

__all__: list[str] = []
