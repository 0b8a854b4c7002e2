"""Training steps that a GPU repeats by itself, as CUDA graphs.

A step of a small model is about five hundred short kernels. Python takes several times
as long to start them as the GPU to run them. A CUDA graph starts them all at once, but
always on tensors of the same shapes at the same addresses. So batches are padded to one
of a few sizes. The first batch of a size is computed as usual, the second is recorded,
and that one and all later ones are copied into the tensors of the recording and
replayed. AdamW's step is one graph for all sizes; the rows of the token embedding are
updated outside, since their number changes.
"""

import gc
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from sklearn_bert._engine.compat.torch_private import copy_all, multiply_all
from sklearn_bert._engine.encoding.attention import varlen_attention_works
from sklearn_bert._engine.encoding.readout import PooledReadout
from sklearn_bert._engine.runtime.memory import release_memory
from sklearn_bert._engine.training.batches import TrainingBatch
from sklearn_bert._engine.training.graph_recorder import GraphRecorder
from sklearn_bert._engine.training.model.dropout import Dropout
from sklearn_bert._engine.training.model.fused import TrainableFusedBackend
from sklearn_bert._engine.training.model.supervised import SupervisedModel
from sklearn_bert._engine.training.optimizer import clip_factor
from sklearn_bert._engine.training.shape_buckets import pad_to_bucket
from sklearn_bert._engine.training.step_runner import PlainStepRunner, Step

_LOGGER = logging.getLogger("sklearn_bert")

# Tokens of a batch before padding. Larger ones keep a GPU busy without graphs.
LARGEST = 8192


@dataclass(frozen=True)
class _Recording:
    """The graph of one size, and the tensors that it reads and writes.

    Attributes
    ----------
    graph : torch.cuda.CUDAGraph
    part : TrainingBatch
    leaf : Tensor of shape (n_tokens, size), or None
        For the rows of the token embedding that a batch uses, with their gradients.
    gradients : list of Tensor or None
        Of the other trained tensors; None where the loss does not depend on one.
    """

    graph: Any
    part: TrainingBatch
    leaf: Tensor | None
    gradients: list[Tensor | None]


