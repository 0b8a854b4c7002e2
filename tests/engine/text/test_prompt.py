"""Where the tokens of a prompt end, and whether they leave room for a text."""

import pytest

from sklearn_bert._engine.text.prompt import NO_PROMPT, PromptIds, check_room_for_text

# As of "query: ", whose last token is a space that may be joined with a word.
PROMPT = PromptIds([5, 6, 7], [5, 6])


@pytest.mark.parametrize(
    ("ids", "head", "rest", "again"),
    [
        # The tokens of the prompt, and those of the text.
        ([5, 6, 7, 1, 2], [5, 6, 7], [1, 2], [5, 6, 7]),
        ([5, 6, 7], [5, 6, 7], [], [5, 6, 7]),
        # The space is joined with the text.
        ([5, 6, 1, 2], [5, 6], [1, 2], [5, 6]),
        # So are letters.
        ([5, 9, 2], [5], [9, 2], [5, 6]),
        ([9, 2], [], [9, 2], [5, 6]),
        ([5], [5], [], [5, 6]),
    ],
)
def test_the_prompt_ends_where_its_own_tokens_do(ids, head, rest, again):
    assert PROMPT.split(ids) == (head, rest, again)


def test_no_prompt_has_no_tokens():
    assert NO_PROMPT.split([1, 2]) == ([], [1, 2], [])


def test_a_prompt_that_leaves_room_for_one_token_is_accepted():
    check_room_for_text(4, 5, "query: ", 7)


@pytest.mark.parametrize(("n_prompt", "room"), [(5, 5), (9, 5), (1, 1), (0, 0)])
def test_a_prompt_that_leaves_no_room_is_refused(n_prompt, room):
    with pytest.raises(ValueError, match=f"Got 'query: ', which has {n_prompt}."):
        check_room_for_text(n_prompt, room, "query: ", 7)
