"""Worker processes, which share the cores of a machine.

joblib and multiprocessing number the processes that a process starts. joblib's default
backend also limits the threads of torch in each of them, but not those of tokenizers.
Dask, Ray and Spark do the same with an environment variable.
"""

import os
import re
from multiprocessing import current_process

import torch

_TORCH_THREADS = "OMP_NUM_THREADS"
_TOKENIZER_THREADS = "RAYON_NUM_THREADS"


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
    if worker_number() is not None or _TORCH_THREADS in os.environ:
        os.environ.setdefault(_TOKENIZER_THREADS, str(torch.get_num_threads()))
