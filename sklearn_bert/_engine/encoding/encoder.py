"""Frozen encoders: flat batches in, hidden states out, by the fastest backend.

Three backends are tried in turn. A numeric test of the loaded model decides, never a
list of names:

fused
    :class:`~sklearn_bert._engine.encoding.fused.FusedBackend`, for BERT's layout.
flat
    transformers' own modules over flat batches, for every model that takes its
    attention from transformers' attention interface.
padded
    transformers' own modules over padded batches, for all others.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from sklearn_bert._engine.checkpoints.architecture import Architecture, quietly
from sklearn_bert._engine.checkpoints.load import Checkpoint, load_checkpoint
from sklearn_bert._engine.checkpoints.locate import CheckpointFiles
from sklearn_bert._engine.compat.transformers_private import attention_of
from sklearn_bert._engine.encoding.attention import flat_attention
from sklearn_bert._engine.encoding.batch import Batch, collate
from sklearn_bert._engine.encoding.fused import FusedBackend
from sklearn_bert._engine.runtime.device import multiply_in
from sklearn_bert._engine.text.token_sequences import TokenSequences
from sklearn_bert._engine.text.tokenizer import TextTokenizer
from sklearn_bert.exceptions import CheckpointError

_FLAT = "sklearn_bert_flat"
_CPU = torch.device("cpu")
# Numbers of another text in a text's result are far above, rounding is far below.
_TOLERANCE = 1e-4
# Settings of models whose tokens attend, in long texts, only to some others.
_LOCAL = ("attention_type", "attention_window", "local_attention", "sliding_window")


class Backend(Protocol):
    """One way to run an encoder."""

    def hidden_states(
        self, batch: Batch, layers: tuple[int, ...], *, only_first: bool
    ) -> list[Tensor]:
        """Return the layers' states of all tokens, or of the first ones."""


@dataclass(frozen=True)
class Encoder:
    """A frozen encoder, ready to run.

    Attributes
    ----------
    backend : Backend
    tokenizer : TextTokenizer
    architecture : Architecture
    device : torch.device
    dtype : torch.dtype
        Of the weights.
    autocast_dtype : torch.dtype or None
        In which products are computed, if it is not the weights' own format.
    """

    backend: Backend
    tokenizer: TextTokenizer
    architecture: Architecture
    device: torch.device
    dtype: torch.dtype
    autocast_dtype: torch.dtype | None = None

    def autocast(self) -> Any:
        """Return the context in which products take the encoder's own format."""
        return multiply_in(self.device, self.autocast_dtype)


class ModuleBackend:
    """What the backends that run transformers' own modules share."""

    def __init__(
        self, checkpoint: Checkpoint, device: torch.device, dtype: torch.dtype
    ) -> None:
        self._model: Any = checkpoint.model.to(device, dtype)
        self._first_position = checkpoint.architecture.first_position
        self._has_segments = checkpoint.architecture.has_segments

    def hidden_states(
        self, batch: Batch, layers: tuple[int, ...], *, only_first: bool
    ) -> list[Tensor]:
        """Return the layers' states of all tokens, or of the first ones."""
        states = self._run(batch, layers)
        if only_first:
            return [state[batch.first_tokens] for state in states]
        return states

    def _run(self, batch: Batch, layers: tuple[int, ...]) -> list[Tensor]:
        """Return the layers' states of all tokens."""
        raise NotImplementedError


