"""Classifiers, regressors and transformers that give wrong answers."""

import numpy as np
import sklearn
from scipy import sparse
from sklearn.base import ClassifierMixin

from contract import checks_classifier as classes
from contract import checks_regressor as values
from contract import checks_transformer as features
from contract.mutating import breaks


def answering(base, method, change):
    """Return an estimator that does something to what a method gives."""

    def answer(self, X):
        return change(self, getattr(base, method)(self, X))

    return type("Mutant", (base,), {method: answer})


def learning(base, change):
    """Return an estimator that does something to y before all else."""

    class Mutant(base):
        def fit(self, X, y=None, sample_weight=None):
            return super().fit(X, change(y), sample_weight=sample_weight)

    return Mutant


# --- classifiers -------------------------------------------------------------------


@breaks(classes.what_can_be_learned_is_learned)
def always_predicts_the_first_class(base):
    return answering(base, "predict", lambda self, y: np.full_like(y, self.classes_[0]))


@breaks(classes.what_can_be_learned_is_learned, classes.labels_of_any_type_come_back)
def has_probabilities_in_another_order(base):
    return answering(base, "predict_proba", lambda self, chances: chances[:, ::-1])


@breaks(classes.a_y_of_another_length_is_refused)
def stretches_y(base):
    class Mutant(base):
        def fit(self, X, y=None):
            return super().fit(X, np.resize(y, len(X)))

    return Mutant


@breaks(classes.labels_of_any_type_come_back)
def gives_the_numbers_of_classes(base):
    def change(self, y):
        return np.searchsorted(self.classes_, y)

    return answering(base, "predict", change)


@breaks(classes.one_class_is_refused_or_always_predicted)
def invents_a_second_class(base):
    def change(y):
        return y if len(set(y)) > 1 else np.where(np.arange(len(y)) % 2, y, "another")

    return learning(base, change)


@breaks(classes.one_class_of_weight_is_refused_or_always_predicted)
def learns_classes_without_weight(base):
    class Mutant(base):
        def fit(self, X, y=None, sample_weight=None):
            return super().fit(X, y)

    return Mutant


@breaks(classes.continuous_targets_are_refused)
def rounds_targets(base):
    def change(y):
        return np.round(y) if np.asarray(y).dtype.kind == "f" else y

    return learning(base, change)


@breaks(classes.targets_that_are_not_numbers_are_refused)
def counts_what_is_not_a_number_as_zero(base):
    return learning(base, lambda y: np.nan_to_num(np.asarray(y), posinf=0, neginf=0))


@breaks(classes.tags_that_are_missing_are_refused)
def takes_the_name_of_what_is_missing_for_a_tag(base):
    def name(y):
        named = y.copy()
        named[1] = [str(tag) for tag in y[1]]
        return named

    return learning(base, name)


@breaks(classes.a_column_of_labels_is_taken_with_a_warning)
def flattens_a_column_of_labels(base):
    return learning(base, np.ravel)


@breaks(classes.a_heavy_class_is_predicted)
def ignores_class_weight(base):
    class Mutant(base):
        def fit(self, X, y=None):
            asked, self.class_weight = self.class_weight, None
            super().fit(X, y)
            self.class_weight = asked
            return self

    return Mutant


@breaks(classes.scores_and_probabilities_have_one_order)
def scores_are_of_the_other_class(base):
    return answering(base, "decision_function", lambda self, scores: -scores)


@breaks(classes.scores_and_probabilities_have_one_order)
def probabilities_are_certain(base):
    return answering(base, "predict_proba", lambda self, chances: chances.round())


# --- several labels ----------------------------------------------------------------


@breaks(classes.representations_of_indicators_give_equal_labels)
def gives_dense_labels_for_sparse_ones(base):
    def change(self, y):
        return y.toarray() if sparse.issparse(y) else y

    return answering(base, "predict", change)


@breaks(classes.labels_have_the_form_of_y)
def gives_labels_as_lists(base):
    return answering(base, "predict", lambda self, y: y.tolist())


@breaks(classes.labels_have_the_form_of_y)
def gives_labels_as_floats(base):
    return answering(base, "predict", lambda self, y: y.astype(float))


@breaks(classes.every_label_has_a_probability)
def gives_an_array_per_label(base):
    def change(self, chances):
        return np.array([np.c_[1 - column, column] for column in chances.T])

    return answering(base, "predict_proba", change)


@breaks(classes.every_label_has_a_score)
def gives_one_score(base):
    return answering(base, "decision_function", lambda self, scores: scores[:, 0])


@breaks(classes.every_label_has_a_score)
def has_scores_of_the_wrong_sign(base):
    return answering(base, "decision_function", lambda self, scores: -scores)


# --- regressors --------------------------------------------------------------------


@breaks(values.values_that_can_be_learned_are_learned)
def predicts_the_mean(base):
    return answering(base, "predict", lambda self, y: np.full_like(y, y.mean()))


@breaks(values.whole_numbers_are_numbers)
def predicts_whole_numbers(base):
    return answering(base, "predict", lambda self, y: y.round().astype(int))


@breaks(values.regressors_have_no_probabilities)
def has_probabilities(base):
    return type("Mutant", (base,), {"predict_proba": ClassifierMixin.score})


@breaks(values.several_targets_are_predicted_side_by_side)
def predicts_the_first_target(base):
    return answering(base, "predict", lambda self, y: y[:, 0] if y.ndim == 2 else y)


# --- transformers ------------------------------------------------------------------


@breaks(features.fit_transform_is_fit_then_transform)
def transforms_otherwise_while_fitting(base):
    class Mutant(base):
        def fit_transform(self, X, y=None):
            return super().fit(X, y).transform(X) + 1e-3

    return Mutant


@breaks(features.default_output_changes_nothing)
def set_output_returns_nothing(base):
    class Mutant(base):
        def set_output(self, *, transform=None):
            super().set_output(transform=transform)

    return Mutant


@breaks(
    features.frames_are_given_where_asked_for,
    features.frames_are_given_where_configured,
    features.pandas_output_keeps_the_index,
)
def gives_arrays_only(base):
    class Mutant(base, auto_wrap_output_keys=None):
        def set_output(self, *, transform=None):
            return self

        def transform(self, X):
            with sklearn.config_context(transform_output="default"):
                return super().transform(X)

        def fit_transform(self, X, y=None):
            return self.fit(X, y).transform(X)

    return Mutant


@breaks(features.pandas_output_keeps_the_index)
def numbers_the_rows_of_frames(base):
    class Mutant(base):
        def transform(self, X):
            return super().transform(X.reset_index(drop=True))

    return Mutant


@breaks(features.every_feature_has_a_name_of_its_own)
def gives_all_features_one_name(base):
    class Mutant(base):
        def get_feature_names_out(self, input_features=None):
            names = super().get_feature_names_out(input_features)
            return np.full_like(names, "feature")

    return Mutant


@breaks(features.names_are_those_of_the_fit)
def takes_the_names_it_is_given(base):
    class Mutant(base):
        def get_feature_names_out(self, input_features=None):
            if input_features is None:
                return super().get_feature_names_out()
            return np.asarray(input_features, dtype=object)

    return Mutant
