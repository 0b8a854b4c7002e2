"""What the sentence-transformers files of a checkpoint declare.

Only modules whose computation is known are read, from their configurations and
safetensors; their classes are never imported. Whatever else a checkpoint declares is
never silently dropped: it is the declaration's ``refusal``, which becomes an error
where the declared vectors are asked for.
"""

import re
from dataclasses import dataclass
from reprlib import repr as shorten
from typing import Any

from sklearn_bert._engine.checkpoints.files.checkpoint_files import CheckpointFiles
from sklearn_bert._engine.checkpoints.files.content import (
    broken,
    changed,
    read_bytes,
    read_json,
)
from sklearn_bert._engine.checkpoints.files.module_list import (
    MODULES,
    ListedModule,
    folder_of_encoder,
    parse_modules,
)
from sklearn_bert._engine.checkpoints.files.names import PROMPTS
from sklearn_bert._engine.checkpoints.sentence_transformers.layer_weights import (
    LAYER_WEIGHTS,
    averages_layers,
    read_layer_weights,
)
from sklearn_bert._engine.checkpoints.sentence_transformers.sentence_config import (
    find_sentence_config,
)
from sklearn_bert.exceptions import CheckpointError

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
# Old and new places of the classes of sentence-transformers.
_CLASS = re.compile(
    r"sentence_transformers\.(?:models|(?:base|sentence_transformer)\.modules)"
    r"\.(?:\w+\.)?(\w+)"
)
# The module that follows the encoder reads its input from, and writes it to.
_VECTOR = "sentence_embedding"
# More features are refused before a module of that width is built, and its features
# named.
_LARGEST_SIZE = 100_000
_KIND = "SentenceTransformer"
# The modules up to the pooling.
_BEFORE = frozenset({"Transformer", LAYER_WEIGHTS, "Pooling"})
# Arguments of the encoder that do not change its vectors.
_HARMLESS = frozenset(
    {
        "add_pooling_layer",
        "attn_implementation",
        "cache_dir",
        "dtype",
        "local_files_only",
        "low_cpu_mem_usage",
        "output_hidden_states",
        "revision",
        "token",
        "torch_dtype",
        "trust_remote_code",
        "use_safetensors",
    }
)
_ARGUMENTS = (
    "model_args",
    "model_kwargs",
    "config_args",
    "config_kwargs",
)


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


@dataclass(frozen=True)
class Declaration:
    """How a checkpoint turns the states of tokens into the vector of a text.

    Attributes
    ----------
    pooling : str or None
        Modes joined by "+", as in "cls+mean"; None if none is declared.
    include_prompt : bool
        Whether the tokens of a prompt are pooled.
    modules : tuple of DeclaredModule
        What follows the pooling, in this order.
    truncate_dim : int or None
        How many of the numbers of a vector are kept.
    refusal : str or None
        If the declared vectors cannot be computed, what is not supported and the
        remedy, which follow "Got" in an error.
    layer_weights : tuple of float or None
        The weights of the last layers, in a mean of which the states of tokens are
        pooled; None pools those of the last layer.
    """

    pooling: str | None = None
    include_prompt: bool = True
    modules: tuple[DeclaredModule, ...] = ()
    truncate_dim: int | None = None
    refusal: str | None = None
    layer_weights: tuple[float, ...] | None = None


class _Unsupported(Exception):
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


