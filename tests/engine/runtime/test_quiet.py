"""transformers prints nothing, and its settings are restored."""

from transformers.utils import logging

from sklearn_bert._engine.runtime.quiet import quietly


def test_messages_are_suppressed_and_settings_restored(capfd):
    logger = logging.get_logger("transformers.something")
    verbosity = logging.get_verbosity()
    try:
        logging.set_verbosity_info()
        with quietly():
            logger.warning("unheard")
            assert not logging.is_progress_bar_enabled()
        assert logging.get_verbosity() == logging.INFO
    finally:
        logging.set_verbosity(verbosity)
    assert "unheard" not in capfd.readouterr().err
