"""Text of users stays text in Markdown."""

import pytest

from sklearn_bert._sharing.markdown import block, code, plain, table


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("my-model", "my-model"),
        ("snake_case", r"snake\_case"),
        ("a\n---\n# b", r"a --- \# b"),
        ("<script>", r"\<script\>"),
        ("[a](http://b)", r"\[a\]\(http\://b\)"),
        ("`x` *y*", r"\`x\` \*y\*"),
        ("a\u202eb\x00c\u2028d", "a b c d"),
        ("back\\slash", r"back\\slash"),
    ],
)
def test_plain_text_has_no_markup(text, shown):
    assert plain(text) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("good", "`'good'`"),
        (3, "`3`"),
        ("a`b", "``'a`b'``"),
        ("``", "```'``'```"),
        ("a\n---", r"`'a\n---'`"),
        ("\ud800", r"`'\ud800'`"),
    ],
)
def test_code_is_the_repr(value, shown):
    assert code(value) == shown


def test_ticks_at_the_ends_are_kept_apart():
    class Odd:
        def __repr__(self):
            return "`odd`"

    assert code(Odd()) == "`` `odd` ``"


def test_long_texts_are_cut():
    assert code("x" * 1000) == f"`'{'x' * 99}...`"
    assert len(plain("x" * 1000)) == 103


def test_bars_do_not_divide_a_table():
    rows = [(code("a|b"), "1"), (code("\\|"), "2")]
    lines = table(("Class", "Texts"), rows).splitlines()
    assert lines[:2] == ["| Class | Texts |", "| --- | --- |"]
    assert lines[2] == r"| `'a\|b'` | 1 |"
    # Three backslashes: the repr of one, and the one of the bar.
    assert lines[3] == r"| `'\\\|'` | 2 |"


def test_a_block_is_of_python():
    assert block("a = 1", "b = 2") == "```python\na = 1\nb = 2\n```"
