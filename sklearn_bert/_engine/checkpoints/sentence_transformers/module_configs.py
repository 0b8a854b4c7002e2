"""The configurations of the modules that follow the encoder.

Only modules whose computation is known are read; their classes are never imported.
"""

import re
from dataclasses import dataclass
from typing import Any

from sklearn_bert._engine.checkpoints.files.checkpoint_files import CheckpointFiles
from sklearn_bert._engine.checkpoints.files.content import broken, read_json
from sklearn_bert._engine.checkpoints.files.module_list import MODULES, ListedModule

# In the order in which old files, with one switch per mode, concatenate them.
POOLING_MODES = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
# Those of torch that need no arguments, have no weights, and keep the width.
ACTIVATIONS = frozenset(
    [
        "CELU",
        "ELU",
        "GELU",
        "Hardsigmoid",
        "Hardshrink",
        "Hardswish",
        "Hardtanh",
        "Identity",
        "LeakyReLU",
        "LogSigmoid",
        "Mish",
        "ReLU",
        "ReLU6",
        "SELU",
        "SiLU",
        "Sigmoid",
        "Softplus",
        "Softshrink",
        "Softsign",
        "Tanh",
        "Tanhshrink",
    ]
)
_ACTIVATION = re.compile(r"torch\.nn\.(?:modules\.)?(?:(?:activation|linear)\.)?(\w+)")
# The module that follows the encoder reads its input from, and writes it to.
VECTOR = "sentence_embedding"
# The output of a linear layer on top of the features, as in a CrossEncoder.
SCORES = "scores"
# More features are refused before a module of that width is built, and its features
# named.
LARGEST_SIZE = 100_000


@dataclass(frozen=True)
class DeclaredModule:
    """A module that follows the pooling.

    Attributes
    ----------
    kind : {"Dense", "LayerNorm", "Normalize"}
    folder : str
        Where its weights are, with a slash at the end.
    n_in, n_out : int
        Widths, 0 for "Normalize", which has none of its own.
    has_bias : bool
    activation : str
        Name of a class of torch.
    has_residual : bool
        Whether "Dense" adds its input to its output.
    """

    kind: str
    folder: str = ""
    n_in: int = 0
    n_out: int = 0
    has_bias: bool = True
    activation: str = "Identity"
    has_residual: bool = False


class UnsupportedModuleError(Exception):
    """The declared vectors cannot be computed; the message says what it is about.

    Parameters
    ----------
    what : str
    remedy : str or None
        None for a remedy that always works: another pooling.
    """

    def __init__(self, what: str, remedy: str | None = None) -> None:
        super().__init__(what)
        self.remedy = remedy


def read_pooling(files: CheckpointFiles, module: ListedModule) -> tuple[str, bool]:
    """Return the modes joined by "+", and whether a prompt is pooled."""
    name = f"{module.folder}config.json"
    content = read_json(files, name)
    if not content:
        raise broken(files, f"has no {name}, which its {MODULES} needs")
    given = content.get("pooling_mode")
    if given is None:
        for key, is_on in content.items():
            if key.startswith("pooling_mode_") and is_on and key not in POOLING_MODES:
                raise UnsupportedModuleError(f"{key} of the module Pooling")
        modes = [mode for key, mode in POOLING_MODES.items() if content.get(key)]
        modes = modes or ["mean"]
    else:
        modes = [given] if isinstance(given, str) else given
    if not isinstance(modes, list) or not modes:
        raise broken(files, f"has a {name} with pooling_mode={given!r}")
    for mode in modes:
        if mode not in POOLING_MODES.values():
            raise UnsupportedModuleError(f"the pooling mode {mode!r}")
    return "+".join(modes), bool(content.get("include_prompt", True))


def _read_dense(
    files: CheckpointFiles, module: ListedModule, content: dict[str, Any]
) -> DeclaredModule:
    _check_vector(module, content)
    activation = content.get("activation_function", "torch.nn.Tanh")
    match = _ACTIVATION.fullmatch(str(activation))
    if match is None or match[1] not in ACTIVATIONS:
        raise UnsupportedModuleError(
            f"the activation {activation!r} of the Dense in {module.folder}"
        )
    check_weights(files, module)
    return DeclaredModule(
        "Dense",
        module.folder,
        _size(files, module, content, "in_features"),
        _size(files, module, content, "out_features"),
        bool(content.get("bias", True)),
        match[1],
        bool(content.get("use_residual", False)),
    )


def _read_layer_norm(
    files: CheckpointFiles, module: ListedModule, content: dict[str, Any]
) -> DeclaredModule:
    check_weights(files, module)
    size = _size(files, module, content, "dimension")
    return DeclaredModule("LayerNorm", module.folder, size, size)


def _read_normalize(
    files: CheckpointFiles, module: ListedModule, content: dict[str, Any]
) -> DeclaredModule:
    _check_vector(module, content)
    return DeclaredModule("Normalize")


READERS = {
    "Dense": _read_dense,
    "LayerNorm": _read_layer_norm,
    "Normalize": _read_normalize,
}


def computes_scores(name: str, content: dict[str, Any]) -> bool:
    """Tell whether a module leaves the vector as it is and puts out scores of it."""
    return name == "Dense" and content.get("module_output_name") == SCORES


def _check_vector(module: ListedModule, content: dict[str, Any]) -> None:
    """Refuse a module that reads or writes anything but the vector of a text."""
    for key in ("module_input_name", "module_output_name"):
        name = content.get(key)
        if name not in (None, VECTOR):
            raise UnsupportedModuleError(
                f"{key}={name!r} of the module in {module.folder}"
            )


def _size(
    files: CheckpointFiles, module: ListedModule, content: dict[str, Any], key: str
) -> int:
    size = content.get(key)
    if not is_size(size):
        raise broken(
            files,
            f"has a {module.folder}config.json with {key}={size!r}, which is not a "
            "size",
        )
    assert isinstance(size, int)
    return size


def is_size(value: Any) -> bool:
    is_int = isinstance(value, int) and not isinstance(value, bool)
    return is_int and 1 <= value <= LARGEST_SIZE


def check_weights(files: CheckpointFiles, module: ListedModule) -> None:
    """Refuse a module whose weights cannot be read."""
    if f"{module.folder}model.safetensors" not in files.digests:
        raise UnsupportedModuleError(
            f"the {module.name} in {module.folder}, which has no model.safetensors (a "
            "pytorch_model.bin is a pickle, which can run code and is not read)",
            "Convert the pickle with sklearn_bert.convert_checkpoint("
            f"{files.model!r}, folder), and set model to the new folder.",
        )
