"""Estimators that read X, y or the weights otherwise than by the rules."""

import numpy as np
import pandas as pd
from scipy import sparse

from contract import checks_input as given
from contract import checks_weights as weights
from contract.mutating import breaks


def reading(base, read):
    """Return an estimator that does something to each X before all else."""

    class Mutant(base):
        def fit(self, X, y=None):
            return super().fit(read(X), y)

        def transform(self, X):
            return super().transform(read(X))

    return Mutant


@breaks(given.containers_give_equal_results)
def reads_a_series_by_its_index(base):
    return reading(base, lambda X: X.sort_index() if isinstance(X, pd.Series) else X)


@breaks(given.containers_give_equal_results)
def reads_the_names_of_columns(base):
    return reading(base, lambda X: [*X] * 24 if hasattr(X, "columns") else X)


@breaks(given.containers_give_equal_results)
def reads_past_the_strides(base):
    def read(X):
        is_view = isinstance(X, np.ndarray) and X.base is not None
        return X.base.ravel()[: len(X)] if is_view else X

    return reading(base, read)


@breaks(given.containers_of_y_give_equal_results)
def reads_y_by_its_index(base):
    class Mutant(base):
        def fit(self, X, y=None):
            is_pandas = isinstance(y, pd.Series)
            return super().fit(X, y.sort_index() if is_pandas else y)

    return Mutant


@breaks(given.read_only_memory_maps_are_read)
def misreads_memory_maps(base):
    return reading(base, lambda X: X[::-1] if isinstance(X, np.memmap) else X)


@breaks(given.what_it_is_given_stays_as_it_is)
def edits_the_texts_in_place(base):
    def read(X):
        X[0] = X[0].upper()
        return X

    return reading(base, read)


@breaks(given.what_is_not_text_is_named_with_its_row)
def makes_texts_of_everything(base):
    return reading(base, lambda X: [str(x) for x in X])


@breaks(given.what_is_not_text_is_named_with_its_row)
def fills_what_is_missing(base):
    return reading(base, lambda X: ["" if x is None else x for x in X])


@breaks(given.no_samples_are_refused)
def takes_nothing_for_an_empty_text(base):
    class Mutant(base):
        def transform(self, X):
            return super().transform(X if len(X) else [""])

    return Mutant


@breaks(given.no_columns_are_refused)
def takes_no_column_for_empty_texts(base):
    def read(X):
        return [""] * len(X) if getattr(X, "shape", (0, 1))[1:] == (0,) else X

    return reading(base, read)


@breaks(given.sparse_numbers_are_refused)
def spells_sparse_numbers(base):
    def read(X):
        return [str(row) for row in X.toarray()] if sparse.issparse(X) else X

    return reading(base, read)


@breaks(given.a_bare_text_is_refused)
def splits_a_bare_text(base):
    return reading(base, lambda X: [X] * 24 if isinstance(X, str) else X)


@breaks(given.column_names_are_remembered_and_compared)
def ignores_the_names_of_columns(base):
    return reading(base, lambda X: X.to_numpy() if hasattr(X, "columns") else X)


@breaks(given.column_names_are_remembered_and_compared)
def puts_columns_in_the_order_of_fit(base):
    class Mutant(base):
        def transform(self, X):
            return super().transform(X[sorted(X.columns)])

    return Mutant


def weighing(base, read):
    """Return an estimator that does something to the weights before all else."""

    class Mutant(base):
        def fit(self, X, y=None, sample_weight=None):
            return super().fit(X, y, sample_weight=read(sample_weight, X))

    return Mutant


@breaks(weights.containers_of_weights_give_equal_results)
def reads_weights_by_their_index(base):
    def read(weights, X):
        return weights.sort_index() if isinstance(weights, pd.Series) else weights

    return weighing(base, read)


@breaks(weights.weights_of_another_shape_are_refused)
def cuts_weights_to_size(base):
    return weighing(base, lambda weights, X: np.resize(weights, len(X)))


@breaks(weights.weights_are_left_as_they_are)
def scales_weights_in_place(base):
    def read(weights, X):
        weights /= weights.sum()
        return weights

    return weighing(base, read)


@breaks(weights.weights_of_nothing_are_refused)
def takes_weights_of_zero_for_none(base):
    return weighing(base, lambda weights, X: weights if np.any(weights) else None)


@breaks(
    weights.weight_two_is_the_text_twice_and_zero_leaves_it_out,
    weights.weights_make_a_difference,
)
def ignores_weights(base):
    return weighing(base, lambda weights, X: None)


@breaks(weights.weight_two_is_the_text_twice_and_zero_leaves_it_out)
def never_leaves_a_text_out(base):
    def read(weights, X):
        return None if weights is None else np.maximum(weights, 1e-3)

    return weighing(base, read)
