"""Ranks: processes that train one model together, each on its share of a batch.

``torchrun`` or ``accelerate launch`` starts them with the same script. Each of them
makes the same steps, and only the gradients are exchanged. PyTorch's
DistributedDataParallel would not do: it watches the forward pass of a module, while
training here calls parts of an encoder, accumulates the parts of a batch, and has a
leaf for the rows of the token embedding. A sum over the gradients needs none of this.
"""

import hashlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import parent_process
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from sklearn_bert._engine.runtime.fork_safety import call_in_child
from sklearn_bert._engine.runtime.workers import worker_number
from sklearn_bert.exceptions import DistributedError

# What torchrun and accelerate set. LOCAL_RANK, too, is theirs: other launchers leave
# the process group to the script.
_LAUNCHED = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
_OPT_OUT = "SKLEARN_BERT_DISTRIBUTED"
# How long a rank waits for another that neither answers nor ends its connection. It
# must be longer than what rank 0 does alone, such as scoring a validation set.
_PATIENCE = timedelta(minutes=30)

_Result = TypeVar("_Result")
_has_inherited = False


@dataclass(frozen=True)
class Ranks:
    """The processes of a training, of which this is one.

    Attributes
    ----------
    rank : int
        The number of this process.
    n_ranks : int
        1 if it trains alone.
    device : str
        The device of what is exchanged.
    """

    rank: int = 0
    n_ranks: int = 1
    device: str = "cpu"

    @property
    def is_alone(self) -> bool:
        """Whether there is no other process."""
        return self.n_ranks == 1

    @property
    def is_first(self) -> bool:
        """Whether this process reports, writes and decides for all."""
        return self.rank == 0

    def share(
        self, rows: Sequence[int], *, is_divided: bool = True
    ) -> tuple[list[int], float]:
        """Return the rows of a batch that this rank computes, and their weight.

        Parameters
        ----------
        rows : sequence of int
            Not empty. Neighbors, of similar length, go to different ranks.
        is_divided : bool
            Whether to divide the rows; otherwise rank 0 computes all of them.

        Returns
        -------
        rows : list of int
        weight : float
            1.0, or 0.0 for a rank without rows of its own. It computes one of another
            rank, since all ranks must have gradients of the same tensors.
        """
        own = rows[self.rank :: self.n_ranks]
        if not is_divided:
            own = rows if self.is_first else rows[:0]
        return (list(own), 1.0) if len(own) else (list(rows[:1]), 0.0)

    def add(self, tensors: Sequence[Tensor]) -> None:
        """Replace tensors by their sums over all ranks, in place."""
        if self.is_alone:
            return
        # A message for each of the hundreds of tensors would cost more than a copy.
        together = torch.cat([tensor.reshape(-1) for tensor in tensors])
        with self._exchanging():
            dist.all_reduce(together)
        _copy_back(tensors, together)

    def copy_first(self, tensors: Sequence[Tensor]) -> None:
        """Replace tensors by those of rank 0, in place."""
        if self.is_alone:
            return
        together = torch.cat([tensor.reshape(-1) for tensor in tensors])
        with self._exchanging():
            dist.broadcast(together, src=0)
        _copy_back(tensors, together)

    def broadcast(self, value: _Result) -> _Result:
        """Return the value of rank 0."""
        if self.is_alone:
            return value
        values = [value]
        with self._exchanging():
            device = torch.device(self.device)
            dist.broadcast_object_list(values, src=0, device=device)
        return values[0]

    def from_first(self, compute: Callable[[], _Result]) -> _Result:
        """Return the result that ``compute`` has in rank 0, the only one to call it.

        Raises
        ------
        DistributedError
            In the other ranks, if it fails in rank 0, which raises the error itself.
        """
        if self.is_alone:
            return compute()
        found: list[_Result] = []
        problem = ""
        if self.is_first:
            try:
                found.append(compute())
            # Scorers and callbacks of users may raise anything, and others wait.
            except Exception as error:
                self.broadcast((found, f"{type(error).__name__}: {error}"))
                raise
        found, problem = self.broadcast((found, problem))
        if problem:
            raise DistributedError(
                "Rank 0 scores, calls callbacks and writes files for all ranks of a "
                f"distributed fit. It failed with {problem.rstrip('.')}. Correct its "
                "error, and start all ranks again."
            )
        return found[0]

    def all(self, value: bool) -> bool:
        """Return whether a value is true in all ranks."""
        if self.is_alone:
            return value
        found = torch.tensor(int(value), device=self.device)
        with self._exchanging():
            dist.all_reduce(found, dist.ReduceOp.MIN)
        return bool(found)

    def check_same(self, parts: Iterable[bytes]) -> None:
        """Raise an error in all ranks unless they have the same data and settings.

        Parameters
        ----------
        parts : iterable of bytes
        """
        if self.is_alone:
            return
        digest = hashlib.sha256()
        for part in parts:
            digest.update(part)
        own = digest.hexdigest()
        if not self.all(own == self.broadcast(own)):
            raise DistributedError(
                "All ranks of a distributed fit must have the same X, y and "
                f"parameters. Rank {self.rank} of {self.n_ranks} found that they "
                "differ. Pass the same ones, and integers as random_state to what "
                "shuffles or splits them, or set the environment variable "
                f"{_OPT_OUT}=0 to let each rank fit alone."
            )

    @contextmanager
    def _exchanging(self) -> Iterator[None]:
        """Name the error of a rank that lost another one."""
        try:
            yield
        # torch has an error for some backends, and for gloo a plain one.
        except RuntimeError as error:
            cause = next(iter(str(error).splitlines()), type(error).__name__)
            raise DistributedError(
                "All ranks of a distributed fit must start it and stay until its end. "
                f"Rank {self.rank} of {self.n_ranks} cannot reach another one "
                f"({cause.rstrip('.')}). Look for the error of the rank that ended "
                "first, and start all of them again."
            ) from error


