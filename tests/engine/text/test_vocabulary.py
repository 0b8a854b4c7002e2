"""Learned word pieces: the same in every process, and never more than asked for."""

import os
import random
import subprocess
import sys

import pytest

from sklearn_bert._engine.text.vocabulary import CONTROLS, learn_vocabulary

CODE = """
from sklearn_bert._engine.text.vocabulary import learn_vocabulary
texts = ["abc cab bca", "acb bac cba", "dd ee ff gg", "gg ff ee dd", "hi ih"] * 3
print(learn_vocabulary(texts, 40, lowercase=True).to_str())
"""


def test_every_process_learns_the_same():
    found = {
        subprocess.run(
            [sys.executable, "-P", "-c", CODE],
            capture_output=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1


def test_control_tokens_come_first():
    tokenizer = learn_vocabulary(["some words"], 60, lowercase=True)
    assert tokenizer.names(range(5)) == list(CONTROLS)
    assert (tokenizer.padding, tokenizer.mask) == (0, 4)


def test_every_frequent_character_has_both_pieces():
    tokenizer = learn_vocabulary(["ab c", "b"], 60, lowercase=True)
    assert {x for c in "abc" for x in (c, f"##{c}")} <= set(tokenizer.vocabulary)


def test_rare_characters_give_way():
    tokenizer = learn_vocabulary(["a" * 9 + "b" * 5 + "c"], 9, lowercase=True)
    assert set(tokenizer.vocabulary) == {*CONTROLS, "a", "##a", "b", "##b"}


def test_frequent_words_are_pieces():
    texts = ["the film was good"] * 20 + ["zyx"]
    vocabulary = learn_vocabulary(texts, 80, lowercase=True).vocabulary
    assert {"the", "film", "was", "good"} <= set(vocabulary)


def test_texts_without_any_character_can_be_learned_from():
    tokenizer = learn_vocabulary(["", "  "], 30, lowercase=True)
    assert set(tokenizer.vocabulary) == set(CONTROLS)


def test_a_character_that_is_always_a_word_has_one_piece():
    vocabulary = learn_vocabulary(["ab! 中文 ab!"], 60, lowercase=True).vocabulary
    assert {"!", "中", "文", "a", "##b"} <= set(vocabulary)
    assert not {"##!", "##中", "##文"} & set(vocabulary)


def test_a_language_of_many_characters_has_most_of_them():
    characters = [chr(0x4E00 + k) for k in range(3000)]
    vocabulary = learn_vocabulary(
        ["".join(characters)], 8000, lowercase=True
    ).vocabulary
    assert set(characters) <= set(vocabulary)


def test_rare_characters_leave_room_for_words():
    texts = ["the film was good"] * 20 + ["".join(chr(0x4E00 + k) for k in range(4000))]
    vocabulary = learn_vocabulary(texts, 2100, lowercase=True).vocabulary
    assert {"the", "film", "was", "good"} <= set(vocabulary)


TEXTS = ["a good film", "a dull plot", "naïve café", "हिन्दी में", "한국어 문장"] * 20


def blob(length, alphabet="abcdefghijklmnopqrstuvwxyz"):
    return "".join(random.Random(0).choices(alphabet, k=length))


@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize(
    "long",
    [
        blob(20_000),
        blob(1_000_000),
        blob(20_000, "ßæøþŋ"),
        blob(101),
        blob(500, "e\u0301\u0300"),
        blob(20_000, "ঀকখগ"),
        f"{blob(200)}\x1f{blob(200)}",
        f"({blob(200)}), “{blob(200)}”。中{blob(200)}",
    ],
    ids=lambda text: text[:4],
)
def test_words_too_long_for_wordpiece_teach_nothing(long, lowercase):
    marks = "(),“”。中"
    ordinary = [*TEXTS, *(one for one in marks if one in long)]
    learned = learn_vocabulary([*TEXTS, long], 200, lowercase=lowercase)
    expected = learn_vocabulary(ordinary, 200, lowercase=lowercase)
    assert learned.vocabulary == expected.vocabulary


def test_long_syllables_count_as_their_letters():
    # Without accents, "한국어" is eight characters.
    words = ["한국어" * 12, "한국어" * 13]
    found = [
        learn_vocabulary([*TEXTS, word], 200, lowercase=True).vocabulary
        == learn_vocabulary(TEXTS, 200, lowercase=True).vocabulary
        for word in words
    ]
    assert found == [False, True]


def test_words_that_wordpiece_can_split_are_learned_from():
    word = blob(100)
    vocabulary = learn_vocabulary([word] * 3, 500, lowercase=True).vocabulary
    assert word in vocabulary


def test_words_around_one_that_is_too_long_are_learned_from():
    texts = [f"zebra-{blob(300)}-zebra {blob(300)} zebra"] * 20
    assert "zebra" in learn_vocabulary(texts, 60, lowercase=True).vocabulary
