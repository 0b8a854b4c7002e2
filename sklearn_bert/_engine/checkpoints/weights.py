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
# Those whose first number is a mean or a lower bound.
_WITH_A_CENTER = ("normal_", "uniform_")


class _NothingRandom(TorchFunctionMode):
    """Fills tensors with a constant where they would be filled with random numbers.

    transformers draws the weights that a file lacks from the process's global
    generator, which other threads may be using. A mode holds for its own thread only.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name not in _RANDOM:
            return func(*args, **kwargs)
        tensor, *numbers = args or (kwargs["tensor"],)
        # A mean or a lower bound, at which trunc_normal_ stops drawing again.
        numbers += [kwargs[key] for key in ("mean", "a", "from") if key in kwargs]
        with torch.no_grad():
            return tensor.fill_(
                numbers[0] if numbers and name in _WITH_A_CENTER else 0.0
            )


def read_weights(
    kind: type[Any], files: CheckpointFiles, config: Any
) -> tuple[Any, dict[str, Any]]:
    """Return a model in float32, and what transformers says of the files' tensors.

    Those that the files lack hold a constant.
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
