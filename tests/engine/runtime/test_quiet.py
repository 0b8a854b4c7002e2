"""transformers prints nothing, and its settings are restored."""

import logging as standard_logging
import threading

from transformers.utils import logging

from sklearn_bert._engine.runtime.quiet import quietly


def test_messages_are_suppressed(messages_of_transformers):
    logger = logging.get_logger("transformers.something")
    with quietly():
        logger.warning("unheard")
        assert not logging.is_progress_bar_enabled()
    logger.warning("heard")
    assert messages_of_transformers == ["heard"]


def test_errors_are_heard(messages_of_transformers):
    with quietly():
        logging.get_logger("transformers.something").error("heard")
    assert messages_of_transformers == ["heard"]


def test_messages_of_other_threads_are_heard(messages_of_transformers):
    logger = logging.get_logger("transformers.something")
    with quietly():
        other = threading.Thread(target=logger.warning, args=["heard"])
        other.start()
        other.join()
    assert messages_of_transformers == ["heard"]


def test_messages_that_reach_other_handlers_are_suppressed(caplog):
    logging.enable_propagation()
    logger = logging.get_logger("transformers.something")
    try:
        with quietly():
            logger.warning("unheard")
        logger.warning("heard")
    finally:
        logging.disable_propagation()
    assert {*caplog.messages} == {"heard"}


def test_settings_are_restored():
    handlers = logging.get_logger("transformers").handlers
    before = [list(handler.filters) for handler in handlers]
    had_bars = logging.is_progress_bar_enabled()
    with quietly():
        assert [handler.filters for handler in handlers] != before
    assert [handler.filters for handler in handlers] == before
    assert logging.is_progress_bar_enabled() == had_bars


def test_the_lock_of_logging_is_not_needed():
    def run():
        with quietly():
            pass

    other = threading.Thread(target=run, daemon=True)
    with standard_logging._lock:
        other.start()
        other.join(20)
        assert not other.is_alive()
