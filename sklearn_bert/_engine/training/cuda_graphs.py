"""Training steps that a GPU repeats by itself, as CUDA graphs.

A step of a small model is some five hundred short kernels, which Python starts one by
one in several times the time that the GPU takes for them. A CUDA graph starts them all
at once, but always on tensors of the same shapes at the same places. So batches are
filled up to one of a few sizes. The first batch of a size is computed as usual, the
second is recorded, and that one and all further ones are copied into the place of the
recorded one and replayed. AdamW's step is one graph for all sizes; the rows of the
words' embeddings, whose number changes, are moved outside.
"""

import gc
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from sklearn_bert._engine.encoding.attention import varlen_attention_works
from sklearn_bert._engine.encoding.batch import Batch
from sklearn_bert._engine.encoding.readout import PooledReadout, Readout
from sklearn_bert._engine.runtime.memory import release_memory
from sklearn_bert._engine.training.batches import TrainingBatch
from sklearn_bert._engine.training.clipping import clip_factor
from sklearn_bert._engine.training.model.fused import TrainableFusedBackend
from sklearn_bert._engine.training.model.trainable import TrainableEncoder
from sklearn_bert._engine.training.shape_buckets import pad_to_bucket

# Tokens of a batch, not filled up. Larger ones keep a GPU busy by themselves.
LARGEST = 8192
# Of trainings that run in several threads.
_ONE_AT_A_TIME = threading.Lock()
# Graphs that could not be ended: torch may still ask them what they record.
_SPOILT: list[Any] = []


@dataclass(frozen=True)
class _Recording:
    """The graph of one size, and the tensors that it reads and writes.

    Attributes
    ----------
    graph : torch.cuda.CUDAGraph
    part : TrainingBatch
    leaf : Tensor of shape (n_tokens, size), or None
        For the rows of the words' embeddings that a batch uses, with their gradients.
    gradients : list of Tensor or None
        Of what else is trained; None of what the loss does not depend on.
    """

    graph: Any
    part: TrainingBatch
    leaf: Tensor | None
    gradients: list[Tensor | None]


