"""scikit-learn's checks on texts: some run unmodified, others are rewritten."""

import pytest

from contract.references import subjects_of
from contract.suite import CHECKS, UNCHANGED

REWRITTEN = [
    pytest.param(subject, check, id=f"{subject}-{check.name}")
    for check in CHECKS
    for subject in subjects_of(check.kind)
]
AS_IT_IS = [
    pytest.param(subject, check, id=f"{subject}-{name}")
    for name, check in UNCHANGED.items()
    for subject in subjects_of(check.kind)
]


@pytest.mark.parametrize(("subject", "check"), REWRITTEN)
def test_check_rewritten_for_texts(subject, check):
    check(subject)


@pytest.mark.parametrize(("subject", "check"), AS_IT_IS)
def test_check_as_it_is(subject, check):
    check(subject)
