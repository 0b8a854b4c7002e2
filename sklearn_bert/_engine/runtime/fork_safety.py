"""What a fork does to threads, and how a forked child stays safe.

A forked child inherits the locks of thread pools whose threads it does not have:
torch's would hang at the first product, the tokenizers' at the first text. One thread
needs no pool. Naming TOKENIZERS_PARALLELISM across the fork keeps the tokenizers from
printing their advice about it.
"""

import os

import torch

_PARALLELISM = "TOKENIZERS_PARALLELISM"
_has_worked = False
_is_forked = False
_is_named_by_us = False


def prepare_threads() -> None:
    """Be called before any encoding or training.

    Leaves children alone that never do either, and makes those that do safe.
    """
    global _has_worked
    _has_worked = True
    if _is_forked:
        os.environ[_PARALLELISM] = "false"
        torch.set_num_threads(1)


def _before_fork() -> None:
    global _is_named_by_us
    _is_named_by_us = _has_worked and _PARALLELISM not in os.environ
    if _is_named_by_us:
        os.environ[_PARALLELISM] = "true"


def _after_fork_in_parent() -> None:
    if _is_named_by_us:
        os.environ.pop(_PARALLELISM, None)


def _after_fork_in_child() -> None:
    global _is_forked
    _is_forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
