"""Estimators whose fit leaves behind what it should not, or not what it should."""

import numpy as np

from contract import checks_fit as fit
from contract.mutating import breaks


@breaks(fit.fit_and_score_take_y_second)
def calls_y_labels(base):
    class Mutant(base):
        def fit(self, X, labels=None):
            return super().fit(X, labels)

    return Mutant


@breaks(fit.fit_keeps_every_parameter, fit.fit_sets_only_what_ends_in_an_underscore)
def writes_a_parameter(base):
    class Mutant(base):
        def fit(self, X, y=None):
            super().fit(X, y)
            self.max_length = self.max_length_
            return self

    return Mutant


@breaks(fit.fit_sets_only_what_ends_in_an_underscore)
def sets_a_public_attribute(base):
    class Mutant(base):
        def fit(self, X, y=None):
            super().fit(X, y)
            self.is_ready = True
            return self

    return Mutant


@breaks(fit.fit_returns_self)
def returns_nothing(base):
    class Mutant(base):
        def fit(self, X, y=None):
            super().fit(X, y)

    return Mutant


@breaks(fit.a_second_fit_equals_the_first)
def grows_with_each_fit(base):
    class Mutant(base):
        def fit(self, X, y=None):
            super().fit(X, y)
            self.n_fits_ = getattr(self, "n_fits_", 0) + 1
            return self

        def transform(self, X):
            return super().transform(X) * self.n_fits_

    return Mutant


@breaks(fit.only_a_fit_makes_it_fitted)
def is_always_fitted(base):
    class Mutant(base):
        def __sklearn_is_fitted__(self):
            return True

    return Mutant


@breaks(fit.nothing_need_be_fitted)
def wants_a_fit(base):
    class Mutant(base):
        def transform(self, X):
            features = super().transform(X)
            return features if hasattr(self, "n_features_in_") else features * 0

    return Mutant


@breaks(fit.columns_are_counted_by_fit)
def counts_texts_as_columns(base):
    class Mutant(base):
        def fit(self, X, y=None):
            super().fit(X, y)
            self.n_features_in_ = len(X)
            return self

    return Mutant


@breaks(fit.pairs_are_two_columns_from_then_on)
def forgets_its_columns(base):
    class Mutant(base):
        def _check_texts(self, X):
            vars(self).pop("n_features_in_", None)
            return super()._check_texts(X)

    return Mutant


@breaks(fit.predicting_changes_no_attribute)
def remembers_what_it_was_asked(base):
    class Mutant(base):
        def transform(self, X):
            self._last = list(X)
            return super().transform(X)

    return Mutant


@breaks(fit.pickles_give_the_same_results, fit.joblib_maps_it_read_only)
def loses_its_scale_in_a_pickle(base):
    class Mutant(base):
        def __getstate__(self):
            return {**super().__getstate__(), "is_thawed_": True}

        def transform(self, X):
            return super().transform(X) * (2 if hasattr(self, "is_thawed_") else 1)

    return Mutant


@breaks(fit.a_pipeline_of_one_step_gives_the_same)
def depends_on_what_was_made_before(base):
    class Mutant(base):
        n_made = 0

        def fit(self, X, y=None):
            type(self).n_made += 1
            self.number_ = self.n_made
            return super().fit(X, y)

        def transform(self, X):
            return super().transform(X) + self.number_

    return Mutant


@breaks(fit.one_sample_is_enough_or_told_so)
def cannot_read_one_text(base):
    class Mutant(base):
        def fit(self, X, y=None):
            if len(X) == 1:
                raise ValueError("list index out of range")
            return super().fit(X, y)

    return Mutant


@breaks(fit.a_missing_y_is_asked_for)
def takes_no_y_for_zeros(base):
    class Mutant(base):
        def fit(self, X, y=None):
            return super().fit(X, np.arange(len(X)) % 2 if y is None else y)

    return Mutant


@breaks(
    fit.one_text_gives_what_it_gives_among_others,
    fit.one_text_gives_nearly_the_same_in_float32,
)
def centres_what_it_sees(base):
    class Mutant(base):
        def transform(self, X):
            features = super().transform(X)
            return features - 1e-4 * features.mean(axis=0)

    return Mutant


@breaks(
    fit.results_follow_the_order_of_the_texts,
    fit.results_nearly_follow_the_order_in_float32,
)
def sorts_what_it_sees(base):
    class Mutant(base):
        def transform(self, X):
            return super().transform(sorted(X))

    return Mutant
