"""How a check names the scikit-learn checks that it replaces, and its subjects."""

from dataclasses import dataclass
from typing import Any

CHECKS = []


@dataclass(frozen=True)
class Check:
    """A check on texts, called with a Subject; it raises if the subject fails.

    Attributes
    ----------
    name : str
    function : callable
    stands_for : tuple of str
        Checks of scikit-learn.
    kind : str
        The kind of subjects that it is for, see ``Subject.kinds``.
    """

    name: str
    function: Any
    stands_for: tuple[str, ...]
    kind: str

    def __call__(self, subject):
        self.function(subject)


def rewrites(*names, kind="any"):
    """Make a function a check that replaces some of scikit-learn's."""

    def register(function):
        stands_for = tuple(f"check_{name}" for name in names)
        check = Check(function.__name__, function, stands_for, kind)
        CHECKS.append(check)
        return check

    return register
