"""The weights of the modules that a checkpoint declares."""

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from sklearn_bert._engine.checkpoints.files.checkpoint_files import CheckpointFiles
from sklearn_bert._engine.checkpoints.files.content import broken, read_bytes, reason
from sklearn_bert._engine.checkpoints.files.names import WEIGHTS

_DTYPES = {torch.float16, torch.bfloat16, torch.float32, torch.float64}


def read_tensors(
    files: CheckpointFiles, folder: str, kind: str, shapes: dict[str, torch.Size]
) -> dict[str, Tensor]:
    """Read the tensors of a module in float32.

    Parameters
    ----------
    files : CheckpointFiles
    folder : str
        Of the module, with a slash at the end.
    kind : str
        What errors call the module.
    shapes : dict of str to Size
        The names and shapes that the module must have.

    Returns
    -------
    dict of str to Tensor

    Raises
    ------
    CheckpointError
        If the file is missing or damaged, or if its tensors are not finite floats of
        these names and shapes.
    """
    file = f"{folder}{WEIGHTS}"
    content = read_bytes(files, file)
    if content is None:
        raise broken(files, f"has no {file}")
    try:
        found = load(content)
    except SafetensorError as error:
        raise broken(
            files, f"has a {file} that cannot be read ({reason(error)})"
        ) from error
    for name in sorted({*found, *shapes}):
        tensor = found.get(name)
        if tensor is None:
            problem = f"lacks the tensor {name}"
        elif name not in shapes:
            problem = f"has a tensor {name} that a {kind} does not have"
        elif tensor.shape != shapes[name]:
            problem = (
                f"has a tensor {name} of shape {tuple(tensor.shape)}, not "
                f"{tuple(shapes[name])}"
            )
        elif tensor.dtype not in _DTYPES:
            problem = f"has a tensor {name} of {tensor.dtype}, not of floats"
        elif not torch.isfinite(tensor).all():
            problem = f"has NaN or infinite values in {name}"
        else:
            continue
        raise broken(files, f"has a {file} that {problem}")
    return {name: tensor.float() for name, tensor in found.items()}
