"""What regressors make of y."""

import numpy as np

from contract.checking import rewrites
from contract.comparing import assert_same


@rewrites("regressors_train", kind="regressor")
def values_that_can_be_learned_are_learned(subject):
    estimator = subject.fit()
    predicted = estimator.predict(subject.X)
    assert predicted.shape == np.shape(subject.y)
    assert estimator.score(subject.X, subject.y) > 0.5


@rewrites("regressors_int", kind="regressor")
def whole_numbers_are_numbers(subject):
    y = np.arange(len(subject.X)) % 3
    predicted = subject.fit(subject.X, y).predict(subject.X)
    assert predicted.dtype.kind == "f"
    assert_same(predicted, subject.fit(subject.X, y.astype(float)).predict(subject.X))


@rewrites("regressors_no_decision_function", kind="regressor")
def regressors_have_no_probabilities(subject):
    estimator = subject.fit()
    for name in ("decision_function", "predict_proba", "predict_log_proba"):
        assert not hasattr(estimator, name)


@rewrites("regressor_multioutput", "supervised_y_2d", kind="regressor")
def several_targets_are_predicted_side_by_side(subject):
    y = np.column_stack([subject.y, -np.asarray(subject.y)])
    predicted = subject.fit(subject.X, y).predict(subject.X)
    assert predicted.shape == y.shape
    assert predicted.dtype.kind == "f"
    assert np.corrcoef(predicted[:, 0], predicted[:, 1])[0, 1] < 0
