"""scikit-learn's checks on texts: some run unmodified, others are rewritten."""

import pytest

from contract.references import subjects_of
from contract.registry import CROSS_FITTED
from contract.suite import CHECKS, UNCHANGED

# Features of training texts that transform does not give are what cross-fitting is for.
NOT_CROSS_FITTED = {
    "fit_transform_is_fit_then_transform",
    "frames_are_given_where_asked_for",
}


def subjects_for(check):
    is_for_it = check.kind in CROSS_FITTED.kinds and check.name not in NOT_CROSS_FITTED
    return [*subjects_of(check.kind), *([CROSS_FITTED] if is_for_it else [])]


REWRITTEN = [
    pytest.param(subject, check, id=f"{subject}-{check.name}")
    for check in CHECKS
    for subject in subjects_for(check)
]
AS_IT_IS = [
    pytest.param(subject, check, id=f"{subject}-{name}")
    for name, check in UNCHANGED.items()
    for subject in subjects_for(check)
]


@pytest.mark.parametrize(("subject", "check"), REWRITTEN)
def test_check_rewritten_for_texts(subject, check):
    check(subject)


@pytest.mark.parametrize(("subject", "check"), AS_IT_IS)
def test_check_as_it_is(subject, check):
    check(subject)
