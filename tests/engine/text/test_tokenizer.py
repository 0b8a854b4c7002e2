"""Ids as transformers gives them, cut as asked, and never control tokens."""

import itertools
from dataclasses import replace

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordPiece

from sklearn_bert._engine.text.token_sequences import text_boundaries
from sklearn_bert._engine.text.tokenizer import TextTokenizer


@pytest.fixture(scope="module")
def make_tokenizer(tiny_bert):
    def make(has_segments=True):
        tokenizer = Tokenizer.from_file(str(tiny_bert / "tokenizer.json"))
        return TextTokenizer(tokenizer, has_segments=has_segments)

    return make


@pytest.fixture(scope="module")
def tokenize(make_tokenizer):
    tokenizer = make_tokenizer()

    def call(first, second=None, max_length=64, long_text="truncate", **options):
        options = {"max_length": max_length, "long_text": long_text, **options}
        return tokenizer(first, second, **options)

    return call


@pytest.fixture(scope="module")
def peer(tiny_bert):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(tiny_bert)


@pytest.mark.parametrize("max_length", [3, 8, 64])
def test_single_texts_equal_transformers(tokenize, peer, texts, max_length):
    expected = peer(texts, truncation=True, max_length=max_length)["input_ids"]
    assert tokenize(texts, max_length=max_length).ids == expected


@pytest.mark.parametrize("max_length", [6, 7, 12, 13, 64])
def test_pairs_equal_transformers(tokenize, peer, texts, max_length):
    first, second = map(list, zip(*itertools.product(texts[:8], repeat=2), strict=True))
    expected = peer(first, second, truncation=True, max_length=max_length)
    sequences = tokenize(first, second, max_length=max_length)
    assert sequences.ids == expected["input_ids"]
    segments = [
        [int(place >= start) for place in range(len(ids))]
        for ids, start in zip(sequences.ids, sequences.second_starts, strict=True)
    ]
    assert segments == expected["token_type_ids"]


@pytest.mark.parametrize("has_segments", [False, True])
def test_second_texts_are_found_without_segments_too(make_tokenizer, has_segments):
    tokenizer = make_tokenizer(has_segments=has_segments)
    pairs = tokenizer(["a"], ["b"], max_length=9, long_text="truncate")
    assert pairs.second_starts == [3]
    assert (
        tokenizer(["a"], None, max_length=9, long_text="window").second_starts is None
    )


@pytest.mark.parametrize("control", ["[CLS]", "[SEP]", "[PAD]", "[MASK]"])
def test_control_tokens_in_a_text_are_spelled(tokenize, peer, control):
    ids = tokenize([f"good {control} film"]).ids[0][1:-1]
    assert not set(ids) & set(peer.all_special_ids)


def test_control_tokens_in_the_vocabulary_are_unknown_words(tiny_bert, peer):
    from tokenizers.pre_tokenizers import WhitespaceSplit

    tokenizer = Tokenizer.from_file(str(tiny_bert / "tokenizer.json"))
    # Splitting at white space alone leaves "[sep]" whole; no normalizer leaves "[SEP]".
    tokenizer.pre_tokenizer = WhitespaceSplit()
    tokenizer.normalizer = None
    ours = TextTokenizer(tokenizer, has_segments=True)
    ids = ours(["good [SEP] film"], None, max_length=9, long_text="truncate").ids[0]
    assert ids[2] == peer.unk_token_id


def count(n):
    return " ".join(["one", "two", "three", "four"][i % 3] for i in range(n))


@pytest.mark.parametrize("n_words", [8, 9, 14, 15, 20, 33])
def test_windows_cover_every_token_and_overlap(tokenize, n_words):
    sequences = tokenize([count(n_words)], max_length=10, long_text="window")
    whole = tokenize([count(n_words)]).ids[0][1:-1]
    rebuilt = sequences.ids[0][1:-1]
    for ids in sequences.ids[1:-1]:
        rebuilt += ids[1:-1][2:]
    if len(sequences.ids) > 1:
        rebuilt += sequences.ids[-1][1:-1][len(rebuilt) - len(whole) :]
    assert rebuilt == whole
    assert all(len(ids) <= 10 for ids in sequences.ids)
    assert len(sequences.truncated) == 0


def test_windows_of_pairs_cut_the_longer_text(tokenize, peer):
    sequences = tokenize(["good"], [count(9)], max_length=8, long_text="window")
    good = peer.convert_tokens_to_ids("good")
    assert all(ids[1:3] == [good, peer.sep_token_id] for ids in sequences.ids)
    assert sequences.text_index == [0, 0, 0]


