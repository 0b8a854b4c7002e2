"""Which backend runs a model: the fastest one that gives the right numbers.

Three are tried in turn. A numeric test of the loaded model decides, never a list of
names:

fused
    :class:`~sklearn_bert._engine.encoding.fused.FusedBackend`, for BERT's layout.
flat
    transformers' own modules over flat batches, for every model that takes its
    attention from transformers' attention interface.
padded
    transformers' own modules over padded batches, for all others.
"""

import logging
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from sklearn_bert._engine.checkpoints.load import Checkpoint
from sklearn_bert._engine.compat.transformers_private import attention_of
from sklearn_bert._engine.encoding.backends import (
    Backend,
    FlatBackend,
    ModuleBackend,
    PaddedBackend,
    UnsuitableModelError,
    set_attention,
)
from sklearn_bert._engine.encoding.batch import Batch, collate
from sklearn_bert._engine.encoding.fused import FusedBackend
from sklearn_bert._engine.runtime.device import multiply_in
from sklearn_bert._engine.runtime.memory import raise_if_out_of_memory
from sklearn_bert._engine.runtime.quiet import quietly
from sklearn_bert._engine.text.token_sequences import TokenSequences
from sklearn_bert.exceptions import CheckpointError

_LOGGER = logging.getLogger("sklearn_bert")
_CPU = torch.device("cpu")
# Numbers of another text in a text's result are far above, rounding is far below.
_TOLERANCE = 1e-4
# Settings of models with global tokens, random ones, or other layers for long texts.
_SPARSE = ("attention_type", "attention_window")
_WINDOWS = ("sliding_window", "local_attention")
# With a longer window, a test of what it does would take too long.
_LONGEST_WINDOW = 512


def choose_backend(
    checkpoint: Checkpoint, device: torch.device, dtype: torch.dtype
) -> Backend:
    """Return the first backend whose states equal those of each sequence by itself.

    Fine-tuned weights may be so far off that rounding alone makes the states differ.
    Their model has been found to be an encoder before, so it runs padded then.

    Raises
    ------
    CheckpointError
        If the model cannot be run, reads no further than a token's own place, or lets
        one sequence of a padded batch change another.
    """
    backend = _first_matching_backend(checkpoint)
    if (device, dtype) == (_CPU, _own_dtype(checkpoint)):
        return backend
    return type(backend)(checkpoint, device, dtype)


def choose_backend_class(
    checkpoint: Checkpoint,
) -> type[ModuleBackend] | type[FusedBackend]:
    """Return the class of the backend that :func:`choose_backend` chooses."""
    return type(_first_matching_backend(checkpoint))


# Some models tell the user what concerns the short sequences of the test alone.
@quietly()
def _first_matching_backend(checkpoint: Checkpoint) -> ModuleBackend | FusedBackend:
    """Try the backends on the CPU in the dtype of the weights."""
    model: Any = checkpoint.model
    dtype = _own_dtype(checkpoint)
    attention = attention_of(model)
    padded = PaddedBackend(checkpoint, _CPU, dtype)
    window = _window(checkpoint)
    sequences = self_test_sequences(checkpoint)
    layers = tuple(range(checkpoint.architecture.n_layers + 1))
    expected = _one_by_one(padded, sequences, layers)
    _check_size(checkpoint, expected[-1])
    if not checkpoint.is_fine_tuned:
        model_type = model.config.model_type
        _check_reads_both_ways(padded, sequences, layers[-1], expected[-1], model_type)
    batch = collate(sequences, range(len(sequences.ids)))
    for kind in (FusedBackend, FlatBackend, PaddedBackend):
        try:
            if kind is not PaddedBackend:
                _check_attention(model.config, window)
            backend = kind(checkpoint, _CPU, dtype)
            _check_close(_all_states(backend, batch, layers), expected)
            return backend
        except UnsuitableModelError as error:
            reason = str(error)
        # A model that a backend does not know can fail in any way.
        except Exception as error:
            raise_if_out_of_memory(error)
            reason = f"it failed with {error!r}"
        _LOGGER.debug(
            "%s does not run this %s model: %s.",
            kind.__name__,
            model.config.model_type,
            reason,
        )
        set_attention(model, attention)
    if checkpoint.is_fine_tuned:
        return padded
    raise CheckpointError(
        "model must keep the texts of a batch apart. Got a "
        f"{model.config.model_type!r} model, whose features of a text depend on the "
        "others. Choose another encoder such as BERT, RoBERTa or MiniLM."
    )


def runs_in_autocast(
    backend: Backend, checkpoint: Checkpoint, device: torch.device, dtype: torch.dtype
) -> bool:
    """Tell whether a backend can run while products are rounded to ``dtype``.

    Some models write the lowest number of their weights' dtype into a tensor of another
    one, which cannot hold it.
    """
    sequences = self_test_sequences(checkpoint)
    batch = collate(sequences, range(len(sequences.ids))).to(device)
    top = (checkpoint.architecture.n_layers,)
    try:
        (states,) = _all_states(backend, batch, top, dtype)
        is_finite = bool(torch.isfinite(states).all())
        reason = "its states are not finite"
    except RuntimeError as error:
        raise_if_out_of_memory(error)
        is_finite, reason = False, f"it failed with {error!r}"
    if not is_finite:
        _LOGGER.debug("The model does not run in autocast to %s: %s.", dtype, reason)
    return is_finite


