"""Points whose color and shape show their class."""

from typing import Any

import numpy as np

# Paul Tol's "muted" colors, which color-blind readers can tell apart, and black. The
# shapes are for printers.
_COLORS = (
    *("#332288", "#CC6677", "#44AA99", "#DDCC77", "#882255"),
    *("#88CCEE", "#117733", "#AA4499", "#999933", "#000000"),
)
_SHAPES = "os^Dv<P>Xp"
_LONGEST_NAME = 30


def draw_classes(ax: Any, coordinates: np.ndarray, y: np.ndarray) -> None:
    """Draw a point for each text, and a legend of the most frequent classes.

    Parameters
    ----------
    ax : matplotlib Axes
    coordinates : ndarray of shape (n_samples, 2)
    y : ndarray of shape (n_samples,)
    """
    if y.dtype.kind not in "biu":
        # Strings and missing values cannot be compared.
        y = np.array([str(label) for label in y.tolist()], dtype=object)
    classes, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
    frequent = np.argsort(-counts, kind="stable")[: len(_COLORS)]
    handles, names = [], []
    # In the order of the classes, as in other figures.
    for code, color, shape in zip(np.sort(frequent), _COLORS, _SHAPES, strict=False):
        where = coordinates[codes == code]
        style = {"color": color, "marker": shape, "s": 24, "alpha": 0.8}
        handles.append(ax.scatter(*where.T, **style, linewidths=0))
        name = str(classes[code])
        is_long = len(name) > _LONGEST_NAME
        names.append(f"{name[: _LONGEST_NAME - 1]}…" if is_long else name)
    if n_others := len(classes) - len(frequent):
        where = coordinates[~np.isin(codes, frequent)]
        handles.append(ax.scatter(*where.T, color="0.8", s=10, zorder=0))
        names.append(f"{n_others} other{'s' if n_others > 1 else ''}")
    place = {"loc": "upper left", "bbox_to_anchor": (1, 1), "frameon": False}
    legend = ax.legend(handles, ["?"] * len(handles), **place)
    for text, name in zip(legend.get_texts(), names, strict=True):
        # Two dollar signs would be a formula, and matplotlib hides names like "_x".
        text.set_parse_math(False)
        text.set_text(name)
