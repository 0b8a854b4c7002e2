"""Prediction of masked tokens with ``fill_mask``."""

import pytest

from sklearn_bert.exceptions import InputError


def test_mask_sets_the_characters_that_mark_a_token(fitted):
    first = fitted.fill_mask(["the ___ film"], mask="___")
    assert first == fitted.fill_mask(["the [MASK] film"])
    (((_, share), *_),) = first[0]
    assert len(first[0][0]) == 5
    assert 0 < share <= 1


def test_a_text_without_a_mask_is_refused(fitted):
    with pytest.raises(InputError, match=r"must contain the mask '\[MASK\]'"):
        fitted.fill_mask(["the film"])


def test_pairs_are_refused(fitted):
    with pytest.raises(InputError, match=r"must have one column of texts\. Got 2"):
        fitted.fill_mask([("the [MASK]", "film [MASK]")])


@pytest.mark.parametrize(
    "wrong",
    [{"top_k": x} for x in (0, -1, 2.5, "a", None)] + [{"mask": None}, {"mask": 3}],
)
def test_invalid_arguments_are_refused(fitted, wrong):
    (name,) = wrong
    words = f"The '{name}' parameter of BertMaskedLM.fill_mask must be"
    with pytest.raises(ValueError, match=words):
        fitted.fill_mask(["the [MASK]"], **wrong)


def test_a_text_that_is_too_long_is_refused(fitted):
    with pytest.raises(InputError, match="at most 128 tokens"):
        fitted.fill_mask(["film " * 200 + "[MASK]"])
