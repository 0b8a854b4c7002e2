"""transformers models with given weights, created without random numbers."""

import math
from contextlib import ExitStack
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from sklearn_bert._engine.checkpoints.files.checkpoint_files import CheckpointFiles
from sklearn_bert._engine.checkpoints.files.content import broken, changed, read_json
from sklearn_bert._engine.checkpoints.files.disk import (
    UnreadableFileError,
    read_header,
    sha256_of,
)
from sklearn_bert._engine.checkpoints.files.names import WEIGHTS, WEIGHTS_INDEX
from sklearn_bert._engine.runtime.quiet import quietly
from sklearn_bert.exceptions import CheckpointError

# As safetensors spells them.
DTYPES = ("F16", "BF16", "F32", "F64")
# Buffers of integers, which old files contain and models make themselves.
_COUNTERS = frozenset({"num_batches_tracked", "position_ids", "token_type_ids"})

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


class NothingRandom(TorchFunctionMode):
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


def weight_files(files: CheckpointFiles) -> list[str]:
    """Return the names of the files that hold the weights.

    Raises
    ------
    CheckpointError
        If there are none, or if the index names others than those of the folder.
    """
    place = files.encoder
    if f"{place}{WEIGHTS}" in files.digests:
        return [f"{place}{WEIGHTS}"]
    index = f"{place}{WEIGHTS_INDEX}"
    if index not in files.digests:
        if pickles := sorted(files.encoder_folder.glob("pytorch_model*.bin")):
            raise _only_pickles(files, pickles[0].name)
        raise broken(files, f"has no {WEIGHTS}, or shards without {WEIGHTS_INDEX}")
    shards = read_json(files, index).get("weight_map")
    if not shards or not isinstance(shards, dict):
        raise broken(files, f"has a {index} without a weight_map")
    for shard in shards.values():
        is_read = f"{place}{shard}" in files.digests
        if not str(shard).endswith(".safetensors") or not is_read:
            raise broken(
                files, f"has an index that names {shard!r}, no safetensors file in it"
            )
    return sorted({f"{place}{shard}" for shard in shards.values()})


def _only_pickles(files: CheckpointFiles, name: str) -> CheckpointError:
    return CheckpointError(
        f"The weights of model {files.model!r} must be stored as safetensors. The "
        f"folder {files.folder} has only {name}, a pickle, which can run code and is "
        "not read. Convert it with sklearn_bert.convert_checkpoint("
        f"{files.model!r}, folder), and set model to the new folder."
    )


def check_headers(files: CheckpointFiles, shapes: nn.Module) -> None:
    """Refuse weights of other dtypes, or of far fewer values than the model has.

    Both are read from the headers, before memory is allocated for the model.

    Parameters
    ----------
    files : CheckpointFiles
    shapes : nn.Module
        The model without weights.

    Raises
    ------
    CheckpointError
    """
    n_values = 0
    for file in weight_files(files):
        for name, entry in _read_header(files, file).items():
            n_values += math.prod(entry["shape"])
            is_counter = name.rpartition(".")[2] in _COUNTERS
            if entry["dtype"] not in DTYPES and not is_counter:
                raise CheckpointError(
                    "The weights of a checkpoint must have one of the dtypes "
                    f"{', '.join(DTYPES)}. Got {name} of dtype {entry['dtype']} in "
                    f"{files.folder / file}. Choose a checkpoint that is not quantized."
                )
    n_needed = sum(parameter.numel() for parameter in shapes.parameters())
    # Up to half of the values, the pooler among them, are reported by name.
    if n_needed > 2 * n_values:
        raise broken(
            files,
            f"has weights of {n_values} values, and its config.json describes a model "
            f"of {n_needed}",
        )


def _read_header(files: CheckpointFiles, name: str) -> dict[str, dict[str, Any]]:
    try:
        return read_header(files.folder, name)
    except UnreadableFileError as error:
        raise broken(files, str(error)) from error


def read_weights(
    kind: type[Any], files: CheckpointFiles, config: Any
) -> tuple[Any, dict[str, Any]]:
    """Return a model in float32, and the loading report of transformers.

    Tensors that the files lack are filled with a constant. transformers is given
    tensors, and no folder in which it would look for other files.
    """
    names = weight_files(files)
    with ExitStack() as opened:
        tensors = {
            key: file.get_slice(key)
            for name in names
            for file in [opened.enter_context(safe_open(files.folder / name, "pt"))]
            # It has no other way to iterate.
            for key in file.keys()  # noqa: SIM118
        }
        loaded = _load(
            kind,
            config,
            state_dict=tensors,
            dtype=torch.float32,
            output_loading_info=True,
            # They are reported in an error of this package.
            ignore_mismatched_sizes=True,
        )
    for name in names:
        if sha256_of(files.folder, name) != files.digests[name]:
            raise changed(files, name)
    return loaded


def set_weights(kind: type[Any], config: Any, weights: dict[str, Tensor]) -> Any:
    """Return a model that uses the given tensors without copying them."""
    model = _load(kind, config, state_dict=dict(weights))
    remove_pooler(model)
    model.load_state_dict(weights, assign=True)
    return model


def _load(kind: type[Any], config: Any, **options: Any) -> Any:
    with quietly(), NothingRandom():
        return kind.from_pretrained(None, config=config, **options)


def remove_pooler(model: Any) -> None:
    """Remove the pooler, which no estimator uses."""
    if hasattr(model, "pooler"):
        # It was only used for next-sentence prediction, and many checkpoints lack it.
        model.pooler = _NoPooler()


class _NoPooler(nn.Module):
    """A pooler for models that always call it."""

    def forward(self, hidden: torch.Tensor, *args: Any) -> torch.Tensor:
        return hidden
