"""Errors of an upload name the cause and a remedy, and never the token."""

import itertools

import pytest
from huggingface_hub.errors import OfflineModeIsEnabled

from sklearn_bert._engine.export.hub_errors import check_private, check_token, explain
from sklearn_bert.exceptions import HubError


@pytest.mark.parametrize("token", [None, ""])
def test_no_token_says_how_to_log_in(token):
    with pytest.raises(HubError, match=r"Got none\. Log in with 'hf auth login', or p"):
        check_token(token)


@pytest.mark.parametrize("token", ["hf_a b", "hf_a\n", "hf_ä", b"hf_a", 3, True])
def test_what_cannot_be_a_token_is_refused_and_not_shown(token):
    with pytest.raises(ValueError, match=r"token must be a str .* Copy it") as caught:
        check_token(token)
    assert "hf_" not in str(caught.value)


def test_a_token_is_returned():
    assert check_token("hf_Abc123") == "hf_Abc123"


@pytest.mark.parametrize(
    ("private", "is_private"), [(True, True), (False, False), (False, True), (None, 0)]
)
def test_other_repositories_than_public_ones_are_private_enough(private, is_private):
    check_private("ann/model", private, is_private=is_private)


def chained(*errors):
    for error, cause in itertools.pairwise(errors):
        error.__cause__ = cause
    return errors[0]


@pytest.mark.parametrize(
    ("error", "what"),
    [
        (OfflineModeIsEnabled("no"), "the offline mode is on. Unset"),
        (ConnectionResetError("reset"), r"reached \(ConnectionResetError\)"),
        (
            chained(RuntimeError("while uploading"), TimeoutError("slow")),
            r"reached \(TimeoutError\)",
        ),
        (
            chained(RuntimeError("while uploading"), OfflineModeIsEnabled("no")),
            "offline mode",
        ),
        (
            chained(RuntimeError("outer"), ValueError("bad\nhf_secret value")),
            r"an unexpected error occurred \(ValueError: bad \*\*\* value\)",
        ),
        (RuntimeError("x" * 1000), r"x{300}\.\.\.\)"),
    ],
    ids=["offline", "reset", "timeout inside", "offline inside", "other", "long"],
)
def test_the_innermost_cause_is_explained(error, what):
    explained = explain(error, "ann/model", "hf_secret")
    assert isinstance(explained, HubError)
    with pytest.raises(HubError, match=f"pushed to 'ann/model', since .*{what}"):
        raise explained


def test_an_explanation_is_not_explained_again():
    error = HubError("private=True requires ...")
    assert explain(error, "ann/model", "hf_secret") is error
