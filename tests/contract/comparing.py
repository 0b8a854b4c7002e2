"""What an estimator gives, and when two of its results are the same."""

import numpy as np
from scipy import sparse

from contract.registry import METHODS


def outputs(estimator, X):
    """Return what each method of an estimator says about X, or else its score."""
    names = [name for name in METHODS if hasattr(estimator, name)] or ["score"]
    return {name: getattr(estimator, name)(X) for name in names}


def assert_same_outputs(actual, expected, **tolerances):
    assert actual.keys() == expected.keys()
    for method, value in actual.items():
        assert_same(value, expected[method], method, **tolerances)


def assert_same(actual, expected, what="", *, rtol=1e-7, atol=0.0):
    """Compare numbers within tolerances, and labels exactly."""
    assert type(actual) is type(expected), what
    if isinstance(actual, list):
        # One result per sentence, and sentences have different lengths.
        assert len(actual) == len(expected), what
        for one, other in zip(actual, expected, strict=True):
            assert_same(one, other, what, rtol=rtol, atol=atol)
        return
    if sparse.issparse(actual):
        actual, expected = actual.toarray(), expected.toarray()
    if np.asarray(actual).dtype.kind in "fc":
        np.testing.assert_allclose(actual, expected, rtol, atol, err_msg=what)
    else:
        np.testing.assert_array_equal(actual, expected, err_msg=what)


def value_error_of(call):
    """Return what the ValueError says that a call raises, or None if it raises none."""
    try:
        call()
    except ValueError as error:
        return str(error)
    return None


def joined(results):
    """Join the results of several calls, sample by sample."""
    if isinstance(results[0], list):
        return [one for result in results for one in result]
    if sparse.issparse(results[0]):
        return sparse.vstack(results).tocsr()
    return np.concatenate(results)


def n_samples_of(result):
    return result.shape[0] if hasattr(result, "shape") else len(result)


def taken(result, rows):
    """Return the results of some samples."""
    return [result[i] for i in rows] if isinstance(result, list) else result[rows]
