"""The axes that displays draw on."""

import sys
from types import SimpleNamespace

import pytest

from sklearn_bert.inspection._axes import prepare_axes


def test_a_figure_is_made(plt):
    display = SimpleNamespace()
    ax = prepare_axes(display, None, figsize=(3, 2))
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert tuple(ax.figure.get_size_inches()) == (3, 2)


def test_the_axes_of_the_caller_are_used(plt):
    _, ax = plt.subplots()
    display = SimpleNamespace()
    assert prepare_axes(display, ax, figsize=(3, 2)) is ax
    assert display.ax_ is ax
    assert len(plt.get_fignums()) == 1


def test_the_error_names_the_display(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"SimpleNamespace\.plot requires matplotlib"):
        prepare_axes(SimpleNamespace(), None)
