"""Split work into pieces of limited size."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

_Item = TypeVar("_Item")


def split_greedily(
    items: Iterable[_Item],
    size: Callable[[_Item], int],
    *,
    max_size: int | None = None,
    max_items: int | None = None,
) -> Iterator[list[_Item]]:
    """Split items into consecutive runs, each as long as the limits allow.

    Parameters
    ----------
    items : iterable
    size : callable
        Returns the size of an item.
    max_size, max_items : int or None
        Limits of a run. A run of a single item may exceed ``max_size``.

    Yields
    ------
    list
        The items of one run.
    """
    run: list[_Item] = []
    total = 0
    for item in items:
        total += size(item)
        is_full = (max_size is not None and total > max_size) or len(run) == max_items
        if run and is_full:
            yield run
            run, total = [], size(item)
        run.append(item)
    if run:
        yield run
