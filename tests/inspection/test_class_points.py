"""A legend that names the frequent classes as they are."""

import numpy as np
import pytest

from sklearn_bert.inspection._class_points import draw_classes


@pytest.fixture
def draw(plt):
    """Return a function that draws labels, and returns the axes and the names."""

    def call(y):
        y = np.asarray(y)
        _, ax = plt.subplots()
        draw_classes(ax, np.stack([np.arange(len(y)), np.zeros(len(y))], axis=1), y)
        ax.figure.canvas.draw()
        return ax, [text.get_text() for text in ax.get_legend().get_texts()]

    return call


def test_points_of_a_class_have_one_color(draw):
    ax, names = draw(["b", "a", "b"])
    assert names == ["a", "b"]
    first, second = ax.collections
    assert first.get_offsets()[:, 0].tolist() == [1]
    assert second.get_offsets()[:, 0].tolist() == [0, 2]
    assert not np.array_equal(first.get_facecolor(), second.get_facecolor())


def test_numbers_are_in_their_order(draw):
    assert draw([10, 9, 10])[1] == ["9", "10"]


def test_labels_may_be_of_several_types(draw):
    labels = np.array([1, None, "b"], dtype=object)
    assert draw(labels)[1] == ["1", "None", "b"]


def test_names_are_shown_as_they_are(draw):
    assert draw(["_x", "$a$"])[1] == ["$a$", "_x"]


def test_long_names_are_cut(draw):
    assert draw(["a" * 30, "b" * 31])[1] == ["a" * 30, "b" * 29 + "…"]


def test_the_ten_most_frequent_classes_are_named(draw):
    many = [f"c{code:02}" for code in range(12)]
    ax, names = draw([*many, *many[2:]])
    assert names == [*many[2:], "2 others"]
    assert ax.collections[-1].get_offsets()[:, 0].tolist() == [0, 1]
    colors = {tuple(points.get_facecolor()[0]) for points in ax.collections}
    assert len(colors) == 11