ALONE = Ranks()


def find_ranks(device: torch.device) -> Ranks:
    """Return the ranks that a fit in this thread is one of.

    They are those of an existing process group, or those that the environment tells of,
    in which case the group is made. It is kept until the process ends: later fits need
    it, and waiting for the other ranks to close it could keep a failed one alive.

    Workers of joblib inherit the environment, and threads the process. Both fit alone,
    since fits that run at the same time could not tell their messages apart.

    Parameters
    ----------
    device : torch.device
        The device of training.

    Returns
    -------
    Ranks
    """
    is_main = threading.current_thread() is threading.main_thread()
    is_off = os.environ.get(_OPT_OUT, "").lower() in ("0", "false")
    if is_off or not is_main or _has_inherited or not dist.is_available():
        return ALONE
    if not dist.is_initialized():
        if not is_launched():
            return ALONE
        starting = Ranks(int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]))
        with starting._exchanging():
            # Later fits may be on another device.
            has_gpus = torch.cuda.is_available() and dist.is_nccl_available()
            backend = "cpu:gloo,cuda:nccl" if has_gpus else "gloo"
            dist.init_process_group(backend, timeout=_PATIENCE)
    if dist.get_world_size() == 1:
        return ALONE
    return Ranks(dist.get_rank(), dist.get_world_size(), str(device))


def is_launched() -> bool:
    """Return whether torchrun or accelerate started this process, and others."""
    is_worker = worker_number() is not None or parent_process() is not None
    if is_worker or not all(name in os.environ for name in _LAUNCHED):
        return False
    return os.environ["WORLD_SIZE"] != "1"


def local_rank() -> int | None:
    """Return the number of this process on its machine; None if not launched."""
    return int(os.environ["LOCAL_RANK"]) if is_launched() else None


def _copy_back(tensors: Sequence[Tensor], together: Tensor) -> None:
    """Divide one flat tensor among tensors."""
    sizes = [tensor.numel() for tensor in tensors]
    with torch.no_grad():
        for tensor, part in zip(tensors, together.split(sizes), strict=True):
            tensor.copy_(part.view_as(tensor))


def _after_fork_in_child() -> None:
    global _has_inherited
    # The connections of a group are those of the parent.
    _has_inherited = dist.is_available() and dist.is_initialized()


call_in_child(_after_fork_in_child)
