"""As many threads for one arm as for the other."""

import os

import threadpoolctl
import torch


def set_threads(n_threads: int) -> None:
    """Give every library the same threads; two more are told by their own options."""
    torch.set_num_threads(n_threads)
    # The BLAS of NumPy and SciPy, in which linear models are fitted.
    threadpoolctl.threadpool_limits(n_threads)
    # Read when the pool of the tokenizers starts, at their first use.
    os.environ["RAYON_NUM_THREADS"] = str(n_threads)
    os.environ["TOKENIZERS_PARALLELISM"] = "true"
