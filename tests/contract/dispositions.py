"""What this suite does about each check of scikit-learn, by name.

Each is in exactly one of the tables. In addition, rows as texts go through all checks
that scikit-learn yields for them, whatever is said here (test_rows_as_texts.py).
"""

# Run unchanged on the estimators of texts: they say something there, because they look
# at no X, or because numbers are the wrong X that they want refused. The value is the
# kind of subjects.
AS_IS = {
    "check_complex_data": "any",
    "check_do_not_raise_errors_in_init_or_set_params": "any",
    "check_estimator_cloneable": "any",
    "check_estimator_repr": "any",
    "check_estimator_sparse_matrix": "any",
    "check_estimator_sparse_tag": "any",
    "check_estimator_tags_renamed": "any",
    "check_estimators_unfitted": "stateful",
    "check_fit1d": "any",
    "check_get_feature_names_out_error": "stateful transformer",
    "check_get_params_invariance": "any",
    "check_mixin_order": "any",
    "check_no_attributes_set_in_init": "any",
    "check_param_validation": "any",
    "check_parameters_default_constructible": "any",
    "check_set_params": "any",
    "check_transformers_unfitted": "stateful transformer",
    "check_valid_tag_types": "any",
}

# Rewritten for texts: checks_*.py name them.
REWRITTEN = """
    check_all_zero_sample_weights_error
    check_class_weight_classifiers
    check_classifier_data_not_an_array
    check_classifiers_classes
    check_classifiers_multilabel_output_format_decision_function
    check_classifiers_multilabel_output_format_predict
    check_classifiers_multilabel_output_format_predict_proba
    check_classifiers_multilabel_representation_invariance
    check_classifiers_one_label
    check_classifiers_one_label_sample_weights
    check_classifiers_regression_target
    check_classifiers_train
    check_dataframe_column_names_consistency
    check_decision_proba_consistency
    check_dict_unchanged
    check_dont_overwrite_parameters
    check_dtype_object
    check_estimator_sparse_array
    check_estimators_dtypes
    check_estimators_empty_data_messages
    check_estimators_fit_returns_self
    check_estimators_nan_inf
    check_estimators_overwrite_params
    check_estimators_partial_fit_n_features
    check_estimators_pickle
    check_f_contiguous_array_estimator
    check_fit2d_1feature
    check_fit2d_1sample
    check_fit2d_predict1d
    check_fit_check_is_fitted
    check_fit_idempotent
    check_fit_score_takes_y
    check_global_output_transform_pandas
    check_global_set_output_transform_polars
    check_inplace_ensure_writeable
    check_methods_sample_order_invariance
    check_methods_subset_invariance
    check_n_features_in
    check_n_features_in_after_fitting
    check_pipeline_consistency
    check_readonly_memmap_input
    check_regressor_data_not_an_array
    check_regressor_multioutput
    check_regressors_int
    check_regressors_no_decision_function
    check_regressors_train
    check_requires_y_none
    check_sample_weight_equivalence_on_dense_data
    check_sample_weights_list
    check_sample_weights_not_an_array
    check_sample_weights_not_overwritten
    check_sample_weights_pandas_series
    check_sample_weights_shape
    check_set_output_transform
    check_set_output_transform_pandas
    check_set_output_transform_polars
    check_supervised_y_2d
    check_supervised_y_no_nan
    check_transformer_data_not_an_array
    check_transformer_general
    check_transformer_get_feature_names_out
    check_transformer_get_feature_names_out_pandas
    check_transformers_unfitted_stateless
""".split()

_NO_ARRAY_API = (
    "array API inputs hold numbers, and strings are not part of that standard"
)
_NO_CLUSTERER = "no estimator clusters"
_NO_OUTLIERS = "no estimator detects outliers"
_NO_ITERATIONS = "about max_iter, which no estimator has: n_epochs are exact"

# Without meaning for texts.
NOT_APPLICABLE = {
    "check_array_api_input": _NO_ARRAY_API,
    "check_array_api_mixed_inputs": _NO_ARRAY_API,
    "check_array_api_same_namespace": _NO_ARRAY_API,
    "check_class_weight_balanced_linear_classifier": "only for linear classifiers",
    "check_classifier_multioutput": "labels are an indicator matrix, or one per text: "
    "no classifier has the tag multi_output",
    "check_classifier_not_supporting_multiclass": "every classifier takes many classes",
    "check_clusterer_compute_labels_predict": _NO_CLUSTERER,
    "check_clustering": _NO_CLUSTERER,
    "check_fit_non_negative": "texts have no sign",
    "check_non_transformer_estimators_n_iter": _NO_ITERATIONS,
    "check_nonsquare_error": "no estimator takes pairwise distances",
    "check_outlier_contamination": _NO_OUTLIERS,
    "check_outliers_fit_predict": _NO_OUTLIERS,
    "check_outliers_train": _NO_OUTLIERS,
    "check_positive_only_tag_during_fit": "texts have no sign",
    "check_sample_weight_equivalence_on_sparse_data": "texts are never sparse",
    "check_sparsify_coefficients": "no estimator has sparsify",
    "check_transformer_n_iter": _NO_ITERATIONS,
    "check_transformer_preserve_dtypes": "texts become numbers: preserves_dtype is []",
}

# Not checks of an estimator, but what other checks call.
HELPERS = [
    "check_array_api_input_and_values",
    "check_class_weight_balanced_classifiers",
    "check_classifiers_predictions",
    "check_estimator",
    "check_estimators_data_not_an_array",
    "check_outlier_corruption",
]

# The lowest scikit-learn that we support lacks them.
NEWER = [
    "check_all_zero_sample_weights_error",
    "check_array_api_mixed_inputs",
    "check_array_api_same_namespace",
]

TABLES = (AS_IS, REWRITTEN, NOT_APPLICABLE, HELPERS)
