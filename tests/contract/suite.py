"""All checks on texts, in two lists: importing their files fills the first."""

from functools import partial

from sklearn.utils import estimator_checks

# Imported for the checks that they add to the list.
from contract import (  # noqa: F401
    checks_classifier,
    checks_fit,
    checks_input,
    checks_regressor,
    checks_transformer,
    checks_weights,
)
from contract.checking import CHECKS, Check
from contract.dispositions import AS_IS

__all__ = ["CHECKS", "UNCHANGED"]


def _run(name, subject):
    getattr(estimator_checks, name)(subject.estimator.__name__, subject.make())


# scikit-learn's own, by name.
UNCHANGED = {
    name: Check(name, partial(_run, name), (name,), kind)
    for name, kind in AS_IS.items()
}
