"""A tally for the tests that try many cases, and its table."""

import pytest

from reliability.tally import PROPERTY, Tally, format_table

_PROPERTIES = pytest.StashKey()


@pytest.fixture
def tally(request):
    """The tally of a test, which fails at its end if a case was lost."""
    tally = Tally(is_soak=request.config.getoption("soak"))
    yield tally
    request.node.user_properties.append((PROPERTY, tally.to_property()))
    tally.raise_errors()


@pytest.hookimpl
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
