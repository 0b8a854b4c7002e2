"""The axes that a display draws on."""

from typing import Any

from sklearn_bert._sklearn_compat import check_matplotlib_support


def prepare_axes(display: Any, ax: Any, **figure: Any) -> Any:
    """Return the axes of a plot, and note them in the display.

    Parameters
    ----------
    display : object
        Gets the attributes ``ax_`` and ``figure_``.
    ax : matplotlib Axes or None
        None makes a new figure.
    **figure : dict
        Arguments of the new figure.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    check_matplotlib_support(f"{type(display).__name__}.plot")
    import matplotlib.pyplot as plt

    if ax is None:
        _, ax = plt.subplots(layout="constrained", **figure)
    display.ax_, display.figure_ = ax, ax.figure
    return ax