class FlatBackend(ModuleBackend):
    """transformers' modules over flat batches, through its attention interface."""

    def __init__(
        self, checkpoint: Checkpoint, device: torch.device, dtype: torch.dtype
    ) -> None:
        from transformers import AttentionInterface

        super().__init__(checkpoint, device, dtype)
        # A name without a mask function of its own gets no mask, as flat batches need.
        AttentionInterface.register(_FLAT, _attend_flat)
        _set_attention(self._model, _FLAT)

    def _run(self, batch: Batch, layers: tuple[int, ...]) -> list[Tensor]:
        n_tokens = len(batch.input_ids)
        inputs = {
            "input_ids": batch.input_ids,
            "position_ids": batch.positions + self._first_position,
        }
        if self._has_segments:
            segments = batch.segments
            if segments is None:
                segments = torch.zeros_like(batch.input_ids)
            inputs["token_type_ids"] = segments
        n_more = self._n_rows(n_tokens) - n_tokens
        output = self._model(
            **{name: _repeat_first(x, n_more)[None] for name, x in inputs.items()},
            output_hidden_states=True,
            attend=self._plan(batch),
        )
        states = _states(output)
        return [states[layer][0, :n_tokens] for layer in layers]

    def _n_rows(self, n_tokens: int) -> int:
        """Return to how many rows a batch is filled up."""
        return n_tokens

    def _plan(self, batch: Batch) -> Any:
        """Return the attention of all layers, as ``flat_attention`` without batch."""
        return partial(flat_attention, batch=batch)


def _set_attention(model: Any, name: str) -> None:
    # Models that do not take their attention by name log it, and keep their own.
    with quietly():
        model.set_attn_implementation(name)


def _repeat_first(x: Tensor, n_more: int) -> Tensor:
    """Append the first number of (T,) so many times."""
    return x if n_more == 0 else torch.cat([x, x[:1].expand(n_more)])


def _states(output: Any) -> list[Tensor]:
    """Return every layer's states; some models put a last norm on the last ones."""
    return [*output.hidden_states[:-1], output.last_hidden_state]


