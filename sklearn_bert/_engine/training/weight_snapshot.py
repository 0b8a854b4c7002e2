"""The one copy of the weights that a training can go back to."""

from collections.abc import Sequence

import torch
from torch import Tensor


class WeightSnapshot:
    """A copy of some tensors as they were at the end of an epoch, or of a step.

    Made at once, so that memory is short at the start of a training or never.

    Parameters
    ----------
    tensors : sequence of Tensor
        All that the training changes, but for the table.
    rows_of : tuple of two Tensors, or None
        A table of shape (n_rows, size), and which of its rows the training changes:
        (n_changed,), int64.

    Attributes
    ----------
    number : int
        Of the epoch or the step at whose end the copy was taken; 0 is before the first.
    """

    def __init__(
        self,
        tensors: Sequence[Tensor],
        rows_of: tuple[Tensor, Tensor] | None = None,
    ) -> None:
        self.number = 0
        self._tensors = tensors
        self._copies = [tensor.detach().clone() for tensor in tensors]
        self._rows_of = rows_of
        if rows_of is not None:
            self._kept_rows = rows_of[0].detach().index_select(0, rows_of[1])
        self._is_whole = True

    @torch.no_grad()
    def keep(self, number: int) -> None:
        """Copy the tensors as they are at the end of an epoch, or of a step."""
        self._is_whole = False
        self.number = number
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
            # Ctrl-C came while copying, and the tensors are what was to be kept.
            return
        for tensor, copy in zip(self._tensors, self._copies, strict=True):
            tensor.copy_(copy)
        if self._rows_of is not None:
            table, rows = self._rows_of
            table.index_copy_(0, rows, self._kept_rows)
