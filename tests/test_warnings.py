"""When a warning is shown: once per place and message, unless a filter wants more."""

import warnings

import pytest
from sklearn.model_selection import cross_validate

from sklearn_bert import BertClassifier
from sklearn_bert._warnings import Tally, warn_of_some, warn_user
from sklearn_bert.exceptions import TruncationWarning


def warn_twice():
    """Warn from one place, between which somebody else changes the filters."""
    for _ in range(2):
        warn_user("a warning", UserWarning)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)


@pytest.fixture
def shown():
    """Return the warnings shown, under Python's own filters."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.resetwarnings()
        yield caught


@pytest.fixture(autouse=True)
def _forget(monkeypatch):
    # What other tests have shown must not count.
    monkeypatch.setattr("sklearn_bert._warnings._SHOWN", {})


def test_a_warning_is_shown_once_whoever_changes_the_filters(shown):
    warn_twice()
    warn_twice()
    assert len(shown) == 1


def test_other_messages_and_other_lines_are_shown(shown):
    warn_user("a warning", UserWarning)
    warn_user("a warning", UserWarning)
    for message in ("a warning", "another", "a warning"):
        warn_user(message, UserWarning)
    assert len(shown) == 4


def test_always_shows_every_warning(shown):
    warn_twice()
    warnings.simplefilter("always")
    warn_twice()
    warn_twice()
    assert len(shown) == 5


def test_what_was_shown_is_still_an_error(shown):
    warn_twice()
    warnings.simplefilter("error")
    for _ in range(2):
        with pytest.raises(UserWarning, match="a warning"):
            warn_twice()


def test_what_was_ignored_is_shown_later(shown):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warn_twice()
    warn_twice()
    assert len(shown) == 1


def test_every_search_for_a_warning_finds_it():
    for _ in range(2):
        with pytest.warns(UserWarning, match="a warning"):
            warn_twice()


def test_cross_validation_warns_once_for_each_count(tiny_bert, texts, shown):
    classifier = BertClassifier(tiny_bert, max_length=6, n_epochs=1, random_state=0)
    cross_validate(classifier, texts, [0, 1] * 20, cv=6)
    messages = [str(one.message) for one in shown if one.category is TruncationWarning]
    assert len(messages) > 1
    assert len(messages) == len(set(messages))


def test_a_tally_warns_once_about_all_parts(shown):
    tally = Tally()
    for n, n_all in ((1, 4), (0, 4), (2, 2)):
        with tally.counting():
            warn_of_some(n, n_all, "{n} of {n_all} ({share:.0%})", UserWarning)
    assert shown == []
    tally.warn()
    assert [str(one.message) for one in shown] == ["3 of 10 (30%)"]


def test_a_tally_counts_each_message_apart_and_none_of_nothing(shown):
    tally = Tally()
    with tally.counting():
        warn_of_some(1, 4, "{n} long", UserWarning)
        warn_of_some(0, 4, "{n} short", UserWarning)
    tally.warn()
    assert [str(one.message) for one in shown] == ["1 long"]


def test_warnings_are_shown_again_after_a_tally(shown):
    with Tally().counting():
        pass
    warn_of_some(1, 4, "{n} of {n_all}", UserWarning)
    assert [str(one.message) for one in shown] == ["1 of 4"]