def _own_dtype(checkpoint: Checkpoint) -> torch.dtype:
    return next(checkpoint.model.parameters()).dtype


def _window(checkpoint: Checkpoint) -> int:
    """Return the longest window of local attention; 0 if no text is longer."""
    model: Any = checkpoint.model
    window = max(
        getattr(layer, "sliding_window", None) or 0 for layer in model.modules()
    )
    if not window:
        # Layers may read it from the configuration, whose attributes may raise errors.
        settings = model.config.to_dict()
        window = max(settings.get(name) or 0 for name in _WINDOWS)
    return window if window < checkpoint.architecture.max_positions else 0


def _check_attention(config: Any, window: int) -> None:
    """Refuse a model whose attention in long texts the self-test cannot show."""
    if setting := find_sparse_attention(config):
        raise UnsuitableModelError(f"its attention is sparse ({setting})")
    if window > _LONGEST_WINDOW:
        raise UnsuitableModelError(f"its window of {window} tokens is too long to test")


def find_sparse_attention(config: Any) -> str | None:
    """Return the setting that makes the attention in long texts sparse, if any."""
    for name in _SPARSE:
        if value := getattr(config, name, None):
            return f"{name}={value!r}"
    return None


def _one_by_one(
    backend: Backend, sequences: TokenSequences, layers: tuple[int, ...]
) -> list[Tensor]:
    """Return every layer's states of sequences that run one at a time."""
    try:
        states = [
            _all_states(backend, collate(sequences, [row]), layers)
            for row in range(len(sequences.ids))
        ]
    # transformers' models fail in many ways on a configuration that they do not like.
    except Exception as error:
        raise_if_out_of_memory(error)
        raise CheckpointError(
            f"model must be an encoder that transformers can run. It failed with: "
            f"{error}. Choose another encoder such as BERT, RoBERTa or MiniLM."
        ) from error
    return [torch.cat(layer) for layer in zip(*states, strict=True)]


def _check_size(checkpoint: Checkpoint, states: Tensor) -> None:
    """Refuse a model that changes the size of the states after its last layer."""
    model: Any = checkpoint.model
    size = checkpoint.architecture.hidden_size
    if states.shape[1] != size:
        raise CheckpointError(
            f"model must return states of its hidden size, {size}. Got a "
            f"{model.config.model_type!r} model with states of size {states.shape[1]}. "
            "Choose another encoder such as BERT, RoBERTa or MiniLM."
        )


def _check_reads_both_ways(
    backend: Backend,
    sequences: TokenSequences,
    last: int,
    expected: Tensor,
    model_type: str,
) -> None:
    """Refuse a model whose first token does not see the last one.

    The sequence is the last and shortest one, which fits into a window.
    """
    row = len(sequences.ids) - 1
    # The previous id always exists and differs.
    ids = [*sequences.ids[row][:-1], sequences.ids[row][-1] - 1]
    changed = replace(sequences, ids=[*sequences.ids[:row], ids])
    states = _all_states(backend, collate(changed, [row]), (last,))
    if torch.equal(states[0][0], expected[-len(ids)]):
        raise CheckpointError(
            "model must be an encoder, which reads a text in both directions. Got a "
            f"{model_type!r} model, whose first token does not see the last. Choose an "
            "encoder such as BERT, RoBERTa or MiniLM."
        )


def _all_states(
    backend: Backend,
    batch: Batch,
    layers: tuple[int, ...],
    autocast_dtype: torch.dtype | None = None,
) -> list[Tensor]:
    device = batch.input_ids.device
    with torch.inference_mode(), multiply_in(device, autocast_dtype):
        return backend.hidden_states(batch, layers, only_first=False)


def _check_close(states: list[Tensor], expected: list[Tensor]) -> None:
    for layer, (a, b) in enumerate(zip(states, expected, strict=True)):
        if not torch.allclose(a, b, rtol=0.0, atol=_TOLERANCE * float(b.abs().max())):
            raise UnsuitableModelError(
                f"its states after layer {layer} differ from those of single texts"
            )


def self_test_sequences(checkpoint: Checkpoint) -> TokenSequences:
    """Return four sequences whose mixing or misplacing would show.

    One is longer than the window of local attention.
    """
    model: Any = checkpoint.model
    vocab_size = model.get_input_embeddings().weight.shape[0]
    # The first ids are control tokens, padding among them.
    first = min(5, vocab_size - 1)
    generator = torch.Generator().manual_seed(0)
    longest = checkpoint.architecture.max_positions
    window = min(_window(checkpoint), _LONGEST_WINDOW)
    lengths = [min(n, longest) for n in (max(9, window + window // 2), 5, 5, 3)]
    has_segments = checkpoint.architecture.has_segments
    return TokenSequences(
        ids=[
            torch.randint(first, vocab_size, (n,), generator=generator).tolist()
            for n in lengths
        ],
        second_starts=[2] * len(lengths) if has_segments else None,
        text_index=list(range(len(lengths))),
    )
