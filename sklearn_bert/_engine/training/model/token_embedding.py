"""A word embedding that trains only the rows that a batch uses.

A vocabulary has some 30,000 rows and a batch uses a few hundred. The gradient of the
whole table, and the optimiser's work on it, would take a sixth of a training step.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class RowEmbedding(nn.Module):
    """An embedding table, of which the rows of the current batch form a leaf.

    Parameters
    ----------
    weight : Tensor of shape (vocab_size, size)
        Taken over.

    Attributes
    ----------
    rows : Tensor of shape (n_rows,), int64, or None
        The rows of the current batch.
    leaf : Tensor of shape (at least n_rows, size), or None
        Their values, whose gradient is wanted. Further rows mean nothing.
    """

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight.detach(), requires_grad=False)
        self.rows: Tensor | None = None
        self.leaf: Tensor | None = None
        vocab_size = weight.shape[0]
        self._places = torch.zeros(vocab_size, dtype=torch.int64, device=weight.device)

    def take(self, rows: Tensor, leaf: Tensor | None = None) -> None:
        """Make ``rows`` the rows that the next forward passes use and train.

        Parameters
        ----------
        rows : Tensor of shape (n_rows,), int64
        leaf : Tensor of shape (at least n_rows, size), or None
            Takes their values; None makes one.
        """
        self.rows = rows
        if leaf is None:
            leaf = self.weight[rows].requires_grad_()
        else:
            leaf.detach()[: rows.shape[0]] = self.weight[rows]
        self.leaf = leaf
        self._places[rows] = torch.arange(rows.shape[0], device=rows.device)

    def release(self) -> None:
        """Read from the whole table again."""
        self.rows = self.leaf = None

    def forward(self, ids: Tensor) -> Tensor:
        """Return the rows of ``ids``: any shape, with the size appended.

        An id outside the rows taken, such as padding, gets some other row: nobody may
        read what becomes of it.
        """
        if self.leaf is None:
            return F.embedding(ids, self.weight)
        return F.embedding(self._places[ids], self.leaf)