class CudaGraphSteps:
    """The graphs of one training.

    Parameters
    ----------
    trainable : TrainableEncoder
    tensors : list of Tensor
        All that is trained, but for the words' embeddings.
    adamw : torch.optim.AdamW
        Of these tensors, and capturable.
    forward : callable
        Returns the sum of the losses of a batch.
    batch_size : int
        Texts of a batch; those of another number are not recorded.

    Attributes
    ----------
    has_gradients : bool
        Whether the gradients of the moment, clipped already, come from a graph.
    n_replayed : int
        Number of batches whose gradients did.
    """

    def __init__(
        self,
        trainable: TrainableEncoder,
        tensors: list[Tensor],
        adamw: torch.optim.AdamW,
        forward: Callable[[TrainingBatch], Tensor],
        batch_size: int,
    ) -> None:
        self._trainable = trainable
        self._token_embedding = trainable.token_embedding
        self._tensors = tensors
        self._adamw = adamw
        self._forward = forward
        self._batch_size = batch_size
        self._device = trainable.encoder.device
        self._pool = torch.cuda.graph_pool_handle()
        self._seen: set[tuple[int, ...]] = set()
        self._recordings: dict[tuple[int, ...], _Recording] = {}
        self._update: Any = None
        self._has_failed = False
        # Outside the memory that the graphs share, so that none writes over them.
        self._buffers: list[Tensor] = []
        self._loss_and_norm = torch.zeros(2, dtype=torch.float32, device=self._device)
        rates = [group["full_rate"] for group in adamw.param_groups]
        # In the one number format in which fused AdamW reads a tensor.
        self._full_rates = torch.tensor(rates, dtype=torch.float32, device=self._device)
        self._rates = torch.zeros_like(self._full_rates)
        self.has_gradients = False
        self.n_replayed = 0

    @property
    def holds_memory(self) -> bool:
        """Whether there is memory that only recordings can use."""
        return bool(self._buffers)

    def pad_if_recorded(self, part: TrainingBatch) -> TrainingBatch:
        """Fill a batch up, if it is one that may be recorded."""
        n_texts, n_tokens = len(part.batch.lengths), len(part.batch.input_ids)
        is_recorded = part.owners is None and n_texts == self._batch_size
        if self._has_failed or not is_recorded or n_tokens >= LARGEST:
            return part
        return pad_to_bucket(part)

    def accumulate(
        self, parts: list[TrainingBatch], rows: Tensor
    ) -> tuple[float, float] | None:
        """Put the gradients of a batch where the optimiser looks for them.

        Parameters
        ----------
        parts : list of TrainingBatch
            Of the batch, on the device; only one that is whole is recorded.
        rows : Tensor of shape (n_rows,), int64
            The token ids that it uses.

        Returns
        -------
        tuple of two floats, or None
            The mean loss, and the norm of the gradients before they were clipped. None
            if the batch is to be computed as usual.
        """
        self.has_gradients = False
        part = parts[0]
        recording = self._find(part, rows) if len(parts) == 1 else None
        if recording is None:
            return None
        for kept, given in zip(
            _tensors_of(recording.part), _tensors_of(part), strict=True
        ):
            kept.copy_(given)
        if self._token_embedding is not None:
            self._token_embedding.take(rows, recording.leaf)
        recording.graph.replay()
        for tensor, gradient in zip(self._tensors, recording.gradients, strict=True):
            tensor.grad = gradient
        self.has_gradients = True
        self.n_replayed += 1
        # The one time in a step that the CPU waits for the device.
        loss, norm = self._loss_and_norm.tolist()
        return loss, norm

    def update(self, factor: float) -> None:
        """Let AdamW move the tensors by ``factor`` times their learning rates."""
        if self._update is None and not self._has_failed:
            self._update = self._try(self._record_update)
        if self._update is None:
            self._adamw.step()
            return
        torch.mul(self._full_rates, factor, out=self._rates)
        self._update.replay()

    def _find(self, part: TrainingBatch, rows: Tensor) -> _Recording | None:
        """Return the recording of a batch's size, made now if it is the second one."""
        is_filled = part.owners is None and len(part.batch.lengths) > self._batch_size
        if self._has_failed or not is_filled:
            return None
        size = (len(part.batch.input_ids), part.batch.lengths[0], len(part.weights))
        if size not in self._seen:
            self._seen.add(size)
            return None
        if size not in self._recordings:
            recording = self._try(lambda: self._note_checkpoint(part, rows))
            if recording is None:
                return None
            self._recordings[size] = recording
        return self._recordings[size]

    def _try(self, record: Callable[[], Any]) -> Any:
        """Return what is recorded; None, and record no more, where that fails."""
        try:
            return record()
        # Whatever cannot be recorded, and memory that is short.
        except RuntimeError:
            self._has_failed = True
        self._recordings.clear()
        self._buffers = []
        self._update = None
        self._trainable.dropout.renew()
        # Gradients that were not finished refer to each other, and would be gone on
        # with by the next backward pass.
        gc.collect()
        release_memory(self._device)
        return None

    def _note_checkpoint(self, part: TrainingBatch, rows: Tensor) -> _Recording:
        """Record how the gradients of a batch are computed."""
        if not self._buffers:
            self._buffers = [torch.zeros_like(tensor) for tensor in self._tensors]
        kept, leaf = _clone(part), None
        tensors, buffers = list(self._tensors), list(self._buffers)
        if self._token_embedding is not None:
            width = self._token_embedding.weight.shape[1]
            leaf = self._token_embedding.weight.new_zeros(
                (len(part.batch.input_ids), width)
            )
            buffers.append(torch.zeros_like(leaf))
            leaf.requires_grad_().grad = buffers[-1]
            self._token_embedding.take(rows, leaf)
            tensors.append(leaf)
        with self._recording() as graph:
            loss = self._forward(kept) / self._batch_size
            found = torch.autograd.grad(loss, tensors, allow_unused=True)
            norm = self._keep_clipped(found, buffers)
            self._loss_and_norm.copy_(torch.stack([loss.detach(), norm]))
            is_used = [one is not None for one in found]
        gradients = [
            buffer if used else None
            for buffer, used in zip(self._buffers, is_used, strict=False)
        ]
        return _Recording(graph, kept, leaf, gradients)

    @staticmethod
    def _keep_clipped(
        gradients: Sequence[Tensor | None], buffers: list[Tensor]
    ) -> Tensor:
        """Copy gradients, those that there are, and clip them; return their norm."""
        pairs = zip(gradients, buffers, strict=True)
        found, kept = zip(*((a, b) for a, b in pairs if a is not None), strict=True)
        norm = nn.utils.get_total_norm(found)
        torch._foreach_copy_(kept, found)
        torch._foreach_mul_(kept, clip_factor(norm))
        return norm

    def _record_update(self) -> Any:
        """Record a step of AdamW on the gradients, at the rates in ``_rates``."""
        groups = self._adamw.param_groups
        rates = [group["lr"] for group in groups]
        try:
            for group, rate in zip(groups, self._rates.unbind(), strict=True):
                group["lr"] = rate
            with self._recording() as graph:
                self._adamw.step()
        finally:
            for group, rate in zip(groups, rates, strict=True):
                group["lr"] = rate
        return graph

    @contextmanager
    def _recording(self) -> Iterator[Any]:
        """Record what is started in this context, and do not run it."""
        # While torch records, it does not look for memory that it could give back.
        release_memory(self._device)
        current = torch.cuda.current_stream(self._device)
        with _ONE_AT_A_TIME:
            stream = _recording_stream(self._device)
            stream.wait_stream(current)
            with torch.cuda.stream(stream):
                _take_workspaces(self._device)
                graph = torch.cuda.CUDAGraph()
                self._trainable.dropout.register(graph)
                # Other threads, such as the one that prepares batches, just go on.
                graph.capture_begin(self._pool, capture_error_mode="thread_local")
                try:
                    yield graph
                except BaseException:
                    with suppress(RuntimeError):
                        self._end(graph)
                    raise
                self._end(graph)
            # What prepares a recording runs there, and a replay must not overtake it.
            current.wait_stream(stream)

    def _end(self, graph: Any) -> None:
        """End a recording; one that cannot be ended must not spoil what follows."""
        try:
            graph.capture_end()
        except RuntimeError:
            _SPOILT.append(graph)
            index = self._device.index
            # Else torch would go on to take memory from the recording's share.
            with suppress(AttributeError, RuntimeError, TypeError):
                torch._C._cuda_endAllocateToPool(index, self._pool)
            # Every recording takes part in the process's own generator, which would
            # refuse to draw until the recording ends.
            generator = torch.cuda.default_generators[index]
            generator.graphsafe_set_state(generator.clone_state())
            raise


