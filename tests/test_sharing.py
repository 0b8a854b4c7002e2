"""The page about sharing is a round trip through processes that know only its files."""

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "sharing.rst"

pytestmark = pytest.mark.real

# Runs one section, then prints the probabilities that its classifier gives.
CODE = """
import doctest, json, pathlib, sys

def refuse(event, args):
    if event in ("socket.connect", "socket.getaddrinfo"):
        raise RuntimeError(f"{event} {args}")

sys.addaudithook(refuse)
title = sys.argv[2]
text = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
section = doctest.DocTestParser().get_doctest(
    text.split(f"\\n{title}\\n")[1].split("\\n---")[0], {}, title, sys.argv[1], 0
)
runner = doctest.DocTestRunner(
    optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
)
runner.run(section, out=sys.stderr.write, clear_globs=False)
classifier = section.globs.get("classifier")
answers = classifier and classifier.predict_proba(["fun", "slow"]).tolist()
print(json.dumps([runner.tries, runner.failures, answers]))
"""


def titles():
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    return [title for title, line in pairwise(lines) if set(line) == {"-"}]


def run_section(title, folder, home, page=PAGE):
    """Return what the classifier of a section answers, if it has one."""
    home.mkdir()
    new = {"HOME": str(home), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    own = ("HF_HOME", "HF_HUB_CACHE", "XDG_CACHE_HOME", "TRANSFORMERS_CACHE")
    environment = {key: x for key, x in os.environ.items() if key not in own}
    # -P: not the source tree that the tests may have been started in.
    done = subprocess.run(
        [sys.executable, "-P", "-c", CODE, str(page), title],
        cwd=folder,
        env={**environment, **new},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    tried, failed, answers = json.loads(done.stdout)
    assert tried > 0
    assert failed == 0, done.stderr
    return answers


def test_each_section_runs_with_another_home_and_without_a_network(tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    found = {
        title: run_section(title, folder, tmp_path / f"home {k}")
        for k, title in enumerate(titles())
    }
    assert len(found) >= 5
    fitted = found["Keep a model"]
    assert found["Load it elsewhere"] == fitted
    assert found["Serve it"] == fitted


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (">>> 1 + 1\n3", "Got:"),
        (">>> import socket\n>>> socket.create_connection(('127.0.0.1', 9))", "refuse"),
    ],
    ids=["output", "network"],
)
def test_a_section_that_goes_wrong_is_noticed(tmp_path, code, words):
    page = tmp_path / "page.rst"
    page.write_text(f"\nKeep a model\n---\n\n{code}\n")
    with pytest.raises(AssertionError) as caught:
        run_section("Keep a model", tmp_path, tmp_path / "home", page)
    assert words in str(caught.value)
