"""No check that cannot fail: each finds the fault of a mutant made for it."""

import pytest

# Imported for the mutants that they add to MUTANTS.
from contract import (  # noqa: F401
    mutants_answers,
    mutants_fit,
    mutants_input,
    mutants_unchanged,
)
from contract.mutating import MUTANTS
from contract.references import subjects_of
from contract.suite import CHECKS


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_every_check_has_a_mutant(check):
    assert any(mutant.check is check for mutant in MUTANTS)


@pytest.mark.parametrize(
    "mutant", MUTANTS, ids=lambda x: f"{x.make.__name__}-{x.check.name}"
)
def test_a_mutant_is_found(mutant):
    subject = subjects_of(mutant.check.kind)[0]
    # pytest.fail.Exception is what pytest.raises raises if nothing was raised.
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        mutant.check(subject.with_estimator(mutant.of(subject.estimator)))
