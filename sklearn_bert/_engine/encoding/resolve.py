"""What the parameters of an estimator mean for one checkpoint."""

from dataclasses import dataclass, replace
from itertools import chain
from numbers import Integral
from reprlib import repr as shorten
from typing import Any

from sklearn_bert._engine.checkpoints.architecture import Architecture
from sklearn_bert._engine.checkpoints.files.checkpoint_files import CheckpointFiles
from sklearn_bert._engine.checkpoints.load import Checkpoint
from sklearn_bert._engine.checkpoints.sentence_transformers.modules import (
    SentenceModules,
)
from sklearn_bert._engine.checkpoints.sentence_transformers.prompts import is_text
from sklearn_bert._engine.checkpoints.source import Source, architecture_of
from sklearn_bert._engine.encoding.encode import EncodingConfig
from sklearn_bert._engine.encoding.readout import PooledReadout, Readout, WordReadout
from sklearn_bert._engine.text.inputs import TokenizingConfig
from sklearn_bert._engine.text.special_tokens import CONTROL_NAMES
from sklearn_bert.exceptions import CheckpointError

_MIN_LENGTH_OF_PAIRS = 6


@dataclass(frozen=True)
class ResolvedEncoder:
    """A checkpoint, and how samples are read with it.

    Attributes
    ----------
    source : Source
    architecture : Architecture
    tokenizing : TokenizingConfig
    pooling : str or None
        "compare", or modes joined by "+". None reads each word.
    layers : tuple of int
        Counted from the embeddings, 0.
    n_modules : int
        How many of the declared modules apply after the pooling.
    n_kept : int or None
        How many of the first features are kept; None keeps all.
    layer_weights : tuple of float or None
        The declared weights of layers, if they apply.
    """

    source: Source
    architecture: Architecture
    tokenizing: TokenizingConfig
    pooling: str | None
    layers: tuple[int, ...]
    n_modules: int = 0
    n_kept: int | None = None
    layer_weights: tuple[float, ...] | None = None

    @property
    def readout(self) -> Readout:
        """How the states of the tokens become rows."""
        if self.pooling is None:
            return WordReadout()
        return PooledReadout(
            self.pooling,
            self.architecture.include_prompt,
            self.n_modules,
            self.n_kept,
            self.layer_weights,
        )

    @property
    def n_features(self) -> int:
        """Width of the rows."""
        width = self._n_pooled
        for module in self.architecture.modules[: self.n_modules]:
            width = module.n_out or width
        return width if self.n_kept is None else min(width, self.n_kept)

    @property
    def _n_pooled(self) -> int:
        n_vectors = len(self.layers) * self.readout.n_vectors
        return n_vectors * self.architecture.hidden_size

    def adapted(self, checkpoint: Checkpoint) -> Checkpoint:
        """Return a trained checkpoint that declares how it was read in training."""
        if self.pooling is None:
            return checkpoint
        # A comparison reads the means of the two texts.
        pooling = "mean" if self.pooling == "compare" else self.pooling
        architecture = replace(
            checkpoint.architecture,
            pooling=pooling,
            modules=checkpoint.architecture.modules[: self.n_modules],
            truncate_dim=self.n_kept,
            refusal=None,
            layer_weights=self.layer_weights,
            prompts=checkpoint.architecture.prompts.with_default(
                self.tokenizing.prompt
            ),
        )
        modules = SentenceModules(checkpoint.modules[: self.n_modules])
        return replace(checkpoint, architecture=architecture, modules=modules)

    def encoding(self, **options: Any) -> EncodingConfig:
        """Return the configuration of the encoder, with options that it has besides."""
        return EncodingConfig(self.readout, self.layers, **options)


def resolve_encoder(
    source: Source,
    name: str,
    n_columns: int,
    *,
    pooling: str | None,
    max_length: int | None,
    long_text: str,
    prompt: str | None,
    layers: Any = -1,
    with_normalize: bool = False,
    truncate_dim: int | None = None,
) -> ResolvedEncoder:
    """Return how samples are read with a checkpoint.

    Parameters
    ----------
    source : Source
    name : str
        What errors call the model.
    n_columns : {1, 2}
        2 if the samples are pairs of texts.
    pooling : str or None
        "auto", "compare", or modes joined by "+". None reads each word.
    max_length : int or None
    long_text : {"truncate", "head_tail", "window"}
    prompt : str or None
        "auto", the name of a prompt, or a text.
    layers : int, or list or tuple of int
    with_normalize : bool
        Whether a Normalize at the end of the declared modules applies.
    truncate_dim : int or None
        How many of the first features are kept; None keeps as many as declared.

    Returns
    -------
    ResolvedEncoder

    Raises
    ------
    ValueError
        If the checkpoint or the samples do not allow the value of a parameter.
    CheckpointError
        If the checkpoint declares what cannot be computed.
    """
    architecture = architecture_of(source)
    text = _resolve_prompt(prompt, architecture)
    if text != prompt and isinstance(source, CheckpointFiles):
        _check_without_controls(text)
    length = resolve_max_length(max_length, architecture, name, n_columns)
    if pooling is not None:
        pooling = _resolve_pooling(pooling, architecture, name, n_columns)
    resolved = ResolvedEncoder(
        source,
        architecture,
        TokenizingConfig(length, long_text, text),
        pooling,
        _resolve_layers(layers, architecture.n_layers),
    )
    if pooling is not None and n_columns == 1 and _reads_as_declared(resolved):
        _check_supported(architecture, name)
        resolved = replace(
            resolved,
            n_modules=_count_modules(architecture, with_normalize),
            n_kept=architecture.truncate_dim,
            layer_weights=architecture.layer_weights,
        )
    if truncate_dim is None:
        return resolved
    return replace(resolved, n_kept=_resolve_truncation(truncate_dim, resolved))


