"""Mutants for scikit-learn's unchanged checks that hand numbers to estimators of texts.

Only for those: whether numbers tell them anything is what could be doubted. The others
look at the class and its parameters, as they do everywhere.
"""

import numpy as np
from scipy import sparse

from contract.mutants_input import reading
from contract.mutating import breaks
from contract.suite import UNCHANGED


@breaks(UNCHANGED["check_complex_data"], UNCHANGED["check_fit1d"])
def spells_numbers(base):
    return reading(base, lambda X: [str(row) for row in np.asarray(X)])


@breaks(
    UNCHANGED["check_estimator_sparse_tag"], UNCHANGED["check_estimator_sparse_matrix"]
)
def does_not_say_what_is_wrong_with_sparse_numbers(base):
    def read(X):
        if sparse.issparse(X):
            raise ValueError("X is wrong.")
        return X

    return reading(base, read)


@breaks(UNCHANGED["check_estimators_unfitted"])
def looks_at_numbers_before_it_asks_for_a_fit(base):
    class Mutant(base):
        def predict(self, X):
            if not isinstance(X[0], str):
                raise ValueError("X must contain only texts.")
            return super().predict(X)

    return Mutant


@breaks(UNCHANGED["check_transformers_unfitted"])
def gives_zeros_before_a_fit(base):
    class Mutant(base):
        def transform(self, X):
            is_fitted = hasattr(self, "n_features_in_")
            return super().transform(X) if is_fitted else np.zeros((len(X), 1))

    return Mutant


@breaks(UNCHANGED["check_get_feature_names_out_error"])
def names_features_before_a_fit(base):
    class Mutant(base):
        def get_feature_names_out(self, input_features=None):
            return np.array(["feature"], dtype=object)

    return Mutant


@breaks(UNCHANGED["check_param_validation"])
def looks_at_texts_before_parameters(base):
    class Mutant(base):
        def fit(self, X, y=None):
            if not isinstance(X[0], str):
                raise ValueError("X must contain only texts.")
            return super().fit(X, y)

    return Mutant