def read_declaration(
    files: CheckpointFiles, hidden_size: int, n_layers: int
) -> Declaration:
    """Read what a checkpoint declares.

    Parameters
    ----------
    files : CheckpointFiles
    hidden_size : int
        Width of the states.
    n_layers : int

    Returns
    -------
    Declaration

    Raises
    ------
    CheckpointError
        If a file is damaged, or modules do not fit each other or the encoder.
    """
    content = read_bytes(files, MODULES)
    try:
        listed = () if content is None else parse_modules(content)
    except ValueError as error:
        raise broken(files, f"has a {MODULES} that {error}") from error
    # The folder of the encoder was found before the list was hashed.
    if folder_of_encoder(listed) != files.encoder:
        raise changed(files, MODULES)
    if not listed:
        return Declaration()
    try:
        return _read(files, listed, hidden_size, n_layers)
    except _Unsupported as unsupported:
        pooling = _pooling_of_refused(files, listed)
        others = [mode for mode in ("cls", "mean", "max") if mode != pooling]
        remedy = unsupported.remedy or (
            f"Set pooling to {others[0]!r} or {others[1]!r} to use the encoder without "
            "its modules."
        )
        return Declaration(pooling, refusal=f"{unsupported}. {remedy}")


def _pooling_of_refused(
    files: CheckpointFiles, listed: tuple[ListedModule, ...]
) -> str | None:
    """Return the pooling that is declared among unsupported modules, if it is known."""
    for module in listed:
        match = _CLASS.fullmatch(module.kind)
        if match and match[1] == "Pooling":
            try:
                return _read_pooling(files, module)[0]
            except (_Unsupported, CheckpointError):
                return None
    return None


def _read(
    files: CheckpointFiles,
    listed: tuple[ListedModule, ...],
    hidden_size: int,
    n_layers: int,
) -> Declaration:
    kind = read_json(files, PROMPTS).get("model_type", _KIND)
    if kind != _KIND:
        # sentence-transformers reads the modules of such a model in another way.
        raise _Unsupported(f"the model_type {shorten(kind)} in {PROMPTS}")
    names = [_name(module) for module in listed]
    if names[0] != "Transformer":
        raise _Unsupported(f"the module {listed[0].kind!r}")
    _check_encoder(files)
    # Of the pooling.
    place = 2 if names[1:2] == [LAYER_WEIGHTS] else 1
    if names[place : place + 1] != ["Pooling"] or _BEFORE & set(names[place + 1 :]):
        raise _Unsupported(f"the order of modules {', '.join(names)}")
    layer_weights = None
    if place == 2 and averages_layers(files):
        _check_weights(files, listed[1])
        layer_weights = read_layer_weights(files, listed[1].folder, n_layers)
    pooling, include_prompt = _read_pooling(files, listed[place])
    width = hidden_size * len(pooling.split("+"))
    if width > _LARGEST_SIZE:
        raise broken(
            files,
            f"declares a pooling of {width} features, and at most {_LARGEST_SIZE} "
            "are computed",
        )
    modules = []
    for module in listed[place + 1 :]:
        content = read_json(files, f"{module.folder}config.json")
        if _name(module) == "Dropout":
            continue
        one = _READERS[_name(module)](files, module, content)
        if one.n_in not in (0, width):
            raise broken(
                files,
                f"declares a {one.kind} in {one.folder} that reads {one.n_in} "
                f"features after modules that give {width}",
            )
        width = one.n_out or width
        modules.append(one)
    cut = read_json(files, PROMPTS).get("truncate_dim")
    if cut is not None and not _is_size(cut):
        raise broken(files, f"declares truncate_dim={cut!r}, which is not a size")
    return Declaration(
        pooling, include_prompt, tuple(modules), cut, layer_weights=layer_weights
    )


def _name(module: ListedModule) -> str:
    """Return the name of a module's class, if its computation is known."""
    match = _CLASS.fullmatch(module.kind)
    name = match[1] if match else ""
    if name not in {*_BEFORE, "Dropout", *_READERS}:
        raise _Unsupported(f"the module {module.kind!r}")
    return name


