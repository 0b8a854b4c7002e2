"""Training steps that are recorded and replayed as CUDA graphs.

A step of a small model launches about five hundred short kernels. Launching them from
Python takes several times as long as running them. A CUDA graph launches all of them at
once, but needs tensors of the same shapes at the same addresses in each step. Batches
are therefore padded to a few sizes. The first batch of a size is computed without a
graph. The second one is recorded. This one and all later ones are copied into the
recorded tensors and replayed. A step of AdamW is one graph for all sizes. The rows of
the token embedding are updated without a graph, since their number varies.
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
from sklearn_bert._engine.encoding.pooling import modes_of
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

# Batches of this many tokens, before padding, keep a GPU busy without graphs.
LARGEST = 8192


@dataclass(frozen=True)
class _Recording:
    """The graph for one size of batches, and the tensors that it reads and writes.

    Attributes
    ----------
    graph : torch.cuda.CUDAGraph
    part : TrainingBatch
    leaf : Tensor of shape (n_tokens, size), or None
        The rows of the token embedding that a batch uses, with their gradients.
    gradients : list of Tensor or None
        Gradients of the other tensors; None if the loss does not depend on a tensor.
    """

    graph: Any
    part: TrainingBatch
    leaf: Tensor | None
    gradients: list[Tensor | None]


class CudaGraphRunner:
    """Replays each step as a CUDA graph once its size has been recorded.

    Parameters
    ----------
    plain : PlainStepRunner
        Runs the steps that are not recorded.
    dropout : Dropout
        Dropout of the model.
    batch_size : int
        Texts per batch. Only batches of this many texts are recorded.

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
        # Whether the current gradients come from a graph, which has also clipped them.
        self._has_gradients = False
        # Allocated outside the memory pool of the graphs, so that none overwrites them.
        self._buffers: list[Tensor] = []
        self._loss_and_norm = torch.zeros(2, dtype=torch.float32, device=device)
        groups = plain.optimizer.adamw.param_groups
        rates = [group["full_rate"] for group in groups]
        # Fused AdamW reads learning rates from tensors only in float32.
        self._full_rates = torch.tensor(rates, dtype=torch.float32, device=device)
        self._rates = torch.zeros_like(self._full_rates)
        self.n_replayed = 0

    def pad(self, part: TrainingBatch) -> TrainingBatch:
        """Pad a batch that may be recorded; return any other one unchanged."""
        n_texts, n_tokens = len(part.batch.lengths), len(part.batch.input_ids)
        is_recorded = part.owners is None and n_texts == self._batch_size
        if self._has_given_up or not is_recorded or n_tokens >= LARGEST:
            return part
        return pad_to_bucket(part)

    def accumulate(self, step: Step[TrainingBatch]) -> tuple[float, float]:
        """Compute the gradients of a step; return mean loss and gradient norm."""
        recording = self._find(step)
        self._has_gradients = recording is not None
        if recording is None:
            return self._plain.accumulate(step)
        for kept, given in zip(
            _tensors_of(recording.part), _tensors_of(step.parts[0][0]), strict=True
        ):
            kept.copy_(given)
        self._take_rows(step, recording.leaf)
        recording.graph.replay()
        for tensor, gradient in zip(
            self._optimizer.tensors, recording.gradients, strict=True
        ):
            tensor.grad = gradient
        self.n_replayed += 1
        # The only time in a step that the CPU waits for the device.
        loss, norm = self._loss_and_norm.tolist()
        return loss, norm

    def update(self, norm: float, factor: float) -> None:
        """Update the weights with ``factor`` times the learning rate."""
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
        """Drop all recordings and stop recording; return whether this frees memory."""
        if not self._buffers:
            return False
        self._give_up()
        return True

    def _find(self, step: Step[TrainingBatch]) -> _Recording | None:
        """Return the recording for the size of a step; the second step makes it."""
        part = step.parts[0][0]
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
        """Return a recording. If it fails, return None and stop recording."""
        try:
            return record()
        # An operation that cannot be recorded, or too little memory.
        except RuntimeError as error:
            # Formatted here, since the error refers to tensors.
            _LOGGER.debug("Training continues without CUDA graphs: %s", str(error))
        self._give_up()
        self._dropout.renew()
        # Incomplete gradients are in reference cycles. If they are not collected, the
        # next backward pass continues with them.
        gc.collect()
        release_memory(self._device)
        return None

    def _give_up(self) -> None:
        self._has_given_up = True
        self._recordings.clear()
        self._buffers = []
        self._adamw_graph = None

    def _record_gradients(self, step: Step[TrainingBatch]) -> _Recording:
        """Record the computation of the gradients of a step."""
        optimizer = self._optimizer
        if not self._buffers:
            self._buffers = [torch.zeros_like(tensor) for tensor in optimizer.tensors]
        kept, leaf = step.parts[0][0].map(torch.clone), None
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
            norm = self._copy_clipped(found, buffers)
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
    def _copy_clipped(
        gradients: Sequence[Tensor | None], buffers: list[Tensor]
    ) -> Tensor:
        """Copy the gradients that are not None, and clip them; return their norm."""
        pairs = zip(gradients, buffers, strict=True)
        found, kept = zip(*((a, b) for a, b in pairs if a is not None), strict=True)
        norm = nn.utils.get_total_norm(found)
        copy_all(kept, found)
        multiply_all(kept, clip_factor(norm))
        return norm

    def _record_adamw(self) -> Any:
        """Record a step of AdamW with the learning rates in ``_rates``."""
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
    """Return why steps on a GPU cannot be recorded, or None if they can be.

    Parameters
    ----------
    model : SupervisedModel
    """
    encoder = model.trainable.encoder
    if model.trainable.recomputes:
        return "activations are computed again in the backward pass"
    if model.trainable.adapter is not None:
        return "an adapter is trained"
    # Texts that fill a batch up to a recorded shape would be compared with.
    if model.contrastive:
        return "the contrastive loss of a text depends on the others of its batch"
    if torch.is_anomaly_enabled():
        return "anomaly detection of autograd is on"
    # All trainings share the workspace of matrix products, which is for one stream.
    streams = torch.cuda.current_stream, torch.cuda.default_stream
    if len({stream(encoder.device) for stream in streams}) > 1:
        return "the current stream is not the default one"
    # In other backends the number of kernels depends on the lengths of the texts.
    if not isinstance(encoder.backend, TrainableFusedBackend):
        return "the layers of the model do not have the structure of BERT's"
    dtype = encoder.autocast_dtype or encoder.dtype
    if not varlen_attention_works(encoder.device, dtype, encoder.backend.head_size):
        return f"the device has no {dtype} attention kernel for texts of varying length"
    readout = model.readout
    if isinstance(readout, PooledReadout) and "max" in modes_of(readout.pooling):
        return "the kernels of max pooling depend on the lengths of the texts"
    return None


def _tensors_of(part: TrainingBatch) -> list[Tensor]:
    fields = (*vars(part.batch).values(), *vars(part).values())
    return [one for one in fields if isinstance(one, Tensor)]
