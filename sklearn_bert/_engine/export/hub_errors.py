"""Errors of an upload to the Hub, in plain words and without the token."""

import re
from typing import Any

from sklearn_bert.exceptions import HubError

_TOKENS = "https://huggingface.co/settings/tokens"
_LOG_IN = "Log in with 'hf auth login', or pass token"
# What an HTTP header may contain. The client would quote another token in its error.
_TOKEN = re.compile(r"[!-~]+")
_CHANGED = "reports that the repository was changed during the upload"
# What the answer of the Hub means, and the remedy, by status code.
_REFUSALS = {
    401: (
        "does not accept the token",
        f"It may have expired. Create another one at {_TOKENS}, and log in with it.",
    ),
    403: (
        "does not allow this with the token",
        f"Create one with write permission at {_TOKENS}, or choose a repository that "
        "you may write to.",
    ),
    404: (
        "did not find the repository or its owner",
        "Correct the name, or use a token that may read and write the repository.",
    ),
    409: (_CHANGED, "Call push_to_hub again."),
    412: (_CHANGED, "Call push_to_hub again."),
    429: (
        "received too many requests",
        "Wait some minutes, and call push_to_hub again.",
    ),
}
_SERVER_ERROR = ("has an error", "Try again later; nothing is wrong on your side.")
_OTHER = ("refused the upload", "Change what the answer names, and try again.")


def check_token(token: Any) -> str:
    """Refuse to continue without a token; return it.

    Parameters
    ----------
    token : object
        None or an empty text is no token.

    Raises
    ------
    HubError
        If there is none.
    ValueError
        If it cannot be one; the message does not contain it.
    """
    if token is None or token == "":
        raise HubError(
            f"push_to_hub requires a token with write permission. Got none. {_LOG_IN}; "
            f"tokens are created at {_TOKENS}."
        )
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        what = (
            "a space, a line break or another character in it"
            if isinstance(token, str)
            else f"a {type(token).__name__}"
        )
        raise ValueError(
            "token must be a str of letters, digits and punctuation. Got "
            f"{what}. Copy it again from {_TOKENS}."
        )
    return token


def check_private(repo_id: str, private: bool | None, *, is_private: bool) -> None:
    """Refuse to publish what should be private.

    Raises
    ------
    HubError
    """
    if private and not is_private:
        raise HubError(
            f"private=True requires a new or a private repository. Got {repo_id!r}, "
            "which exists and is public. Make it private in its settings on the Hub, "
            "or choose another name; nothing was uploaded."
        )


def explain(error: Exception, repo_id: str, token: str) -> HubError:
    """Return the error for what was raised during an upload.

    Parameters
    ----------
    error : Exception
    repo_id : str
    token : str
        It is removed from what the Hub answered.

    Returns
    -------
    HubError
    """
    if isinstance(error, HubError):
        return error
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    causes = _causes_of(error)
    for cause in causes:
        if isinstance(cause, OfflineModeIsEnabled):
            return _failed(
                repo_id,
                "the offline mode is on",
                "Unset the environment variable HF_HUB_OFFLINE.",
            )
        if isinstance(cause, HfHubHTTPError):
            return _refused(cause, repo_id, token)
    if any(map(_is_of_network, causes)):
        return _failed(
            repo_id,
            f"the Hub could not be reached ({type(causes[-1]).__name__})",
            "Check the connection to the internet, and call push_to_hub again.",
        )
    reason = _in_one_line(str(causes[-1]), token)
    return _failed(
        repo_id,
        f"an unexpected error occurred ({type(causes[-1]).__name__}: {reason})",
        "Call push_to_hub again; if the error remains, update huggingface_hub.",
    )


def _causes_of(error: BaseException) -> list[BaseException]:
    """Return an error and the errors that it was raised from."""
    causes = [error]
    while (cause := causes[-1].__cause__) is not None:
        causes.append(cause)
    return causes


def _is_of_network(error: BaseException) -> bool:
    from huggingface_hub.errors import HTTPError

    # The errors of the HTTP client, whose package differs by version, and those of the
    # operating system.
    return isinstance(error, HTTPError | ConnectionError | TimeoutError)


def _refused(error: Any, repo_id: str, token: str) -> HubError:
    response = error.response
    status = response.status_code
    what, remedy = _REFUSALS.get(status, _SERVER_ERROR if status >= 500 else _OTHER)
    answer = _in_one_line(error.server_message or "", token)
    said = f": {answer}" if answer else ""
    return _failed(repo_id, f"the Hub {what} (HTTP {status}{said})", remedy)


def _failed(repo_id: str, what: str, remedy: str) -> HubError:
    return HubError(
        f"The model could not be pushed to {repo_id!r}, since {what}. {remedy}"
    )


def _in_one_line(text: str, token: str) -> str:
    line = " ".join(text.replace(token, "***").split())
    return line if len(line) <= 300 else f"{line[:300]}..."
