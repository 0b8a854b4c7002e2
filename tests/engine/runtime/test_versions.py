"""Versions are those of the installed packages."""

import numpy as np

from sklearn_bert._engine.runtime.versions import version_of


def test_a_package_has_its_version():
    assert version_of("numpy") == np.__version__


def test_a_package_that_is_not_installed_has_none():
    assert version_of("no-such-package-as-this") is None
