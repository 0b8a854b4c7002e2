"""Worker processes, which share the cores and the GPUs of a machine.

joblib and multiprocessing number the processes that a process starts. joblib's default
backend also limits the threads of torch in each of them, but not those of tokenizers.
"""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from multiprocessing import current_process, parent_process
from pathlib import Path

import torch

from sklearn_bert._engine.runtime.locks import one_at_a_time

_TOKENIZER_THREADS = "RAYON_NUM_THREADS"
_has_turn: ContextVar[bool] = ContextVar("has_turn", default=False)


def worker_number() -> int | None:
    """Return the number of this worker, from 0; None if it is not a worker process."""
    # The name is all that is public: "LokyProcess-2", "SpawnPoolWorker-1:2".
    match = re.search(r"\d+$", current_process().name)
    return None if match is None else int(match[0]) - 1


def limit_tokenizer_threads() -> None:
    """Let the tokenizers library use as many threads as torch in a worker process.

    Called before it starts its threads. By default it starts one for each core in each
    of the workers.
    """
    if worker_number() is not None:
        os.environ.setdefault(_TOKENIZER_THREADS, str(torch.get_num_threads()))


@contextmanager
def take_turn(device: torch.device) -> Iterator[None]:
    """Wait until no other worker of the same process uses a GPU.

    They would otherwise compete for its memory. A turn that is taken within another one
    does not wait.

    Parameters
    ----------
    device : torch.device
    """
    if device.type != "cuda" or worker_number() is None or _has_turn.get():
        yield
        return
    parent = parent_process()
    name = f"sklearn_bert-gpu-{parent.pid if parent else 0}-{device.index}"
    with one_at_a_time(Path(tempfile.gettempdir(), name)):
        token = _has_turn.set(True)
        try:
            yield
        finally:
            _has_turn.reset(token)