def make_cuda_graph_steps(
    trainable: TrainableEncoder,
    tensors: list[Tensor],
    adamw: torch.optim.AdamW,
    forward: Callable[[TrainingBatch], Tensor],
    batch_size: int,
    readout: Readout,
) -> CudaGraphSteps | None:
    """Return the graphs of a training; None where nothing can be recorded.

    Parameters are those of :class:`CudaGraphSteps`, and the readout of ``forward``.
    """
    encoder = trainable.encoder
    if encoder.device.type != "cuda" or torch.is_anomaly_enabled():
        return None
    # Products of all trainings share a piece of memory, which takes one stream.
    streams = torch.cuda.current_stream, torch.cuda.default_stream
    if len({stream(encoder.device) for stream in streams}) > 1:
        return None
    # Elsewhere the number of kernels depends on the lengths of the texts.
    is_one_call = isinstance(encoder.backend, TrainableFusedBackend) and (
        varlen_attention_works(
            encoder.device,
            encoder.autocast_dtype or encoder.dtype,
            encoder.backend.head_size,
        )
    )
    if not is_one_call or readout == PooledReadout("max"):
        return None
    return CudaGraphSteps(trainable, tensors, adamw, forward, batch_size)


@cache
def _recording_stream(device: torch.device) -> Any:
    """Return the stream on which graphs are recorded, one for the whole process."""
    return torch.cuda.Stream(device)


@torch.enable_grad()
def _take_workspaces(device: torch.device) -> None:
    """Let products take the memory that they keep for a stream and a thread.

    They would take it while a graph is recorded, out of the memory of the graphs.
    """
    for dtype in (torch.float32, torch.bfloat16):
        x = torch.ones((16, 16), device=device, dtype=dtype, requires_grad=True)
        nn.functional.linear(x, x, x[0]).sum().backward()


def _tensors_of(part: TrainingBatch) -> list[Tensor]:
    batch = part.batch
    given = (
        *(batch.boundaries, batch.input_ids, batch.positions, batch.segments),
        *(batch.word_positions, part.targets, part.weights),
    )
    return [one for one in given if one is not None]


def _clone(part: TrainingBatch) -> TrainingBatch:
    def copy(one: Tensor | None) -> Tensor | None:
        return None if one is None else one.clone()

    batch = part.batch
    return TrainingBatch(
        Batch(
            batch.lengths,
            batch.boundaries.clone(),
            batch.input_ids.clone(),
            batch.positions.clone(),
            copy(batch.segments),
            copy(batch.word_positions),
        ),
        None,
        part.n_texts,
        part.targets.clone(),
        part.weights.clone(),
    )