def _attend_flat(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    *,
    attend: Any,
    sliding_window: int | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """Attention in the form that transformers calls: (1, heads, T, size) each."""
    if sliding_window is not None:
        raise NotImplementedError("flat batches with a sliding window")
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    q, k, v = (x[0].transpose(0, 1) for x in (query, key, value))
    return attend(q, k, v, scale=scale)[None], None


class PaddedBackend(ModuleBackend):
    """transformers' modules over padded batches, sorted by length beforehand."""

    def _run(self, batch: Batch, layers: tuple[int, ...]) -> list[Tensor]:
        places = _places(batch)
        shape = (len(batch.lengths), batch.lengths[0])
        inputs = {
            "input_ids": _pad(batch.input_ids, places, shape),
            "attention_mask": _pad(torch.ones_like(batch.input_ids), places, shape),
        }
        if self._has_segments and batch.segments is not None:
            inputs["token_type_ids"] = _pad(batch.segments, places, shape)
        output = self._model(**inputs, output_hidden_states=True)
        states = _states(output)
        return [states[layer].flatten(0, 1).index_select(0, places) for layer in layers]


def _places(batch: Batch) -> Tensor:
    """Return where each token stands in the padded batch, row after row: (T,), int64.

    Made of what is on the device already, so that nobody waits for it.
    """
    longest, n_tokens = batch.lengths[0], len(batch.input_ids)
    rows = torch.arange(len(batch.lengths), device=batch.boundaries.device)
    row_starts = (rows * longest).repeat_interleave(
        batch.boundaries.diff(), output_size=n_tokens
    )
    return row_starts + batch.positions


def _pad(flat: Tensor, places: Tensor, shape: tuple[int, int]) -> Tensor:
    """Put (T,) into its places in (n, longest); zeros elsewhere."""
    padded = flat.new_zeros(shape[0] * shape[1])
    return padded.index_copy_(0, places, flat).view(shape)


def build_encoder(
    files: CheckpointFiles, device: torch.device, dtype: torch.dtype
) -> Encoder:
    """Load a checkpoint and choose the fastest backend that gives the right numbers.

    Parameters
    ----------
    files : CheckpointFiles
    device : torch.device
    dtype : torch.dtype

    Returns
    -------
    Encoder
    """
    checkpoint = load_checkpoint(files)
    backend = choose_backend(checkpoint, device, dtype)
    return Encoder(
        backend, checkpoint.tokenizer, checkpoint.architecture, device, dtype
    )


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


def _first_matching_backend(checkpoint: Checkpoint) -> ModuleBackend | FusedBackend:
    """Try the backends on the CPU in the number format of the weights."""
    model: Any = checkpoint.model
    dtype = _own_dtype(checkpoint)
    attention = attention_of(model)
    padded = PaddedBackend(checkpoint, _CPU, dtype)
    sequences = _self_test_sequences(checkpoint)
    layers = tuple(range(checkpoint.architecture.n_layers + 1))
    expected = _one_by_one(padded, sequences, layers)
    if not checkpoint.is_fine_tuned:
        _check_reads_both_ways(padded, sequences, layers[-1], expected[-1])
    batch = collate(sequences, range(len(sequences.ids)))
    kinds = (FusedBackend, FlatBackend, PaddedBackend)
    for kind in kinds if _attends_everywhere(model.config) else kinds[-1:]:
        try:
            backend = kind(checkpoint, _CPU, dtype)
            if _is_close(_all_states(backend, batch, layers), expected):
                return backend
        # A model that a backend does not know can fail in any way.
        except Exception:
            pass
        _set_attention(model, attention)
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

    Some models write the lowest number of their weights' format into numbers of another
    one, which does not hold it.
    """
    sequences = _self_test_sequences(checkpoint)
    batch = collate(sequences, range(len(sequences.ids))).to(device)
    top = (checkpoint.architecture.n_layers,)
    try:
        (states,) = _all_states(backend, batch, top, dtype)
    except RuntimeError:
        return False
    return bool(torch.isfinite(states).all())


def _own_dtype(checkpoint: Checkpoint) -> torch.dtype:
    return next(checkpoint.model.parameters()).dtype


def _attends_everywhere(config: Any) -> bool:
    """Tell whether every token may attend to every other, however far away.

    A short self-test cannot show what happens only to long texts.
    """
    return not any(getattr(config, name, None) for name in _LOCAL)


def _one_by_one(
    backend: Backend, sequences: TokenSequences, layers: tuple[int, ...]
) -> list[Tensor]:
    """Return every layer's states of sequences that never met."""
    try:
        states = [
            _all_states(backend, collate(sequences, [row]), layers)
            for row in range(len(sequences.ids))
        ]
    # transformers' models fail in many ways on a configuration that they do not like.
    except Exception as error:
        raise CheckpointError(
            f"model must be an encoder that transformers can run. It failed with: "
            f"{error}. Choose another encoder such as BERT, RoBERTa or MiniLM."
        ) from error
    return [torch.cat(layer) for layer in zip(*states, strict=True)]


def _check_reads_both_ways(
    backend: Backend, sequences: TokenSequences, last: int, expected: Tensor
) -> None:
    """Refuse a model whose first token does not see the last one."""
    ids = [*sequences.ids[0][:-1], sequences.ids[0][0]]
    changed = replace(sequences, ids=[ids, *sequences.ids[1:]])
    states = _all_states(backend, collate(changed, [0]), (last,))
    if torch.equal(states[0][0], expected[0]):
        raise CheckpointError(
            "model must be an encoder, which reads a text in both directions. Got one "
            "whose first token does not see the last. Choose an encoder such as BERT, "
            "RoBERTa or MiniLM."
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


def _is_close(states: list[Tensor], expected: list[Tensor]) -> bool:
    return all(
        torch.allclose(a, b, rtol=0.0, atol=_TOLERANCE * float(b.abs().max()))
        for a, b in zip(states, expected, strict=True)
    )


def _self_test_sequences(checkpoint: Checkpoint) -> TokenSequences:
    """Return four sequences whose mixing or misplacing would show."""
    model: Any = checkpoint.model
    vocab_size = model.get_input_embeddings().weight.shape[0]
    # The first ids are control tokens, padding among them.
    first = min(5, vocab_size - 1)
    generator = torch.Generator().manual_seed(0)
    longest = checkpoint.architecture.max_positions
    lengths = [min(n, longest) for n in (9, 5, 5, 3)]
    has_segments = checkpoint.architecture.has_segments
    return TokenSequences(
        ids=[
            torch.randint(first, vocab_size, (n,), generator=generator).tolist()
            for n in lengths
        ],
        second_starts=[2] * len(lengths) if has_segments else None,
        text_index=list(range(len(lengths))),
    )
