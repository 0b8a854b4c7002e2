"""The configuration: whether errors and warnings quote values of X and y."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sklearn_bert._sklearn_compat import validate_params

# Anything else hides values, so that a misspelled value does not reveal texts.
_TRUE = ("", "1", "true")
_VARIABLE = os.environ.get("SKLEARN_BERT_SHOW_VALUES", "").lower()
_process_config = {"show_values": _VARIABLE in _TRUE}
# What config_context sets, None outside of it. Other threads have other contexts.
_in_context: ContextVar[bool | None] = ContextVar("show_values", default=None)


@validate_params({"show_values": [bool, None]}, prefer_skip_nested_validation=True)
def set_config(*, show_values=None):
    """Set the configuration of this process, for all of its threads.

    Parameters
    ----------
    show_values : bool, default=None
        Whether errors and warnings quote the texts, words, labels, tags, numbers and
        names of columns that they are about. If False, they contain `<hidden>` instead,
        and still the rule, the row numbers, the types and the remedy. None keeps the
        current setting, which is initially True unless the environment variable
        `SKLEARN_BERT_SHOW_VALUES` is "0".

    See Also
    --------
    config_context : Set the configuration for a block of code.
    get_config : Return the current configuration.

    Notes
    -----
    Other processes, such as the workers of joblib, read only the environment variable,
    when they import this package. Set it before they start.

    Examples
    --------
    >>> import sklearn_bert
    >>> sklearn_bert.set_config(show_values=False)
    >>> sklearn_bert.get_config()
    {'show_values': False}
    >>> sklearn_bert.set_config(show_values=True)
    """
    if show_values is not None:
        _process_config["show_values"] = show_values
        # In a config_context it holds at once, and after it.
        _in_context.set(None)


def get_config():
    """Return the configuration that holds here.

    Returns
    -------
    config : dict
        The parameters of :func:`set_config` and their values.

    Examples
    --------
    >>> import sklearn_bert
    >>> sklearn_bert.get_config()
    {'show_values': True}
    """
    return {"show_values": shows_values()}


@contextmanager
@validate_params({"show_values": [bool, None]}, prefer_skip_nested_validation=True)
def config_context(*, show_values=None) -> Iterator[None]:
    """Set the configuration in a block of code of this thread.

    It also holds in the threads that the estimators start, and not in others.

    Parameters
    ----------
    show_values : bool, default=None
        As in :func:`set_config`.

    Yields
    ------
    None

    See Also
    --------
    set_config : Set the configuration of the process.
    get_config : Return the current configuration.

    Examples
    --------
    >>> import sklearn_bert
    >>> with sklearn_bert.config_context(show_values=False):
    ...     sklearn_bert.get_config()
    {'show_values': False}
    """
    token = _in_context.set(shows_values() if show_values is None else show_values)
    try:
        yield
    finally:
        _in_context.reset(token)


def shows_values() -> bool:
    """Return whether messages may quote values."""
    in_context = _in_context.get()
    return _process_config["show_values"] if in_context is None else in_context


def quote(value: Any) -> str:
    """Return the repr of a value of the user for a message, if it may be shown."""
    if not shows_values():
        return "<hidden>"
    try:
        return repr(value)
    # It may call the code of a user, or be nested too deeply.
    except Exception:
        return "a value without a repr"
