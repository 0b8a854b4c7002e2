"""The one copy of the weights that a training can return to."""

from collections.abc import Sequence

import torch
from torch import Tensor


class WeightSnapshot:
    """A copy of some tensors from the end of an epoch or a step.

    It takes its memory at once: a training that can start does not run out of it later.

    Parameters
    ----------
    tensors : sequence of Tensor
        All that the training changes, except for the table.
    rows_of : tuple of two Tensors, or None
        A table of shape (n_rows, size), and which of its rows the training changes:
        (n_changed,), int64.
    called : str
        What an error calls the copy, with {} for the number of its epoch or step.
    """

    def __init__(
        self,
        tensors: Sequence[Tensor],
        rows_of: tuple[Tensor, Tensor] | None = None,
        called: str = "weights from the end of epoch {}",
    ) -> None:
        self._called = called
        self._number = 0
        self._tensors = tensors
        self._copies = [tensor.detach().clone() for tensor in tensors]
        self._rows_of = rows_of
        if rows_of is not None:
            self._kept_rows = rows_of[0].detach().index_select(0, rows_of[1])
        self._is_whole = True

    @property
    def name(self) -> str:
        """Which weights these are."""
        if self._number == 0:
            return "initial weights"
        return self._called.format(self._number)

    @torch.no_grad()
    def keep(self, number: int) -> None:
        """Copy the tensors at the end of an epoch or a step, which has this number."""
        self._is_whole = False
        self._number = number
        for tensor, copy in zip(self._tensors, self._copies, strict=True):
            copy.copy_(tensor)
        if self._rows_of is not None:
            table, rows = self._rows_of
            torch.index_select(table, 0, rows, out=self._kept_rows)
        self._is_whole = True

    @torch.no_grad()
    def restore(self) -> None:
        """Write the copy back into the tensors."""
        if not self._is_whole:
            # Ctrl-C came while the tensors were copied; they have not changed since.
            return
        for tensor, copy in zip(self._tensors, self._copies, strict=True):
            tensor.copy_(copy)
        if self._rows_of is not None:
            table, rows = self._rows_of
            table.index_copy_(0, rows, self._kept_rows)
