"""The modules of a checkpoint that change the vector of a text after the pooling."""

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sklearn_bert._engine.checkpoints.files.checkpoint_files import CheckpointFiles
from sklearn_bert._engine.checkpoints.sentence_transformers.module_configs import (
    DeclaredModule,
)
from sklearn_bert._engine.checkpoints.sentence_transformers.module_weights import (
    read_tensors,
)


class SentenceModules(nn.ModuleList):
    """Modules that run one after the other on the vectors of texts.

    The names of their weights are those of the files of sentence-transformers, with
    the number of the module before them.

    Parameters
    ----------
    modules : iterable of Module
    """

    def __init__(self, modules: Iterable[nn.Module] = ()) -> None:
        super().__init__(modules)

    def forward(self, rows: Tensor, n_modules: int) -> Tensor:
        """Apply the first modules.

        Parameters
        ----------
        rows : Tensor of shape (n, width)
        n_modules : int

        Returns
        -------
        Tensor of shape (n, new_width)
            In the dtype of the weights, if there are some.
        """
        weight = next(self.parameters(), None)
        if n_modules and weight is not None:
            rows = rows.to(weight)
        for module in self[:n_modules]:
            rows = module(rows)
        return rows


class _Dense(nn.Module):
    def __init__(self, declared: DeclaredModule) -> None:
        super().__init__()
        n_in, n_out = declared.n_in, declared.n_out
        self.linear = nn.Linear(n_in, n_out, bias=declared.has_bias)
        self.activation = getattr(nn, declared.activation)()
        self.has_residual = declared.has_residual
        if declared.has_residual and n_in != n_out:
            self.residual = nn.Linear(n_in, n_out, bias=False)

    def forward(self, rows: Tensor) -> Tensor:
        out: Tensor = self.activation(self.linear(rows))
        if not self.has_residual:
            return out
        return out + (self.residual(rows) if hasattr(self, "residual") else rows)


class _LayerNorm(nn.Module):
    def __init__(self, declared: DeclaredModule) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(declared.n_in)

    def forward(self, rows: Tensor) -> Tensor:
        normed: Tensor = self.norm(rows)
        return normed


class _Normalize(nn.Module):
    def __init__(self, declared: DeclaredModule) -> None:
        super().__init__()

    def forward(self, rows: Tensor) -> Tensor:
        return F.normalize(rows, dim=-1)


_CLASSES = {"Dense": _Dense, "LayerNorm": _LayerNorm, "Normalize": _Normalize}


def make_modules(
    declared: Iterable[DeclaredModule], weights: dict[str, Tensor]
) -> SentenceModules:
    """Return modules with the given weights, whose names and shapes must fit."""
    modules = shape_modules(declared)
    modules.load_state_dict(weights, assign=True)
    return modules.eval().requires_grad_(False)


def shape_modules(declared: Iterable[DeclaredModule]) -> SentenceModules:
    """Return modules without weights."""
    with torch.device("meta"):
        return SentenceModules(_CLASSES[one.kind](one) for one in declared)


def load_modules(
    files: CheckpointFiles, declared: tuple[DeclaredModule, ...]
) -> SentenceModules:
    """Load the modules of a checkpoint in float32.

    Parameters
    ----------
    files : CheckpointFiles
    declared : tuple of DeclaredModule

    Returns
    -------
    SentenceModules

    Raises
    ------
    CheckpointError
        If a file of weights is damaged, or its tensors do not fit the declaration.
    """
    weights: dict[str, Tensor] = {}
    shaped = shape_modules(declared)
    for number, (one, module) in enumerate(zip(declared, shaped, strict=True)):
        shapes = {name: like.shape for name, like in module.state_dict().items()}
        if shapes:
            found = read_tensors(files, one.folder, one.kind, shapes)
            weights |= {f"{number}.{name}": tensor for name, tensor in found.items()}
    return make_modules(declared, weights)