def _reads_as_declared(resolved: ResolvedEncoder) -> bool:
    """Tell whether what is pooled, and how, is that of the declared modules."""
    architecture = resolved.architecture
    is_last = resolved.layers == (architecture.n_layers,)
    return is_last and resolved.pooling == architecture.pooling


def _count_modules(architecture: Architecture, with_normalize: bool) -> int:
    """Return how many modules apply: all, or those before a Normalize at the end."""
    kinds = [module.kind for module in architecture.modules]
    while kinds and kinds[-1] == "Normalize" and not with_normalize:
        kinds.pop()
    return len(kinds)


def _resolve_truncation(truncate_dim: int, resolved: ResolvedEncoder) -> int:
    """Return how many features are kept, of as many as there are."""
    if len(resolved.layers) > 1 or resolved.pooling == "compare":
        raise ValueError(
            "truncate_dim must be None if the features of several layers, or of "
            "pooling='compare', are concatenated. Got "
            f"truncate_dim={truncate_dim}. Set truncate_dim=None, or layers=-1 and "
            "another pooling than 'compare'."
        )
    n_features = replace(resolved, n_kept=None).n_features
    if truncate_dim > n_features:
        raise ValueError(
            f"truncate_dim must be at most {n_features}, the number of features. Got "
            f"{truncate_dim}. Lower it, or set truncate_dim=None."
        )
    return truncate_dim


def resolve_max_length(
    max_length: int | None, architecture: Architecture, name: str, n_columns: int = 1
) -> int:
    """Return the longest sequence in tokens, within what the model can hold.

    Parameters and errors are those of :func:`resolve_encoder`.
    """
    if max_length is None:
        return architecture.max_length
    check_room_for_pairs(max_length, n_columns)
    if max_length > architecture.max_positions:
        raise ValueError(
            f"max_length must be at most {architecture.max_positions}, the number of "
            f"positions of model {name!r}. Got {max_length}. Lower it, or set "
            "max_length=None."
        )
    return max_length


def check_room_for_pairs(max_length: int | None, n_columns: int) -> None:
    """Refuse a max_length that leaves a text of a pair without any token."""
    if max_length is not None and n_columns == 2 and max_length < _MIN_LENGTH_OF_PAIRS:
        raise ValueError(
            f"max_length must be at least {_MIN_LENGTH_OF_PAIRS} for pairs of texts: "
            f"up to four special tokens and one of each text. Got {max_length}. Raise "
            "it, or set max_length=None."
        )


def _resolve_prompt(prompt: str | None, architecture: Architecture) -> str:
    """Return the text of the prompt that is asked for or declared."""
    text = architecture.prompts.resolve(prompt)
    if not is_text(text):
        raise ValueError(
            "prompt must be a text of valid characters. Got "
            f"{text!r}, which has a lone surrogate. Remove it."
        )
    return text


def _resolve_pooling(
    pooling: str, architecture: Architecture, name: str, n_columns: int
) -> str:
    """Return the pooling that is asked for or declared."""
    if pooling == "compare" and n_columns == 1:
        raise ValueError(
            "pooling='compare' requires pairs of texts. Got one column of texts. Set "
            "pooling='auto', or pass two columns."
        )
    if pooling != "auto":
        return pooling
    _check_supported(architecture, name)
    declared = architecture.pooling or "cls"
    # Vectors that are means were trained to be compared.
    return "compare" if (declared, n_columns) == ("mean", 2) else declared


def _check_supported(architecture: Architecture, name: str) -> None:
    """Refuse to compute declared vectors without the modules that are not supported."""
    if architecture.refusal is not None:
        raise CheckpointError(
            f"The modules and the pooling that model {name!r} declares must be "
            f"supported. Got {architecture.refusal}"
        )


def _check_without_controls(prompt: str) -> None:
    """Refuse a declared prompt with special tokens, which are text in a prompt."""
    for control in chain.from_iterable(CONTROL_NAMES.values()):
        if control in prompt:
            raise CheckpointError(
                "A prompt that a checkpoint declares must not contain special tokens. "
                f"Got {shorten(prompt)} with {control!r}. Set prompt=None, or to a "
                "text, in which special tokens have no meaning."
            )


def _resolve_layers(layers: Any, n_layers: int) -> tuple[int, ...]:
    """Return the layers counted from the embeddings."""
    wanted = layers if isinstance(layers, list | tuple) else [layers]
    allowed = range(-n_layers - 1, n_layers + 1)
    if not wanted or any(
        not isinstance(layer, Integral)
        or isinstance(layer, bool)
        or layer not in allowed
        for layer in wanted
    ):
        raise ValueError(
            "layers must be an int, or a list of at least one int, from "
            f"{allowed[0]} to {allowed[-1]}. Got {layers!r}. Use 0 for the embeddings, "
            f"1 to {n_layers} for the layers, or -1 for the last layer."
        )
    return tuple(int(layer) % (n_layers + 1) for layer in wanted)
