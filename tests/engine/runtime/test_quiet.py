"""transformers prints nothing, and its settings are restored."""

from transformers.utils import logging

from sklearn_bert._engine.runtime.quiet import quietly


def test_messages_are_suppressed(messages_of_transformers):
    logger = logging.get_logger("transformers.something")
    with quietly():
        logger.warning("unheard")
        assert not logging.is_progress_bar_enabled()
    logger.warning("heard")
    assert messages_of_transformers == ["heard"]


def test_settings_are_restored():
    verbosity = logging.get_verbosity()
    try:
        logging.set_verbosity_info()
        with quietly():
            pass
        assert logging.get_verbosity() == logging.INFO
    finally:
        logging.set_verbosity(verbosity)
