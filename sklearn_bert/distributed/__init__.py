"""Adapters that apply an estimator to the data of Dask, Ray and Spark."""
