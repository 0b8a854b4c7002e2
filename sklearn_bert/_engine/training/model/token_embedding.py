"""A token embedding that trains only the rows that a batch uses, and its AdamW.

A vocabulary has some 30,000 rows and a batch uses a few hundred. The gradient of the
whole table, and the optimizer's work on it, would take a sixth of a training step.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

BETAS = (0.9, 0.999)
EPSILON = 1e-8


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
        Their values, which require a gradient. Further rows are not used.
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

        An id outside the rows taken, such as padding, gets some other row, which must
        not be read.
        """
        if self.leaf is None:
            return F.embedding(ids, self.weight)
        return F.embedding(self._places[ids], self.leaf)


class RowAdamW:
    """AdamW for a :class:`RowEmbedding`: each row moves in the steps that use it.

    A row's moments, its correction of their bias and its decay go by the number of
    steps that used it, so a rare word is trained like a frequent one seen as often.

    Parameters
    ----------
    embedding : RowEmbedding
    learning_rate, weight_decay : float
    """

    def __init__(
        self, embedding: RowEmbedding, learning_rate: float, weight_decay: float
    ) -> None:
        weight = embedding.weight
        self._embedding = embedding
        self._rate = learning_rate
        self._weight_decay = weight_decay
        self.mean = torch.zeros_like(weight)
        self.square = torch.zeros_like(weight)
        self.n_steps = torch.zeros(
            (weight.shape[0], 1), dtype=weight.dtype, device=weight.device
        )

    @torch.no_grad()
    def step(self, factor: float) -> None:
        """Move the rows of the current batch by ``factor`` times the learning rate."""
        rows, leaf = self._embedding.rows, self._embedding.leaf
        if rows is None or leaf is None or leaf.grad is None:
            return
        rate, n_rows = self._rate * factor, rows.shape[0]
        value, gradient = leaf.detach()[:n_rows], leaf.grad[:n_rows]
        n_steps = self.n_steps[rows] + 1
        mean = self.mean[rows].lerp_(gradient, 1 - BETAS[0])
        square = self.square[rows].mul_(BETAS[1])
        square.addcmul_(gradient, gradient, value=1 - BETAS[1])
        self.n_steps[rows], self.mean[rows], self.square[rows] = n_steps, mean, square
        size = (square / (1 - BETAS[1] ** n_steps)).sqrt_().add_(EPSILON)
        move = mean.div_(1 - BETAS[0] ** n_steps).div_(size)
        value = value * (1 - rate * self._weight_decay)
        self._embedding.weight[rows] = value.sub_(move, alpha=rate)
