"""What a backend is, and those that run transformers' own modules."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from threading import local
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from sklearn_bert._engine.checkpoints.load import Checkpoint
from sklearn_bert._engine.encoding.attention import flat_attention
from sklearn_bert._engine.encoding.batch import Batch
from sklearn_bert._engine.runtime.quiet import quietly

_FLAT = "sklearn_bert_flat"


class Backend(Protocol):
    """One way to run an encoder."""

    def hidden_states(
        self, batch: Batch, layers: tuple[int, ...], *, only_first: bool
    ) -> list[Tensor]:
        """Return the layers' states of all tokens, or of the first ones."""


class UnsuitableModelError(Exception):
    """A backend cannot run the model; another one may."""


class ModuleBackend:
    """What the backends that run transformers' own modules share."""

    def __init__(
        self, checkpoint: Checkpoint, device: torch.device, dtype: torch.dtype
    ) -> None:
        self._model: Any = checkpoint.model.to(device, dtype)
        self._first_position = checkpoint.architecture.first_position
        self._has_segments = checkpoint.architecture.has_segments
        self._start: MiddleStart | None = None

    def start_above(self, layers: Sequence[nn.Module]) -> None:
        """Make it possible to start from the states after these lowest layers."""
        self._start = MiddleStart(layers)

    def hidden_states(
        self, batch: Batch, layers: tuple[int, ...], *, only_first: bool
    ) -> list[Tensor]:
        """Return the layers' states of all tokens, or of the first ones."""
        if batch.states is None:
            states = self._run(batch, layers)
        else:
            assert self._start is not None
            with self._start.passing_on(self._shape(batch.states, batch)):
                states = self._run(batch, layers)
        if only_first:
            return [state[batch.first_tokens] for state in states]
        return states

    def _run(self, batch: Batch, layers: tuple[int, ...]) -> list[Tensor]:
        """Return the layers' states of all tokens."""
        raise NotImplementedError

    def _shape(self, flat: Tensor, batch: Batch) -> Tensor:
        """Return (T, ...) in the shape of the modules' inputs."""
        raise NotImplementedError


class MiddleStart:
    """Lets transformers' modules start from the states after their lowest layers.

    These layers then return the states instead of computing anything. Threads that run
    the modules at the same time have states of their own.

    Parameters
    ----------
    layers : sequence of nn.Module
        Their calls are changed.
    """

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        self._given = local()
        # How many outputs a layer returns besides the states; None without a tuple.
        self._n_extra_outputs: int | None = None
        for layer in layers:
            layer.forward = self._change(layer.forward)

    @contextmanager
    def passing_on(self, states: Tensor) -> Iterator[None]:
        """Let the layers return ``states``, after a call that has computed them."""
        self._given.states = states
        try:
            yield
        finally:
            self._given.states = None

    def _change(self, forward: Callable[..., Any]) -> Callable[..., Any]:
        def pass_on(*args: Any, **kwargs: Any) -> Any:
            states = getattr(self._given, "states", None)
            if states is None:
                output = forward(*args, **kwargs)
                is_tuple = isinstance(output, tuple)
                self._n_extra_outputs = len(output) - 1 if is_tuple else None
                return output
            if self._n_extra_outputs is None:
                return states
            return states, *[None] * self._n_extra_outputs

        return pass_on


class FlatBackend(ModuleBackend):
    """transformers' modules over flat batches, through its attention interface."""

    def __init__(
        self, checkpoint: Checkpoint, device: torch.device, dtype: torch.dtype
    ) -> None:
        from transformers import AttentionInterface

        super().__init__(checkpoint, device, dtype)
        # A name without a mask function of its own gets no mask, as flat batches need.
        AttentionInterface.register(_FLAT, _attend_flat)
        set_attention(self._model, _FLAT)

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
        output = self._model(
            **{name: self._shape(x, batch) for name, x in inputs.items()},
            output_hidden_states=True,
            attend=self._plan(batch),
        )
        states = states_of(output)
        return [states[layer][0, :n_tokens] for layer in layers]

    def _shape(self, flat: Tensor, batch: Batch) -> Tensor:
        return _repeat_first(flat, self._n_rows(len(flat)) - len(flat))[None]

    def _n_rows(self, n_tokens: int) -> int:
        """Return to how many rows a batch is padded."""
        return n_tokens

    def _plan(self, batch: Batch) -> Any:
        """Return the attention of all layers, as ``flat_attention`` without batch."""
        return partial(flat_attention, batch=batch)


def set_attention(model: Any, name: str) -> None:
    # Models that do not take their attention by name log it, and keep their own.
    with quietly():
        model.set_attn_implementation(name)


def _repeat_first(x: Tensor, n_more: int) -> Tensor:
    """Append the first one of (T, ...) so many times."""
    return x if n_more == 0 else torch.cat([x, x[:1].expand(n_more, *x.shape[1:])])


def states_of(output: Any) -> list[Tensor]:
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
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    # As in flash attention: the first distance that is too far.
    reach = None if sliding_window is None else sliding_window - 1
    # Several heads may share their keys and values.
    n_sharing = query.shape[1] // key.shape[1]
    key, value = (x.repeat_interleave(n_sharing, dim=1) for x in (key, value))
    q, k, v = (x[0].transpose(0, 1) for x in (query, key, value))
    return attend(q, k, v, scale=scale, reach=reach)[None], None


class PaddedBackend(ModuleBackend):
    """transformers' modules over padded batches, sorted by length beforehand."""

    def _run(self, batch: Batch, layers: tuple[int, ...]) -> list[Tensor]:
        inputs = {
            "input_ids": self._shape(batch.input_ids, batch),
            "attention_mask": self._shape(torch.ones_like(batch.input_ids), batch),
        }
        if self._has_segments and batch.segments is not None:
            inputs["token_type_ids"] = self._shape(batch.segments, batch)
        output = self._model(**inputs, output_hidden_states=True)
        states = states_of(output)
        places = _places(batch)
        return [states[layer].flatten(0, 1).index_select(0, places) for layer in layers]

    def _shape(self, flat: Tensor, batch: Batch) -> Tensor:
        """Put (T, ...) into (n, longest, ...); zeros elsewhere."""
        shape = len(batch.lengths), batch.lengths[0], *flat.shape[1:]
        padded = flat.new_zeros(shape)
        padded.flatten(0, 1).index_copy_(0, _places(batch), flat)
        return padded


def _places(batch: Batch) -> Tensor:
    """Return where each token is in the padded batch, row after row: (T,), int64.

    Made of what is on the device already, so that nobody waits for it.
    """
    longest, n_tokens = batch.lengths[0], len(batch.input_ids)
    rows = torch.arange(len(batch.lengths), device=batch.boundaries.device)
    row_starts = (rows * longest).repeat_interleave(
        batch.boundaries.diff(), output_size=n_tokens
    )
    return row_starts + batch.positions
