"""How a check of this suite names what it stands for, and whom it is for."""

from dataclasses import dataclass
from typing import Any

CHECKS = []


@dataclass(frozen=True)
class Check:
    """A check on texts, called with a Subject; it raises if the subject fails.

    Attributes
    ----------
    function : callable
    rewritten : tuple of str
        The checks of scikit-learn that it stands for.
    kind : str
        The kind of subjects that it is for, see ``Subject.kinds``.
    """

    function: Any
    rewritten: tuple[str, ...]
    kind: str

    @property
    def name(self):
        return self.function.__name__

    def __call__(self, subject):
        self.function(subject)


def rewrites(*names, kind="any"):
    """Make a function a check that stands for some of scikit-learn's."""

    def register(function):
        check = Check(function, tuple(f"check_{name}" for name in names), kind)
        CHECKS.append(check)
        return check

    return register
