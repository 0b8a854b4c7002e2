"""Results for more texts than fit into memory, on one machine."""

from sklearn_bert.streaming._batches import transform_batches
from sklearn_bert.streaming._parquet import transform_parquet

__all__ = ["transform_batches", "transform_parquet"]
