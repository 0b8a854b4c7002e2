"""Requests of metadata, which the user sets with ``set_fit_request``, as dicts."""

from collections.abc import Mapping
from typing import Any

from sklearn.utils.metadata_routing import MetadataRequest

# The methods of estimators and of their subclasses that may accept metadata.
METHODS = (
    "fit",
    "partial_fit",
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "score",
    "split",
    "transform",
    "inverse_transform",
)
_Requests = dict[str, dict[str, Any]]


def plain_requests(requests: MetadataRequest) -> _Requests:
    """Return the alias of each parameter, by method and parameter."""
    found = {method: dict(getattr(requests, method).requests) for method in METHODS}
    return {method: aliases for method, aliases in found.items() if aliases}


def make_requests(
    estimator: Any, plain: Mapping[str, Mapping[str, Any]]
) -> MetadataRequest:
    """Return the requests of an estimator, of which some are given.

    Parameters
    ----------
    estimator : object
        Without requests of its own.
    plain : dict of str to dict
        What :func:`plain_requests` returned.
    """
    requests: MetadataRequest = estimator.get_metadata_routing()
    for method, aliases in plain.items():
        for parameter, alias in aliases.items():
            getattr(requests, method).add_request(param=parameter, alias=alias)
    return requests
