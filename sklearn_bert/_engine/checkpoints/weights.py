"""transformers' models with given weights, made without drawing random numbers."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from sklearn_bert._engine.checkpoints.architecture import quietly
from sklearn_bert._engine.checkpoints.locate import CheckpointFiles

# What fills a tensor with random numbers: its own methods, and the functions of
# torch.nn.init that torch, or transformers in their place, passes to a mode.
_RANDOM = frozenset(
    {
        "bernoulli_",
        "cauchy_",
        "exponential_",
        "geometric_",
        "kaiming_normal_",
        "kaiming_uniform_",
        "log_normal_",
        "normal_",
        "orthogonal_",
        "random_",
        "sparse_",
        "trunc_normal_",
        "uniform_",
        "xavier_normal_",
        "xavier_uniform_",
    }
)


class _NothingRandom(TorchFunctionMode):
    """Leaves tensors as they are that would be filled with random numbers.

    transformers draws the weights that a file lacks from the process's global
    generator, which other threads may be using. A mode holds for its own thread only.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__name__", "") in _RANDOM:
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)


def read_weights(
    kind: type[Any], files: CheckpointFiles, config: Any
) -> tuple[Any, dict[str, Any]]:
    """Return a model in float32, and what transformers says of the files' tensors.

    Those that the files lack hold whatever was in memory.
    """
    return _load(
        kind,
        files.folder,
        config,
        dtype=torch.float32,
        use_safetensors=True,
        local_files_only=True,
        output_loading_info=True,
        # So that they are named in our own error.
        ignore_mismatched_sizes=True,
    )


def set_weights(kind: type[Any], config: Any, weights: dict[str, Tensor]) -> Any:
    """Return a model that holds some tensors, not copies of them."""
    model = _load(kind, None, config, state_dict=dict(weights))
    remove_pooler(model)
    model.load_state_dict(weights, assign=True)
    return model


def _load(kind: type[Any], folder: Path | None, config: Any, **options: Any) -> Any:
    with quietly(), _NothingRandom():
        return kind.from_pretrained(folder, config=config, **options)


def remove_pooler(model: Any) -> None:
    """Remove what no estimator uses."""
    if hasattr(model, "pooler"):
        # Only next-sentence prediction used it, and many checkpoints do not hold it.
        model.pooler = _NoPooler()


class _NoPooler(nn.Module):
    """For models that call their pooler without asking whether there is one."""

    def forward(self, hidden: torch.Tensor, *args: Any) -> torch.Tensor:
        return hidden
