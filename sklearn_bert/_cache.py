"""Functions for the caches of features."""

from os import PathLike

from sklearn_bert._engine.embedding_cache.open import open_store
from sklearn_bert._engine.embedding_cache.store import CacheInfo, StoreError
from sklearn_bert._sklearn_compat import validate_params
from sklearn_bert.exceptions import CacheError

__all__ = ["CacheInfo", "cache_info", "clear_cache"]

_CONSTRAINTS = {"cache": [str, PathLike]}


@validate_params(_CONSTRAINTS, prefer_skip_nested_validation=True)
def cache_info(cache="memory"):
    """Return how much a cache of features contains.

    Parameters
    ----------
    cache : "memory", str or path, default="memory"
        The value of the parameter `cache` of :class:`BertVectorizer`.

    Returns
    -------
    info : CacheInfo
        With the attributes `n_vectors` (one vector per text, layer and pooling),
        `n_bytes`, and `max_bytes`, the size from which the oldest vectors are removed.

    Raises
    ------
    CacheError
        If the folder cannot be read.

    Examples
    --------
    >>> from sklearn_bert import cache_info
    >>> cache_info("a-new-folder").n_vectors
    0
    """
    try:
        return open_store(cache).info()
    except StoreError as error:
        raise _unreadable(cache, error) from error


@validate_params(_CONSTRAINTS, prefer_skip_nested_validation=True)
def clear_cache(cache="memory"):
    """Remove all features from a cache.

    Parameters
    ----------
    cache : "memory", str or path, default="memory"
        The value of the parameter `cache` of :class:`BertVectorizer`.

    Raises
    ------
    CacheError
        If the folder cannot be written.

    Examples
    --------
    >>> from sklearn_bert import clear_cache
    >>> clear_cache()
    """
    try:
        open_store(cache).clear()
    except StoreError as error:
        raise _unreadable(cache, error) from error


def _unreadable(cache: str | PathLike[str], error: StoreError) -> CacheError:
    return CacheError(
        "A cache must be a folder that this process can read and write. Got "
        f"{str(cache)!r}, {error}. Choose another folder, or delete this one."
    )
