"""A tally for the tests that try many cases, its table, and children that do harm."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from reliability.tally import PROPERTY, Tally, format_table

_PROPERTIES = pytest.StashKey()
_TESTS = Path(__file__).parents[1]


@pytest.fixture
def tally(request):
    """The tally of a test, which fails at its end if a case was lost."""
    tally = Tally(is_soak=request.config.getoption("soak"))
    yield tally
    request.node.user_properties.append((PROPERTY, tally.to_property()))
    tally.raise_errors()


@pytest.fixture(scope="session")
def run_module():
    """Return a function that runs a module of this folder in a process of its own.

    Its main function gets the settings as keywords, and what it prints is returned.
    """

    def run(name, settings, command=(), timeout=900, **environment):
        paths = [str(_TESTS), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment |= {"PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
        # -P: not the source tree that the tests may have been started in.
        python = [sys.executable, "-P", "-m", f"reliability.{name}"]
        done = subprocess.run(
            [*command, *python, json.dumps(settings)],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=timeout,
            env={**os.environ, **environment},
        )
        return json.loads(done.stdout)

    return run


def pytest_configure(config):
    config.stash[_PROPERTIES] = []
    config.pluginmanager.register(_Collector(config.stash[_PROPERTIES]))


class _Collector:
    """Collects the counts from the reports, also from those of other processes."""

    def __init__(self, properties):
        self._properties = properties

    def pytest_runtest_logreport(self, report):
        if report.when == "teardown":
            self._properties += [
                x for key, x in report.user_properties if key == PROPERTY
            ]


def pytest_terminal_summary(terminalreporter, config):
    if config.getoption("soak"):
        terminalreporter.section("faults")
        for line in format_table(config.stash[_PROPERTIES]):
            terminalreporter.write_line(line)
