"""Work with transformers that prints nothing."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sklearn_bert._engine.runtime.fork_safety import ForkSafeLock

# The progress bars of transformers are global: one thread at a time may change them.
_SETTINGS = ForkSafeLock()
_LOGGER = logging.getLogger("transformers")


@contextmanager
def quietly() -> Iterator[None]:
    """Suppress progress bars, and messages of transformers in this thread."""
    from transformers.utils import logging as transformers_logging

    with _SETTINGS.current, _without_messages():
        had_bars = transformers_logging.is_progress_bar_enabled()
        transformers_logging.disable_progress_bar()
        try:
            yield
        finally:
            if had_bars:
                transformers_logging.enable_progress_bar()


@contextmanager
def _without_messages() -> Iterator[None]:
    """Filter what the handlers get.

    The level of a logger is not changed: this takes a lock of the logging module, which
    Python before 3.13 never releases if Ctrl-C arrives just after it was acquired. All
    other threads would then wait for it.
    """
    thread = threading.get_ident()

    def passes(record: logging.LogRecord) -> bool:
        is_theirs = record.name.partition(".")[0] == "transformers"
        return not (
            is_theirs and record.thread == thread and record.levelno < logging.ERROR
        )

    handlers = [*_LOGGER.handlers, *logging.root.handlers]
    if logging.lastResort is not None:
        handlers.append(logging.lastResort)
    try:
        for handler in handlers:
            handler.addFilter(passes)
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(passes)
