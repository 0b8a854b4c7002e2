"""Recording of CUDA graphs, one at a time in the whole process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

import torch
from torch import nn

from sklearn_bert._engine.compat.torch_private import end_allocation_to_pool
from sklearn_bert._engine.runtime.memory import release_memory
from sklearn_bert._engine.training.model.dropout import Dropout

# Held by the training that records, since several may run in threads.
_ONE_AT_A_TIME = threading.Lock()
# Graphs whose recording failed to end. They are kept, since torch may access them.
_FAILED: list[Any] = []


class GraphRecorder:
    """Records graphs that share their memory.

    Parameters
    ----------
    device : torch.device
    dropout : Dropout
        Each replay of a graph draws new random numbers from it.
    """

    def __init__(self, device: torch.device, dropout: Dropout) -> None:
        self._device = device
        self._dropout = dropout
        self._pool = torch.cuda.graph_pool_handle()

    @contextmanager
    def recording(self) -> Iterator[Any]:
        """Record the GPU work that this context launches, without running it."""
        # During a recording torch does not free cached memory to make room.
        release_memory(self._device)
        current = torch.cuda.current_stream(self._device)
        with _ONE_AT_A_TIME:
            stream = _recording_stream(self._device)
            stream.wait_stream(current)
            with torch.cuda.stream(stream):
                _allocate_workspaces(self._device)
                graph = torch.cuda.CUDAGraph()
                self._dropout.register(graph)
                # Other threads, such as the one that prepares batches, may use the GPU.
                graph.capture_begin(self._pool, capture_error_mode="thread_local")
                try:
                    yield graph
                except BaseException:
                    with suppress(RuntimeError):
                        self._end(graph)
                    raise
                self._end(graph)
            # A replay must wait until the recording stream has finished its work.
            current.wait_stream(stream)

    def _end(self, graph: Any) -> None:
        """End a recording. If that fails, reset state that would break later work."""
        try:
            graph.capture_end()
        except RuntimeError:
            _FAILED.append(graph)
            index = self._device.index
            end_allocation_to_pool(index, self._pool)
            # A recording registers the default generator of the process, which refuses
            # to draw random numbers until the recording ends.
            generator = torch.cuda.default_generators[index]
            generator.graphsafe_set_state(generator.clone_state())
            raise


@cache
def _recording_stream(device: torch.device) -> Any:
    """Return the stream on which graphs are recorded, one for the whole process."""
    return torch.cuda.Stream(device)


@torch.enable_grad()
def _allocate_workspaces(device: torch.device) -> None:
    """Make matrix products allocate their workspaces for this stream and thread.

    Otherwise they would allocate them during a recording, in the pool of the graphs.
    """
    for dtype in (torch.float32, torch.bfloat16):
        x = torch.ones((16, 16), device=device, dtype=dtype, requires_grad=True)
        nn.functional.linear(x, x, x[0]).sum().backward()
