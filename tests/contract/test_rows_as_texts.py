"""scikit-learn's own checks, unmodified, on estimators that read rows as texts."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from contract.registry import SUBJECTS
from contract.shim import on_rows

# Strict, as setup.cfg says: one that passes after all is an error.
EXPECTED_FAILURES = {
    "BertRegressorOnRows": {
        "check_sample_weight_equivalence_on_dense_data": (
            "It learns from rows in mini-batches only, and rows that are repeated come "
            "in other batches than rows that weigh more. On texts, in whole batches, "
            "checks_weights.py has the same check."
        )
    }
}


def one_of_each_class():
    """Return each class of text estimators once, with the shim before it."""
    params = {
        subject.estimator: {**subject.params, **subject.on_rows}
        for subject in reversed(SUBJECTS)
        if "texts" in subject.kinds
    }
    return [on_rows(cls)(**params[cls]) for cls in reversed(params)]


def expected_failures(estimator):
    return EXPECTED_FAILURES.get(type(estimator).__name__, {})


@parametrize_with_checks(one_of_each_class(), expected_failed_checks=expected_failures)
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)
