"""How a mutant, an estimator with one fault, names the check that must find it."""

from dataclasses import dataclass
from typing import Any

MUTANTS = []


@dataclass(frozen=True)
class Mutant:
    """A function that makes a faulty subclass of any estimator of a kind.

    Attributes
    ----------
    make : callable
        From a class of estimators to one with the fault.
    check : Check
        What must find the fault.
    """

    make: Any
    check: Any

    def of(self, estimator):
        """Return the faulty class, where pickle finds it."""
        mutant = self.make(estimator)
        mutant.__name__ = mutant.__qualname__ = f"{self.make.__name__}_{id(self)}"
        mutant.__module__ = __name__
        globals()[mutant.__name__] = mutant
        return mutant


def breaks(*checks):
    """Make a function that returns a faulty class a mutant for each of the checks."""

    def register(make):
        MUTANTS.extend(Mutant(make, check) for check in checks)
        return make

    return register
