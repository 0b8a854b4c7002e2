"""The lower bounds of the dependencies exclude versions with known vulnerabilities."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# The first versions without the CVEs that SECURITY.md lists.
FIRST_SAFE = {"torch": (2, 10), "transformers": (5, 10), "safetensors": (0, 8)}


@pytest.mark.parametrize("name", FIRST_SAFE)
def test_the_lower_bound_is_safe_and_documented(name):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    bounds = dict(one.split(">=") for one in project["project"]["dependencies"])
    version = tuple(int(part) for part in re.findall(r"\d+", bounds[name]))
    assert version >= FIRST_SAFE[name]
    policy = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    assert f"- {name} {bounds[name]}: " in policy
