"""All checks on texts: importing their files puts them into the list."""

from contract import (  # noqa: F401
    checks_classifier,
    checks_fit,
    checks_input,
    checks_regressor,
    checks_transformer,
    checks_weights,
)
from contract.checking import CHECKS

__all__ = ["CHECKS"]