class CudaGraphRunner:
    """Replays each step as a CUDA graph, once its size has been recorded.

    Parameters
    ----------
    plain : PlainStepRunner
        Runs the steps that are not recorded.
    dropout : Dropout
        The model's.
    batch_size : int
        Texts of a batch; those of another number are not recorded.

    Attributes
    ----------
    n_replayed : int
        Number of batches whose gradients came from a graph.
    """

    def __init__(
        self, plain: PlainStepRunner[TrainingBatch], dropout: Dropout, batch_size: int
    ) -> None:
        self._plain = plain
        self._optimizer = plain.optimizer
        self._token_embedding = plain.optimizer.token_embedding
        self._dropout = dropout
        self._batch_size = batch_size
        self._device = device = plain.optimizer.device
        self._recorder = GraphRecorder(device, dropout)
        self._seen: set[tuple[int, ...]] = set()
        self._recordings: dict[tuple[int, ...], _Recording] = {}
        self._adamw_graph: Any = None
        self._has_given_up = False
        # Whether the current gradients, clipped already, come from a graph.
        self._has_gradients = False
        # Outside the pool that the graphs share, so that none writes over them.
        self._buffers: list[Tensor] = []
        self._loss_and_norm = torch.zeros(2, dtype=torch.float32, device=device)
        groups = plain.optimizer.adamw.param_groups
        rates = [group["full_rate"] for group in groups]
        # In the one dtype in which fused AdamW reads a tensor.
        self._full_rates = torch.tensor(rates, dtype=torch.float32, device=device)
        self._rates = torch.zeros_like(self._full_rates)
        self.n_replayed = 0

    def pad(self, part: TrainingBatch) -> TrainingBatch:
        """Pad a batch, if it is one that may be recorded."""
        n_texts, n_tokens = len(part.batch.lengths), len(part.batch.input_ids)
        is_recorded = part.owners is None and n_texts == self._batch_size
        if self._has_given_up or not is_recorded or n_tokens >= LARGEST:
            return part
        return pad_to_bucket(part)

    def accumulate(self, step: Step[TrainingBatch]) -> tuple[float, float]:
        """Put the gradients of a step where the optimizer looks for them."""
        recording = self._find(step)
        self._has_gradients = recording is not None
        if recording is None:
            return self._plain.accumulate(step)
        for kept, given in zip(
            _tensors_of(recording.part), _tensors_of(step.parts[0]), strict=True
        ):
            kept.copy_(given)
        self._take_rows(step, recording.leaf)
        recording.graph.replay()
        for tensor, gradient in zip(
            self._optimizer.tensors, recording.gradients, strict=True
        ):
            tensor.grad = gradient
        self.n_replayed += 1
        # The one time in a step that the CPU waits for the device.
        loss, norm = self._loss_and_norm.tolist()
        return loss, norm

    def update(self, norm: float, factor: float) -> None:
        """Move the weights by ``factor`` times the learning rate."""
        if not self._has_gradients:
            self._plain.update(norm, factor)
            return
        self._optimizer.scale_rates(factor)
        if self._adamw_graph is None and not self._has_given_up:
            self._adamw_graph = self._try(self._record_adamw)
        if self._adamw_graph is None:
            self._optimizer.adamw.step()
        else:
            torch.mul(self._full_rates, factor, out=self._rates)
            self._adamw_graph.replay()
        self._optimizer.step_rows(factor)

    def free_memory(self) -> bool:
        """Drop all recordings, and make no more; tell whether there were some."""
        if not self._buffers:
            return False
        self._give_up()
        return True

    def _find(self, step: Step[TrainingBatch]) -> _Recording | None:
        """Return the recording of a step's size, made now if it is the second one."""
        part = step.parts[0]
        is_padded = part.owners is None and len(part.batch.lengths) > self._batch_size
        if self._has_given_up or len(step.parts) > 1 or not is_padded:
            return None
        size = (len(part.batch.input_ids), part.batch.lengths[0], len(part.weights))
        if size not in self._seen:
            self._seen.add(size)
            return None
        if size not in self._recordings:
            recording = self._try(lambda: self._record_gradients(step))
            if recording is None:
                return None
            self._recordings[size] = recording
        return self._recordings[size]

    def _try(self, record: Callable[[], Any]) -> Any:
        """Return a recording; None if it fails, after which none is tried again."""
        try:
            return record()
        # Whatever cannot be recorded, and memory that is short.
        except RuntimeError as error:
            # As text, since the error holds tensors.
            _LOGGER.debug("Training continues without CUDA graphs: %s", str(error))
        self._give_up()
        self._dropout.renew()
        # Gradients that were not finished refer to each other, and the next backward
        # pass would continue with them.
        gc.collect()
        release_memory(self._device)
        return None

    def _give_up(self) -> None:
        self._has_given_up = True
        self._recordings.clear()
        self._buffers = []
        self._adamw_graph = None

    def _record_gradients(self, step: Step[TrainingBatch]) -> _Recording:
        """Record how the gradients of a step are computed."""
        optimizer = self._optimizer
        if not self._buffers:
            self._buffers = [torch.zeros_like(tensor) for tensor in optimizer.tensors]
        kept, leaf = step.parts[0].map(torch.clone), None
        tensors, buffers = list(optimizer.tensors), list(self._buffers)
        if self._token_embedding is not None:
            width = self._token_embedding.weight.shape[1]
            leaf = self._token_embedding.weight.new_zeros(
                (len(kept.batch.input_ids), width)
            )
            buffers.append(torch.zeros_like(leaf))
            leaf.requires_grad_().grad = buffers[-1]
            self._take_rows(step, leaf)
            tensors.append(leaf)
        with self._recorder.recording() as graph:
            loss = self._plain.sum_losses(kept) / self._batch_size
            found = torch.autograd.grad(loss, tensors, allow_unused=True)
            norm = self._keep_clipped(found, buffers)
            self._loss_and_norm.copy_(torch.stack([loss.detach(), norm]))
            is_used = [one is not None for one in found]
        gradients = [
            buffer if used else None
            for buffer, used in zip(self._buffers, is_used, strict=False)
        ]
        return _Recording(graph, kept, leaf, gradients)

    def _take_rows(self, step: Step[TrainingBatch], leaf: Tensor | None) -> None:
        if self._token_embedding is not None and step.token_ids is not None:
            self._token_embedding.take(step.token_ids, leaf)

    @staticmethod
    def _keep_clipped(
        gradients: Sequence[Tensor | None], buffers: list[Tensor]
    ) -> Tensor:
        """Copy the gradients that there are, and clip them; return their norm."""
        pairs = zip(gradients, buffers, strict=True)
        found, kept = zip(*((a, b) for a, b in pairs if a is not None), strict=True)
        norm = nn.utils.get_total_norm(found)
        copy_all(kept, found)
        multiply_all(kept, clip_factor(norm))
        return norm

    def _record_adamw(self) -> Any:
        """Record a step of AdamW on the gradients, at the rates in ``_rates``."""
        adamw = self._optimizer.adamw
        rates = [group["lr"] for group in adamw.param_groups]
        try:
            for group, rate in zip(
                adamw.param_groups, self._rates.unbind(), strict=True
            ):
                group["lr"] = rate
            with self._recorder.recording() as graph:
                adamw.step()
        finally:
            for group, rate in zip(adamw.param_groups, rates, strict=True):
                group["lr"] = rate
        return graph


def why_not_recorded(model: SupervisedModel) -> str | None:
    """Return why the steps of a training on a GPU cannot be recorded, None if they can.

    Parameters
    ----------
    model : SupervisedModel
    """
    encoder = model.trainable.encoder
    if torch.is_anomaly_enabled():
        return "autograd looks for anomalies"
    # Matrix products of all trainings share a workspace, which takes one stream.
    streams = torch.cuda.current_stream, torch.cuda.default_stream
    if len({stream(encoder.device) for stream in streams}) > 1:
        return "the current stream is not the default one"
    # Elsewhere the number of kernels depends on the lengths of the texts.
    if not isinstance(encoder.backend, TrainableFusedBackend):
        return "the layers of the model are not laid out as BERT's"
    dtype = encoder.autocast_dtype or encoder.dtype
    if not varlen_attention_works(encoder.device, dtype, encoder.backend.head_size):
        return f"the device has no attention kernel for {dtype} and texts of any length"
    if model.readout == PooledReadout("max"):
        return "the kernels of max pooling depend on the lengths of the texts"
    return None


def _tensors_of(part: TrainingBatch) -> list[Tensor]:
    fields = (*vars(part.batch).values(), *vars(part).values())
    return [one for one in fields if isinstance(one, Tensor)]
