"""The special tokens of a tokenizer, and where it puts them."""

from collections.abc import Sequence
from dataclasses import dataclass

from tokenizers import Tokenizer

# The names of control tokens in different model families, by transformers' keys.
CONTROL_NAMES = {
    "unk_token": ("[UNK]", "<unk>"),
    "cls_token": ("[CLS]", "<s>"),
    "sep_token": ("[SEP]", "</s>"),
    "pad_token": ("[PAD]", "<pad>"),
    "mask_token": ("[MASK]", "<mask>"),
}


@dataclass(frozen=True)
class Template:
    """The special tokens around one text, or around and between two texts."""

    before: list[int]
    between: list[int]
    after: list[int]

    @property
    def n_special(self) -> int:
        """Number of special tokens."""
        return len(self.before) + len(self.between) + len(self.after)


def read_template(tokenizer: Tokenizer, *, is_pair: bool) -> Template:
    """Return the special tokens that the tokenizer adds."""
    encoding = tokenizer.encode(*("a", "a") if is_pair else "a")
    of_text = [sequence is not None for sequence in encoding.sequence_ids]
    first = of_text.index(True)
    last = len(of_text) - of_text[::-1].index(True)
    between = [
        id_
        for id_, is_text in zip(
            encoding.ids[first:last], of_text[first:last], strict=True
        )
        if not is_text
    ]
    return Template(encoding.ids[:first], between, encoding.ids[last:])


def find_control(tokenizer: Tokenizer, names: Sequence[str]) -> str | None:
    """Return the first name that is a control token, or else the first that is a token.

    The vocabulary of MPNet also contains the control tokens of BERT, as words.
    """
    added = tokenizer.get_added_tokens_decoder().values()
    controls = {token.content for token in added if token.special}
    there = [name for name in names if tokenizer.token_to_id(name) is not None]
    return next((name for name in there if name in controls), next(iter(there), None))


def find_unknown(tokenizer: Tokenizer, single: Template) -> int:
    """Return the id of the unknown token, or of another special one if there is none.

    A byte-level vocabulary can represent any text and never needs it.
    """
    unknown = getattr(tokenizer.model, "unk_token", None) or "<unk>"
    for token in (unknown, "<unk>", "[UNK]"):
        if (id_ := tokenizer.token_to_id(token)) is not None:
            return id_
    return single.after[-1] if single.after else 0
