"""Adapters that apply an estimator to the data of Dask, Ray and Spark."""

from sklearn_bert.distributed._dask import dask_transform
from sklearn_bert.distributed._ray import ray_transform
from sklearn_bert.distributed._spark import spark_udf

__all__ = ["dask_transform", "ray_transform", "spark_udf"]
