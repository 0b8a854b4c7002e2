"""Special tokens, as a tokenizer itself places them."""

import pytest
from tokenizers import AddedToken, Tokenizer
from tokenizers.models import BPE, WordLevel
from tokenizers.processors import TemplateProcessing

from sklearn_bert._engine.text.special_tokens import (
    Template,
    find_control,
    find_unknown,
    read_template,
)

VOCABULARY = {"a": 0, "<s>": 1, "</s>": 2, "[MASK]": 3, "<mask>": 4, "<unk>": 5}


@pytest.fixture
def tokenizer():
    made = Tokenizer(WordLevel(VOCABULARY, unk_token="<unk>"))
    made.post_processor = TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 1), ("</s>", 2)],
    )
    return made


def test_one_text_has_tokens_around_it(tokenizer):
    assert read_template(tokenizer, is_pair=False) == Template([1], [], [2])


def test_two_texts_have_tokens_between_them(tokenizer):
    template = read_template(tokenizer, is_pair=True)
    assert template == Template([1], [2, 2], [2])
    assert template.n_special == 4


def test_a_control_token_goes_before_a_word_of_the_same_meaning(tokenizer):
    assert find_control(tokenizer, ("[MASK]", "<mask>")) == "[MASK]"
    tokenizer.add_special_tokens([AddedToken("<mask>", special=True)])
    assert find_control(tokenizer, ("[MASK]", "<mask>")) == "<mask>"


def test_a_control_token_may_be_missing(tokenizer):
    assert find_control(tokenizer, ("[PAD]", "<pad>")) is None


def test_the_unknown_token_is_the_models(tokenizer):
    assert find_unknown(tokenizer, Template([1], [], [2])) == 5


@pytest.mark.parametrize(("after", "expected"), [([7, 2], 2), ([], 0)])
def test_without_an_unknown_token_it_is_the_last_special_one(after, expected):
    assert find_unknown(Tokenizer(BPE()), Template([1], [], after)) == expected
