"""Adapters that apply an estimator to the data of Dask, Ray and Spark."""

from sklearn_bert.distributed._dask import dask_transform

__all__ = ["dask_transform"]
