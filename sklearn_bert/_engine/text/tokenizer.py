"""Tokenization of texts: special tokens, windows, and counts of truncated texts.

The tokenizer object is never reconfigured after it is created, so threads may share it:
special tokens are added and texts are truncated here, on lists of ids.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from itertools import chain
from typing import Any

from tokenizers import Encoding, Tokenizer

from sklearn_bert._config import quote
from sklearn_bert._engine.runtime.fork_safety import tokenizer_threads
from sklearn_bert._engine.text.huge_words import SHORTEST, HugeWords
from sklearn_bert._engine.text.long_runs import RunShortener
from sklearn_bert._engine.text.prompt import (
    NO_PROMPT,
    PromptIds,
    check_room_for_text,
)
from sklearn_bert._engine.text.special_tokens import (
    CONTROL_NAMES,
    find_control,
    find_unknown,
    read_template,
)
from sklearn_bert._engine.text.token_sequences import TokenSequences
from sklearn_bert._engine.text.truncation import truncate
from sklearn_bert.exceptions import CheckpointError

# Only the beginning of texts with more characters per requested token is tokenized.
_CHARACTERS_PER_TOKEN = 16


def is_panic(error: BaseException) -> bool:
    """Tell whether an error is a panic of the tokenizers package.

    It is not an Exception, and its class cannot be imported.
    """
    return type(error).__name__ == "PanicException"


@contextmanager
def panics_are_errors() -> Iterator[None]:
    """Raise a CheckpointError for a panic of the tokenizers library."""
    try:
        yield
    except BaseException as error:
        if not is_panic(error):
            raise
        # A panic may quote the text.
        raise CheckpointError(
            "model must have a tokenizer that accepts any text. It failed with: "
            f"{quote(error)}. Choose another model."
        ) from None


class TextTokenizer:
    """The tokenizer of a checkpoint, which treats the content of texts as data.

    Control tokens such as "[SEP]" in a text are split like any other word.

    Parameters
    ----------
    tokenizer : tokenizers.Tokenizer
        It is modified: truncation and padding are disabled.
    has_segments : bool
        Whether the model distinguishes the two texts of a pair by segment ids.

    Attributes
    ----------
    has_segments : bool
    padding, mask : int or None
        The ids of the padding and mask tokens, if the vocabulary has them.
    controls : frozenset of int
        The ids that are never assigned to the content of a text.
    largest_id : int
        The largest id of the vocabulary and of the special tokens around texts.
    """

    def __init__(self, tokenizer: Tokenizer, *, has_segments: bool) -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._single = read_template(tokenizer, is_pair=False)
        self._pair = read_template(tokenizer, is_pair=True)
        tokenizer.encode_special_tokens = True
        self._tokenizer = tokenizer
        self.has_segments = has_segments
        added = tokenizer.get_added_tokens_decoder()
        self._unknown = find_unknown(tokenizer, self._single)
        controls = {id_ for id_, token in added.items() if token.special}
        self.controls = frozenset(controls - {self._unknown})
        self.padding = self._find("pad_token")
        self.mask = self._find("mask_token")
        self.largest_id = self._find_largest_id()
        # Added tokens may contain spaces, and therefore span the end of a prefix.
        self._can_read_front = all(token.special for token in added.values())
        self._shorten = RunShortener(tokenizer)
        self._huge_words = HugeWords(tokenizer)

    def _find(self, kind: str) -> int | None:
        name = find_control(self._tokenizer, CONTROL_NAMES[kind])
        return None if name is None else self._tokenizer.token_to_id(name)

    def __getstate__(self) -> dict[str, Any]:
        # The pickle of the tokenizer loses the setting that control tokens are split.
        return {"tokenizer": self.to_str(), "has_segments": self.has_segments}

    def __setstate__(self, state: dict[str, Any]) -> None:
        tokenizer = Tokenizer.from_str(state["tokenizer"])
        TextTokenizer.__init__(self, tokenizer, has_segments=state["has_segments"])

    @property
    def around_text(self) -> tuple[list[int], list[int]]:
        """The special tokens before and after a single text."""
        return self._single.before, self._single.after

    def word_ids(self, words: Sequence[str]) -> list[list[int]]:
        """Return the ids of each word; dropped words become the unknown token."""
        return [ids or [self._unknown] for ids in self.split(words)]

    def to_str(self) -> str:
        """Return the tokenizer in the format of tokenizer.json."""
        return self._tokenizer.to_str()

    @cached_property
    def vocabulary(self) -> dict[str, int]:
        """The id of each token, added tokens included."""
        return self._vocabulary()

    def _vocabulary(self) -> dict[str, int]:
        return self._tokenizer.get_vocab(with_added_tokens=True)

    @property
    def vocab_size(self) -> int:
        """Size of the vocabulary, added tokens included."""
        return self._tokenizer.get_vocab_size(with_added_tokens=True)

    def _find_largest_id(self) -> int:
        pair = self._pair
        around = (*pair.before, *pair.between, *pair.after, *chain(*self.around_text))
        return max(*self._vocabulary().values(), *around)

    def __call__(
        self,
        first: Sequence[str],
        second: Sequence[str] | None,
        *,
        max_length: int,
        long_text: str,
        prompt: str = "",
    ) -> TokenSequences:
        """Tokenize texts, or pairs of texts.

        Parameters
        ----------
        first : sequence of str
        second : sequence of str or None
            The second texts of the pairs.
        max_length : int
            Maximum number of tokens per sequence, including special tokens.
        long_text : {"truncate", "head_tail", "window"}
        prompt : str
            The beginning of every text, or of the first text of every pair.

        Returns
        -------
        TokenSequences

        Raises
        ------
        ValueError
            If the prompt leaves no room for a text.
        """
        template = self._single if second is None else self._pair
        room = max_length - template.n_special
        prompt_ids, n_prompt = NO_PROMPT, 0
        if prompt:
            prompt_ids = self._prompt_ids(prompt)
            n_prompt = self._count_prompt(prompt_ids)
            check_room_for_text(
                len(prompt_ids.whole),
                room if second is None else room // 2,
                prompt,
                max_length,
            )
            first = [prompt + text for text in first]
        wanted = None
        if long_text == "truncate":
            # One more token than fits shows that a text is too long. For pairs it must
            # also be known which text is longer and, without any room, which is not
            # empty.
            wanted = room + 1
            if second is not None:
                wanted = _CHARACTERS_PER_TOKEN * max(room, 1)
        parts = [self._ids(first, wanted)]
        if second is not None:
            parts.append(self._ids(second, wanted))
        all_ids, second_starts, text_index, truncated = [], [], [], []
        for text, ids in enumerate(zip(*parts, strict=True)):
            pieces, is_cut = truncate(ids, room, long_text, prompt_ids)
            if is_cut:
                truncated.append(text)
            for piece in pieces:
                head = [*template.before, *piece[0], *template.between]
                sequence = [*head, *chain(*piece[1:]), *template.after]
                # Without special tokens an empty text would have no token to pool.
                all_ids.append(sequence or [self._unknown])
                second_starts.append(len(head))
                text_index.append(text)
        return TokenSequences(
            all_ids,
            None if second is None else second_starts,
            text_index,
            truncated=truncated,
            n_prompt=n_prompt,
        )

    def _prompt_ids(self, prompt: str) -> PromptIds:
        return PromptIds(*self.split([prompt, prompt.rstrip()]))

    def _count_prompt(self, prompt: PromptIds) -> int:
        """Return how many tokens are left out of a pooling without the prompt.

        As in sentence-transformers, these are the tokens of the prompt alone without
        the last special token, although the last one of the prompt may be joined with
        the text.
        """
        n_after = len(self._single.after)
        return len(self._single.before) + len(prompt.whole) + max(n_after - 1, 0)

    def split(self, texts: Sequence[str]) -> list[list[int]]:
        """Return all token ids of each text, without special tokens."""
        with tokenizer_threads(), panics_are_errors():
            encodings = self._tokenizer.encode_batch_fast(
                list(texts), add_special_tokens=False
            )
        return [self._without_controls(encoding.ids) for encoding in encodings]

    def split_to_length(self, texts: Sequence[str], max_length: int) -> list[list[int]]:
        """Split texts into sequences of at most ``max_length`` tokens.

        Special tokens are added to each sequence; texts without tokens have none.
        """
        room = max_length - self._single.n_special
        return [
            self.surround(ids[start : start + room])
            for ids in self.split(texts)
            for start in range(0, len(ids), room)
        ]

    def surround(self, ids: Sequence[int]) -> list[int]:
        """Add the special tokens of a single text to ids."""
        return [*self._single.before, *ids, *self._single.after]

    def names(self, ids: Sequence[int]) -> list[str]:
        """Return the tokens of ids."""
        return [str(self._tokenizer.id_to_token(id_)) for id_ in ids]

    def decode(self, ids: Sequence[int], *, is_pair: bool) -> tuple[str, ...]:
        """Return the text, or the two texts, of one sequence.

        Parameters
        ----------
        ids : sequence of int
            Token ids with or without special tokens and padding.
        is_pair : bool

        Returns
        -------
        tuple of str
        """
        parts = [list(ids)]
        if is_pair:
            template = self._pair
            ids = list(ids)
            start, size = len(template.before), len(template.between)
            places = [
                place
                for place in range(start, len(ids) - size + 1)
                if ids[place : place + size] == template.between
            ]
            cut = places[0] if places else len(ids)
            parts = [ids[:cut], ids[cut + size :]]
        return tuple(
            self._tokenizer.decode(
                [id_ for id_ in part if id_ not in self.controls],
                skip_special_tokens=False,
            )
            for part in parts
        )

    def _ids(self, texts: Sequence[str], wanted: int | None) -> list[list[int]]:
        """Return the ids of each text without special tokens, at least ``wanted``."""
        if wanted is None or not self._can_read_front:
            return self.split(texts)
        longest = _CHARACTERS_PER_TOKEN * wanted
        short = [text if len(text) <= longest else "" for text in texts]
        ids = self.split(short)
        for row, text in enumerate(texts):
            if len(text) > longest:
                ids[row] = self._leading_ids(text, wanted)
        return ids

    def _leading_ids(self, text: str, wanted: int) -> list[int]:
        """Return the first ``wanted`` ids without tokenizing all of a huge text.

        Tokenizers split a text into words before they split the words into pieces.
        Therefore all but the last two words of a prefix are tokenized in the same way
        as in the whole text.
        """
        size = _CHARACTERS_PER_TOKEN * wanted
        front = text[:size]
        while size < len(text):
            with panics_are_errors():
                encoding = self._tokenizer.encode(front, add_special_tokens=False)
            ids = encoding.ids[: _n_settled(encoding)]
            if len(ids) >= wanted:
                return self._without_controls(ids[:wanted])
            if len(text) >= SHORTEST and self._huge_words.is_able:
                with panics_are_errors():
                    ids = self._huge_words.first_ids(text, size, wanted)
                if len(ids) >= wanted:
                    return self._without_controls(ids[:wanted])
            size *= 4
            front = self._shorten(text[:size])
        return self.split([front])[0]

    def _without_controls(self, ids: list[int]) -> list[int]:
        """Replace control ids, which some vocabularies contain as ordinary pieces."""
        if self.controls.isdisjoint(ids):
            return ids
        return [self._unknown if id_ in self.controls else id_ for id_ in ids]


def _n_settled(encoding: Encoding) -> int:
    """Number of tokens before the last two words of a prefix of a text."""
    words = encoding.word_ids
    last = max((word for word in words if word is not None), default=0)
    unsettled = (None, last - 1, last)
    n_settled = len(words)
    while n_settled and words[n_settled - 1] in unsettled:
        n_settled -= 1
    return n_settled
