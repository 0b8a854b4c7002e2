"""transformers models with given weights, created without random numbers."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from sklearn_bert._engine.checkpoints.architecture import quietly
from sklearn_bert._engine.checkpoints.locate import CheckpointFiles

# Functions that fill a tensor with random numbers: methods, and functions of
# torch.nn.init as torch or transformers passes them to a mode.
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
    """Fills tensors with a constant instead of random numbers.

    transformers initializes weights that a file lacks from the global generator of the
    process, which other threads may be using. A mode applies only to its thread.
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
    """Return a model in float32, and the loading report of transformers.

    Tensors that the files lack are filled with a constant.
    """
    return _load(
        kind,
        files.encoder_folder,
        config,
        dtype=torch.float32,
        use_safetensors=True,
        local_files_only=True,
        output_loading_info=True,
        # They are reported in an error of this package.
        ignore_mismatched_sizes=True,
    )


def set_weights(kind: type[Any], config: Any, weights: dict[str, Tensor]) -> Any:
    """Return a model that uses the given tensors without copying them."""
    model = _load(kind, None, config, state_dict=dict(weights))
    remove_pooler(model)
    model.load_state_dict(weights, assign=True)
    return model


def _load(kind: type[Any], folder: Path | None, config: Any, **options: Any) -> Any:
    with quietly(), _NothingRandom():
        return kind.from_pretrained(folder, config=config, **options)


def remove_pooler(model: Any) -> None:
    """Remove the pooler, which no estimator uses."""
    if hasattr(model, "pooler"):
        # It was only used for next-sentence prediction, and many checkpoints lack it.
        model.pooler = _NoPooler()


class _NoPooler(nn.Module):
    """A pooler for models that always call it."""

    def forward(self, hidden: torch.Tensor, *args: Any) -> torch.Tensor:
        return hidden
