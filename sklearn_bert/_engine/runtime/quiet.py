"""Work with transformers that prints nothing."""

from collections.abc import Iterator
from contextlib import contextmanager

from sklearn_bert._engine.runtime.fork_safety import ForkSafeLock

# The settings of transformers are global: one thread at a time may change them.
_SETTINGS = ForkSafeLock()


@contextmanager
def quietly() -> Iterator[None]:
    """Suppress progress bars and messages of transformers."""
    from transformers.utils import logging as transformers_logging

    with _SETTINGS.current:
        verbosity = transformers_logging.get_verbosity()
        had_bars = transformers_logging.is_progress_bar_enabled()
        transformers_logging.set_verbosity_error()
        transformers_logging.disable_progress_bar()
        try:
            yield
        finally:
            transformers_logging.set_verbosity(verbosity)
            if had_bars:
                transformers_logging.enable_progress_bar()
