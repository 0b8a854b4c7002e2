"""scikit-learn's checks on texts: some run as they are, others are written anew."""

import pytest
from sklearn.utils import estimator_checks

from contract.dispositions import AS_IS
from contract.references import subjects_of
from contract.registry import SUBJECTS
from contract.suite import CHECKS

REWRITTEN = [
    pytest.param(subject, check, id=f"{subject}-{check.name}")
    for check in CHECKS
    for subject in subjects_of(check.kind)
]
UNCHANGED = [
    pytest.param(subject, name, id=f"{subject}-{name}")
    for subject in SUBJECTS
    for name, kind in AS_IS.items()
    if kind in subject.kinds
]


@pytest.mark.parametrize(("subject", "check"), REWRITTEN)
def test_check_rewritten_for_texts(subject, check):
    check(subject)


@pytest.mark.parametrize(("subject", "name"), UNCHANGED)
def test_check_as_it_is(subject, name):
    getattr(estimator_checks, name)(subject.estimator.__name__, subject.make())