def test_windows_of_pairs_keep_the_order_of_the_halves(tokenize, peer):
    sequences = tokenize([count(9)], ["good"], max_length=8, long_text="window")
    good = peer.convert_tokens_to_ids("good")
    assert all(ids[-3:-1] == [peer.sep_token_id, good] for ids in sequences.ids)


def test_head_tail_of_pairs_keeps_both_ends_of_the_longer(tokenize):
    whole = tokenize([count(20)]).ids[0][1:-1]
    ids = tokenize(["good"], [count(20)], max_length=12, long_text="head_tail").ids[0]
    assert ids[3:-1] == whole[:2] + whole[-6:]


def test_added_words_with_spaces_are_not_cut(tiny_bert):
    tokenizer = Tokenizer.from_file(str(tiny_bert / "tokenizer.json"))
    tokenizer.add_tokens(["one two three"])
    ours = TextTokenizer(tokenizer, has_segments=True)
    text = "one two three " * 500
    ids = ours([text], None, max_length=4, long_text="truncate").ids[0]
    assert ids[1:-1] == tokenizer.encode(text, add_special_tokens=False).ids[:2]


def test_windows_of_pairs_count_a_half_that_is_cut(tokenize):
    sequences = tokenize([count(9)], [count(30)], max_length=11, long_text="window")
    assert len(sequences.truncated) == 1


def test_boundaries_are_where_texts_begin(tokenize):
    sequences = tokenize(["a", count(20), "b"], None, max_length=10, long_text="window")
    assert text_boundaries(sequences).tolist() == [0, 1, len(sequences.ids) - 1]


def test_head_tail_keeps_both_ends(tokenize):
    whole = tokenize([count(20)]).ids[0][1:-1]
    cut = tokenize([count(20)], max_length=10, long_text="head_tail").ids[0][1:-1]
    assert cut == whole[:2] + whole[-6:]


@pytest.mark.parametrize(
    "text",
    [
        "a film, not bad. " * 3000,
        "unbelievable " * 4000,
        "x" * 50_000,
        "x" * 5000 + " good " + "y" * 60_000,
        "good" + " " * 40_000 + "film" + " bad" * 100,
        "e\u0301\u0300" * 20_000,
        "好" * 20_000,
        "!?" * 20_000,
        "the a " * 2 + "\u200b" * 50_000 + "good",
    ],
    ids=[
        "sentences",
        "long words",
        "blob",
        "blobs",
        "spaces",
        "accents",
        "chinese",
        "marks",
        "invisible",
    ],
)
@pytest.mark.parametrize("max_length", [3, 16, 64])
def test_reading_only_the_front_changes_nothing(tokenize, peer, text, max_length):
    expected = peer([text], truncation=True, max_length=max_length)["input_ids"]
    assert tokenize([text], max_length=max_length).ids == expected


def test_reading_only_the_front_counts_what_is_cut(tokenize):
    assert len(tokenize(["good " * 5000, "good"]).truncated) == 1


def test_a_huge_text_is_not_read_to_its_end(tokenize, monkeypatch):
    n_read = []
    original = Tokenizer.encode

    class Spy:
        def __init__(self, tokenizer):
            self._tokenizer = tokenizer

        def encode(self, text, **options):
            n_read.append(len(text))
            return original(self._tokenizer, text, **options)

        def __getattr__(self, name):
            return getattr(self._tokenizer, name)

    tokenizer = tokenize.__closure__[0].cell_contents
    # Objects of the tokenizers library cannot be changed.
    monkeypatch.setattr(tokenizer, "_tokenizer", Spy(tokenizer._tokenizer))
    tokenize(["good film " * 1_000_000])
    assert 0 < sum(n_read) < 10_000


def test_control_tokens_are_not_words_that_look_like_some():
    names = ["<s>", "<pad>", "</s>", "[UNK]", "<mask>", "[PAD]", "[MASK]", "film"]
    made = Tokenizer(WordPiece({x: k for k, x in enumerate(names)}, unk_token="[UNK]"))
    made.add_special_tokens(names[:5])
    tokenizer = TextTokenizer(made, has_segments=True)
    assert (tokenizer.padding, tokenizer.mask) == (1, 4)


# --- prompts -----------------------------------------------------------------------

# Two tokens, after [CLS].
PROMPT = "watch - "
N_PROMPT = 3


@pytest.mark.parametrize("long_text", ["truncate", "head_tail", "window"])
def test_a_prompt_is_the_beginning_of_a_text(tokenize, texts, long_text):
    expected = tokenize([PROMPT + text for text in texts], long_text=long_text)
    sequences = tokenize(texts, long_text=long_text, prompt=PROMPT)
    assert sequences == replace(expected, n_prompt=N_PROMPT)


