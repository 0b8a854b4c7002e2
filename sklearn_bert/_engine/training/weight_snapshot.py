"""A snapshot of the weights that a training can restore."""

from collections.abc import Sequence

import torch
from torch import Tensor


class WeightSnapshot:
    """A copy of some tensors from the end of an epoch or a step.

    Its memory is allocated at once, so that a training cannot run out of it later.

    Parameters
    ----------
    tensors : sequence of Tensor
        All tensors that the training changes, except for the table.
    rows_of : tuple of two Tensors, or None
        A table of shape (n_rows, size), and the indices of the rows that change:
        (n_changed,), int64.
    called : str
        Name of the copy in errors, with {} for the number of the epoch or step.
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
        """Name of the copy in errors."""
        if self._number == 0:
            return "initial weights"
        return self._called.format(self._number)

    @torch.no_grad()
    def keep(self, number: int) -> None:
        """Copy the tensors at the end of the epoch or step with this number."""
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
            # Ctrl-C interrupted the copy, and the tensors have not changed since.
            return
        for tensor, copy in zip(self._tensors, self._copies, strict=True):
            tensor.copy_(copy)
        if self._rows_of is not None:
            table, rows = self._rows_of
            table.index_copy_(0, rows, self._kept_rows)
