"""What the sentence-transformers files of a checkpoint declare.

Only modules whose computation is known are read, from their configurations and
safetensors; their classes are never imported. Whatever else a checkpoint declares is
never silently dropped: it is the declaration's ``refusal``, which becomes an error
where the declared vectors are asked for.
"""

import re
from dataclasses import dataclass
from reprlib import repr as shorten

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
from sklearn_bert._engine.checkpoints.sentence_transformers.module_configs import (
    LARGEST_SIZE,
    READERS,
    DeclaredModule,
    UnsupportedModuleError,
    check_weights,
    computes_scores,
    is_size,
    read_pooling,
)
from sklearn_bert._engine.checkpoints.sentence_transformers.sentence_config import (
    find_sentence_config,
)
from sklearn_bert.exceptions import CheckpointError

# Old and new places of the classes of sentence-transformers.
_CLASS = re.compile(
    r"sentence_transformers\.(?:models|(?:base|sentence_transformer)\.modules)"
    r"\.(?:\w+\.)?(\w+)"
)
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
    except UnsupportedModuleError as unsupported:
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
                return read_pooling(files, module)[0]
            except (UnsupportedModuleError, CheckpointError):
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
        raise UnsupportedModuleError(f"the model_type {shorten(kind)} in {PROMPTS}")
    names = [_name(module) for module in listed]
    if names[0] != "Transformer":
        raise UnsupportedModuleError(f"the module {listed[0].kind!r}")
    _check_encoder(files)
    # Of the pooling.
    place = 2 if names[1:2] == [LAYER_WEIGHTS] else 1
    if names[place : place + 1] != ["Pooling"] or _BEFORE & set(names[place + 1 :]):
        raise UnsupportedModuleError(f"the order of modules {', '.join(names)}")
    layer_weights = None
    if place == 2 and averages_layers(files):
        check_weights(files, listed[1])
        layer_weights = read_layer_weights(files, listed[1].folder, n_layers)
    pooling, include_prompt = read_pooling(files, listed[place])
    width = hidden_size * len(pooling.split("+"))
    if width > LARGEST_SIZE:
        raise broken(
            files,
            f"declares a pooling of {width} features, and at most {LARGEST_SIZE} "
            "are computed",
        )
    modules = []
    for module in listed[place + 1 :]:
        content = read_json(files, f"{module.folder}config.json")
        if _name(module) == "Dropout" or computes_scores(_name(module), content):
            continue
        one = READERS[_name(module)](files, module, content)
        if one.n_in not in (0, width):
            raise broken(
                files,
                f"declares a {one.kind} in {one.folder} that reads {one.n_in} "
                f"features after modules that give {width}",
            )
        width = one.n_out or width
        modules.append(one)
    cut = read_json(files, PROMPTS).get("truncate_dim")
    if cut is not None and not is_size(cut):
        raise broken(files, f"declares truncate_dim={cut!r}, which is not a size")
    return Declaration(
        pooling, include_prompt, tuple(modules), cut, layer_weights=layer_weights
    )


def _name(module: ListedModule) -> str:
    """Return the name of a module's class, if its computation is known."""
    match = _CLASS.fullmatch(module.kind)
    name = match[1] if match else ""
    if name not in {*_BEFORE, "Dropout", *READERS}:
        raise UnsupportedModuleError(f"the module {module.kind!r}")
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
            raise UnsupportedModuleError(
                f"{key}={settings[key]!r} of the module Transformer"
            )
    modality = settings.get("modality_config") or {}
    text = modality.get("text") if isinstance(modality, dict) else None
    if modality and text != {
        "method": "forward",
        "method_output_name": "last_hidden_state",
    }:
        raise UnsupportedModuleError(
            f"modality_config={modality!r} of the module Transformer"
        )
    for name in _ARGUMENTS:
        given = settings.get(name) or {}
        if strange := sorted(set(given) - _HARMLESS):
            raise UnsupportedModuleError(
                f"{name} with {strange[0]!r} of the module Transformer"
            )
