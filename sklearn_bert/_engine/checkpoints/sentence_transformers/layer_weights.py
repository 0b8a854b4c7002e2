"""The weighted mean of layers that a checkpoint declares before its pooling.

In sentence-transformers this is the module WeightedLayerPooling. It reads the states of
all layers, which the encoder puts out only if its configuration says so. Without them
the module does nothing.
"""

import torch

from sklearn_bert._engine.checkpoints.config_files import puts_out_all_layers
from sklearn_bert._engine.checkpoints.files.checkpoint_files import CheckpointFiles
from sklearn_bert._engine.checkpoints.files.content import broken, read_json
from sklearn_bert._engine.checkpoints.sentence_transformers.module_weights import (
    read_tensors,
)
from sklearn_bert._engine.checkpoints.sentence_transformers.sentence_config import (
    find_sentence_config,
)

LAYER_WEIGHTS = "WeightedLayerPooling"


def averages_layers(files: CheckpointFiles) -> bool:
    """Tell whether the encoder puts out what the module reads."""
    is_on = puts_out_all_layers(files)
    _, settings = find_sentence_config(files)
    # Two names of the arguments that change the configuration. The old one counts.
    for name in ("config_args", "config_kwargs"):
        if name in settings:
            return bool(settings[name].get("output_hidden_states", is_on))
    return is_on


def read_layer_weights(
    files: CheckpointFiles, folder: str, n_layers: int
) -> tuple[float, ...]:
    """Read the weights of the last layers.

    Parameters
    ----------
    files : CheckpointFiles
    folder : str
        Of the module, with a slash at the end.
    n_layers : int
        Of the encoder.

    Returns
    -------
    tuple of float
        One for each layer from the first that is read to the last. Their sum is not 0.

    Raises
    ------
    CheckpointError
        If a file is damaged, or does not fit the encoder.
    """
    name = f"{folder}config.json"
    content = read_json(files, name)
    # The defaults of sentence-transformers.
    top, start = content.get("num_hidden_layers", 12), content.get("layer_start", 4)
    if top != n_layers:
        raise broken(
            files,
            f"has a {name} with num_hidden_layers={top!r} for an encoder of {n_layers} "
            "layers",
        )
    if type(start) is not int or not 0 <= start <= n_layers:
        raise broken(
            files,
            f"has a {name} with layer_start={start!r}, which is not from 0 to "
            f"{n_layers}",
        )
    shapes = {"layer_weights": torch.Size([n_layers + 1 - start])}
    found = read_tensors(files, folder, LAYER_WEIGHTS, shapes)
    weights = tuple(found["layer_weights"].tolist())
    if sum(weights) == 0:
        raise broken(files, f"has layer_weights in {folder} whose sum is 0")
    return weights