def _check_encoder(files: CheckpointFiles) -> None:
    """Refuse settings that make something else of the encoder than token states."""
    _, settings = find_sentence_config(files)
    expected = {
        "transformer_task": "feature-extraction",
        "module_output_name": "token_embeddings",
    }
    for key, value in expected.items():
        if settings.get(key, value) != value:
            raise _Unsupported(f"{key}={settings[key]!r} of the module Transformer")
    modality = settings.get("modality_config") or {}
    text = modality.get("text") if isinstance(modality, dict) else None
    if modality and text != {
        "method": "forward",
        "method_output_name": "last_hidden_state",
    }:
        raise _Unsupported(f"modality_config={modality!r} of the module Transformer")
    for name in _ARGUMENTS:
        given = settings.get(name) or {}
        if strange := sorted(set(given) - _HARMLESS):
            raise _Unsupported(f"{name} with {strange[0]!r} of the module Transformer")


def _read_pooling(files: CheckpointFiles, module: ListedModule) -> tuple[str, bool]:
    """Return the modes joined by "+", and whether a prompt is pooled."""
    name = f"{module.folder}config.json"
    content = read_json(files, name)
    if not content:
        raise broken(files, f"has no {name}, which its {MODULES} needs")
    given = content.get("pooling_mode")
    if given is None:
        for key, is_on in content.items():
            if key.startswith("pooling_mode_") and is_on and key not in POOLING_MODES:
                raise _Unsupported(f"{key} of the module Pooling")
        modes = [mode for key, mode in POOLING_MODES.items() if content.get(key)]
        modes = modes or ["mean"]
    else:
        modes = [given] if isinstance(given, str) else given
    if not isinstance(modes, list) or not modes:
        raise broken(files, f"has a {name} with pooling_mode={given!r}")
    for mode in modes:
        if mode not in POOLING_MODES.values():
            raise _Unsupported(f"the pooling mode {mode!r}")
    return "+".join(modes), bool(content.get("include_prompt", True))


def _read_dense(
    files: CheckpointFiles, module: ListedModule, content: dict[str, Any]
) -> DeclaredModule:
    _check_vector(module, content)
    activation = content.get("activation_function", "torch.nn.Tanh")
    match = _ACTIVATION.fullmatch(str(activation))
    if match is None or match[1] not in ACTIVATIONS:
        raise _Unsupported(
            f"the activation {activation!r} of the Dense in {module.folder}"
        )
    _check_weights(files, module)
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
    _check_weights(files, module)
    size = _size(files, module, content, "dimension")
    return DeclaredModule("LayerNorm", module.folder, size, size)


def _read_normalize(
    files: CheckpointFiles, module: ListedModule, content: dict[str, Any]
) -> DeclaredModule:
    _check_vector(module, content)
    return DeclaredModule("Normalize")


_READERS = {
    "Dense": _read_dense,
    "LayerNorm": _read_layer_norm,
    "Normalize": _read_normalize,
}


def _check_vector(module: ListedModule, content: dict[str, Any]) -> None:
    """Refuse a module that reads or writes anything but the vector of a text."""
    for key in ("module_input_name", "module_output_name"):
        name = content.get(key)
        if name not in (None, _VECTOR):
            raise _Unsupported(f"{key}={name!r} of the module in {module.folder}")


def _size(
    files: CheckpointFiles, module: ListedModule, content: dict[str, Any], key: str
) -> int:
    size = content.get(key)
    if not _is_size(size):
        raise broken(
            files,
            f"has a {module.folder}config.json with {key}={size!r}, which is not a "
            "size",
        )
    assert isinstance(size, int)
    return size


def _is_size(value: Any) -> bool:
    is_int = isinstance(value, int) and not isinstance(value, bool)
    return is_int and 1 <= value <= _LARGEST_SIZE


def _check_weights(files: CheckpointFiles, module: ListedModule) -> None:
    """Refuse a module whose weights cannot be read."""
    if f"{module.folder}model.safetensors" not in files.digests:
        raise _Unsupported(
            f"the {module.name} in {module.folder}, which has no model.safetensors (a "
            "pytorch_model.bin is a pickle, which can run code and is not read)",
            "Convert the pickle with sklearn_bert.convert_checkpoint("
            f"{files.model!r}, folder), and set model to the new folder.",
        )