@pytest.mark.parametrize("max_length", [6, 7, 12, 13])
def test_truncated_texts_with_a_prompt_equal_transformers(
    tokenize, peer, texts, max_length
):
    prompted = [PROMPT + text for text in texts]
    expected = peer(prompted, truncation=True, max_length=max_length)["input_ids"]
    assert tokenize(texts, max_length=max_length, prompt=PROMPT).ids == expected


@pytest.mark.parametrize("max_length", [9, 10, 16, 17])
def test_the_first_text_of_a_pair_has_the_prompt(tokenize, peer, texts, max_length):
    first, second = map(list, zip(*itertools.product(texts[:8], repeat=2), strict=True))
    prompted = [PROMPT + text for text in first]
    expected = peer(prompted, second, truncation=True, max_length=max_length)
    sequences = tokenize(first, second, max_length=max_length, prompt=PROMPT)
    assert sequences.ids == expected["input_ids"]


def test_the_end_of_a_text_is_joined_to_its_prompt(tokenize):
    text = "good bad dull funny sad long short slow"
    sequences = tokenize([text], max_length=8, long_text="head_tail", prompt=PROMPT)
    assert sequences.ids == tokenize(["watch - good long short slow"]).ids


def test_every_window_begins_with_the_prompt(tokenize):
    text = "good bad dull funny sad long short slow"
    sequences = tokenize([text], max_length=8, long_text="window", prompt=PROMPT)
    windows = ["good bad dull funny", "funny sad long short", "sad long short slow"]
    assert sequences.ids == tokenize([PROMPT + window for window in windows]).ids
    assert sequences.text_index == [0, 0, 0]
    assert (len(sequences.truncated), sequences.n_prompt) == (0, N_PROMPT)


@pytest.mark.parametrize("is_first", [True, False])
def test_every_window_of_a_pair_begins_with_the_prompt(tokenize, is_first):
    long, short = "good bad dull funny sad long", "it"
    first, second = (long, short) if is_first else (short, long)
    sequences = tokenize(
        [first], [second], max_length=9, long_text="window", prompt=PROMPT
    )
    windows = ["good bad dull", "funny sad long"]
    pairs = [(x, short) if is_first else (short, x) for x in windows]
    expected = tokenize([PROMPT + a for a, _ in pairs], [b for _, b in pairs])
    assert sequences.ids == expected.ids
    assert sequences.second_starts == expected.second_starts


def test_letters_that_are_joined_with_the_prompt_are_kept_once(tokenize):
    # "good" is one token, and "go" is two.
    text = "od bad dull funny sad long"
    sequences = tokenize([text], max_length=7, long_text="window", prompt="go")
    windows = ["good bad dull", "go bad dull funny"]
    assert sequences.ids[0] == tokenize(windows[:1]).ids[0]
    assert all(ids[:3] == tokenize(["go"]).ids[0][:3] for ids in sequences.ids[1:])
    assert sequences.ids[-1][-2:] == tokenize(["long"]).ids[0][1:]


def test_control_tokens_in_a_prompt_are_text(tokenize, make_tokenizer):
    sequences = tokenize(["good"], prompt="[SEP] [MASK]")
    controls = make_tokenizer().controls
    assert not controls & set(sequences.ids[0][1:-1])


@pytest.mark.parametrize("long_text", ["truncate", "head_tail", "window"])
def test_an_empty_text_is_its_prompt(tokenize, long_text):
    sequences = tokenize([""], max_length=5, long_text=long_text, prompt=PROMPT)
    assert sequences.ids == tokenize(["watch -"]).ids


@pytest.mark.parametrize(("second", "max_length"), [(None, 4), (["bad"], 8)])
@pytest.mark.parametrize("long_text", ["truncate", "head_tail", "window"])
def test_a_prompt_without_room_for_a_text_is_refused(
    tokenize, second, max_length, long_text
):
    options = {"long_text": long_text, "prompt": PROMPT}
    with pytest.raises(ValueError, match=f"fewer than 2 .* max_length={max_length},"):
        tokenize(["good"], second, max_length, **options)
    assert len(tokenize(["good"], second, max_length + 1, **options).truncated) == 0


def test_a_huge_text_with_a_prompt_is_read_from_its_front(tokenize):
    text = "good bad " * 100_000
    sequences = tokenize([text], max_length=8, prompt=PROMPT)
    assert sequences.ids == tokenize(["watch - good bad good bad"]).ids
    assert len(sequences.truncated) == 1
