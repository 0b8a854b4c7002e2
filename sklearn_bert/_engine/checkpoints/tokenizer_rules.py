"""What a tokenizer.json may contain, so that tokenizing ends soon and needs no memory.

The tokenizers package trusts its files: a long padding, a normalizer that multiplies
the text or a regular expression that backtracks ends the process, or never ends. The
limits are far above those of public encoders.
"""

import base64
import re
from collections.abc import Iterator
from typing import Any

from sklearn_bert._engine.checkpoints.files.checkpoint_files import CheckpointFiles
from sklearn_bert._engine.checkpoints.files.content import broken

_MOST_ADDED = 100_000
_MOST_DIGITS = 18
_MOST_COMPONENTS = 256
# By how much all normalizers together may lengthen a text. Unicode's longest
# decomposition has 18 characters, 33 bytes.
_MOST_GROWTH = 16
_LONGEST_REPLACEMENT = 128
_LONGEST_PATTERN = 2000
# Around a text, or a pair of texts.
_MOST_SPECIAL = 1000
_MOST_REPETITIONS = 3
_KINDS = {
    "normalizer": {
        "BertNormalizer",
        "ByteLevel",
        "Lowercase",
        "NFC",
        "NFD",
        "NFKC",
        "NFKD",
        "Nmt",
        "Precompiled",
        "Prepend",
        "Replace",
        "Sequence",
        "Strip",
        "StripAccents",
    },
    "pre_tokenizer": {
        "BertPreTokenizer",
        "ByteLevel",
        "CharDelimiterSplit",
        "Digits",
        "Metaspace",
        "Punctuation",
        "Sequence",
        "Split",
        "UnicodeScripts",
        "Whitespace",
        "WhitespaceSplit",
    },
    "post_processor": {
        "BertProcessing",
        "ByteLevel",
        "RobertaProcessing",
        "Sequence",
        "TemplateProcessing",
    },
    "decoder": {
        "BPEDecoder",
        "ByteFallback",
        "ByteLevel",
        "CTC",
        "Fuse",
        "Metaspace",
        "Replace",
        "Sequence",
        "Strip",
        "WordPiece",
    },
}
# What makes a regular expression backtrack without bound: a repeated group, and
# references to other groups. Escaped characters and sets are removed first.
_ESCAPED = re.compile(r"\\[pP]\{[^}]*\}|\\[^0-9kg]")
_SET = re.compile(r"\[[^\[\]]*\]")
_REPETITION = re.compile(r"[*+]|\{\d*,\d*\}")
_UNSAFE = re.compile(r"\)[*+{]|\\[0-9kg]|\(\?[(~&]")


def check_added_tokens(
    files: CheckpointFiles, settings: dict[str, dict[str, Any]], n_rows: int
) -> None:
    """Refuse added tokens that are too many, or that have no row in the embedding.

    Parameters
    ----------
    files : CheckpointFiles
    settings : dict of str to dict
        The content of the configuration files of the tokenizer, by name.
    n_rows : int
        The size of the vocabulary that the model declares.

    Raises
    ------
    CheckpointError
    """
    for name, content in settings.items():
        ids = list(content.values()) if name == "added_tokens.json" else []
        decoder = content.get("added_tokens_decoder", {})
        if not isinstance(decoder, dict):
            raise broken(files, f"has a {name} whose added tokens are not a mapping")
        ids += list(decoder)
        lists = [
            value for key, value in content.items() if key.endswith("_special_tokens")
        ]
        n_more = sum(len(value) for value in lists if isinstance(value, list | dict))
        _check_ids(files, name, ids, n_more, n_rows)


def _check_ids(
    files: CheckpointFiles, name: str, ids: list[Any], n_more: int, n_rows: int
) -> None:
    if len(ids) + n_more > _MOST_ADDED:
        raise broken(
            files,
            f"has a {name} with {len(ids) + n_more} added tokens, and at most "
            f"{_MOST_ADDED} are read",
        )
    for id_ in ids:
        digits = str(id_)
        # Python converts no number of thousands of digits.
        is_short = digits.isdecimal() and len(digits) <= _MOST_DIGITS
        if not is_short or int(digits) >= n_rows:
            raise broken(
                files,
                f"has a {name} with an added token of id {digits[:40]}, which does not "
                f"match its embedding matrix of {n_rows} rows",
            )


def check_components(
    files: CheckpointFiles, content: dict[str, Any], n_rows: int
) -> None:
    """Refuse a tokenizer.json that could need unbounded time or memory.

    Parameters
    ----------
    files : CheckpointFiles
    content : dict
        The content of tokenizer.json.
    n_rows : int
        The size of the vocabulary that the model declares.

    Raises
    ------
    CheckpointError
        If there are too many or unknown components, if the normalizers multiply the
        text, if a template adds too many tokens, if a regular expression may backtrack
        without bound, or if an added token has no row in the embedding matrix.
    """
    added = content.get("added_tokens") or []
    if not isinstance(added, list) or not all(isinstance(x, dict) for x in added):
        raise _refused(files, "added tokens that are not a list of objects")
    ids = [token.get("id") for token in added]
    _check_ids(files, "tokenizer.json", ids, 0, n_rows)
    growth = 1.0
    for section, kinds in _KINDS.items():
        components = list(_components(content.get(section)))
        if len(components) > _MOST_COMPONENTS:
            raise _refused(files, f"{len(components)} components of its {section}")
        for component in components:
            if (kind := str(component.get("type"))) not in kinds:
                raise _refused(files, f"a {section} of type {kind[:40]!r}")
            if "pattern" in component:
                _check_pattern(files, component["pattern"])
            if section == "normalizer":
                growth *= _growth(files, component)
            if kind == "TemplateProcessing":
                _check_template(files, component)
    if growth > _MOST_GROWTH:
        raise _refused(files, f"normalizers that make a text {growth:.0f} times longer")
    model = content.get("model")
    if isinstance(model, dict):
        check_vocabulary(files, "tokenizer.json", model.get("vocab"))


def _refused(files: CheckpointFiles, what: str) -> Exception:
    return broken(files, f"has a tokenizer.json with {what}, which is not run")


def _components(section: Any) -> Iterator[dict[str, Any]]:
    """Yield a component and those nested in it."""
    waiting = [section]
    while waiting:
        component = waiting.pop()
        if not isinstance(component, dict):
            continue
        yield component
        for name in ("normalizers", "pretokenizers", "processors", "decoders"):
            nested = component.get(name)
            waiting += nested if isinstance(nested, list) else []


def _check_pattern(files: CheckpointFiles, pattern: Any) -> None:
    (kind, text), *_ = (
        pattern.items() if isinstance(pattern, dict) and pattern else [("", "")]
    )
    if not isinstance(text, str) or not text or len(text) > _LONGEST_PATTERN:
        raise _refused(files, "a pattern that is empty or too long")
    if kind == "Regex" and not _ends_soon(text):
        raise _refused(
            files,
            f"the regular expression {text[:40]!r}, which may backtrack without end",
        )


def _ends_soon(regex: str) -> bool:
    """Tell whether a regular expression takes polynomial time of a low degree.

    Each alternative may repeat a few characters or sets, but no groups.
    """
    bare = _ESCAPED.sub("x", regex)
    while (shorter := _SET.sub("x", bare)) != bare:
        bare = shorter
    if _UNSAFE.search(bare):
        return False
    return all(
        len(_REPETITION.findall(alternative)) <= _MOST_REPETITIONS
        for alternative in bare.split("|")
    )


def _check_template(files: CheckpointFiles, component: dict[str, Any]) -> None:
    """Refuse a template that puts too many tokens around a text."""
    for part in ("single", "pair"):
        pieces = component.get(part)
        if not isinstance(pieces, list):
            continue
        n = sum(_length_of_piece(x, component.get("special_tokens")) for x in pieces)
        if n > _MOST_SPECIAL:
            raise _refused(files, f"a template of {n} tokens")


def _length_of_piece(piece: Any, special_tokens: Any) -> int:
    """Return the number of ids of a special token, or 1."""
    try:
        return max(1, len(special_tokens[piece["SpecialToken"]["id"]]["ids"]))
    # The text itself, or what the tokenizers package refuses.
    except (LookupError, TypeError):
        return 1


def _growth(files: CheckpointFiles, component: dict[str, Any]) -> float:
    """Return by how much a normalizer may multiply the length of a text."""
    if component.get("type") == "Precompiled":
        _check_charsmap(files, component.get("precompiled_charsmap"))
        return 1.0
    added = component.get("content", component.get("prepend", ""))
    if not isinstance(added, str) or len(added) > _LONGEST_REPLACEMENT:
        raise _refused(files, "a replacement that is too long")
    if "pattern" not in component:
        return 1.0
    # A regular expression may match nothing between any two characters.
    replaced = component["pattern"].get("String")
    return max(1.0, len(added) / len(replaced) if replaced else 1.0 + len(added))


def _check_charsmap(files: CheckpointFiles, charsmap: Any) -> None:
    """Refuse a table of sentencepiece that replaces characters by long texts."""
    try:
        table = base64.b64decode(charsmap or b"")
    except (ValueError, TypeError) as error:
        raise _refused(files, "a table of characters that is damaged") from error
    size = int.from_bytes(table[:4], "little")
    texts = table[4 + size :].split(b"\0")
    if max(map(len, texts)) > _LONGEST_REPLACEMENT:
        raise _refused(files, "a replacement that is too long")


def check_vocabulary(files: CheckpointFiles, name: str, vocabulary: Any) -> None:
    """Refuse a mapping that gives two words the same id; other parameters as above.

    The tokenizers package would keep one of them.
    """
    if not isinstance(vocabulary, dict):
        return
    for word, id_ in vocabulary.items():
        if type(id_) is not int:
            raise broken(files, f"has a {name} with the id {id_!r} of {word!r}")
    if len(set(vocabulary.values())) < len(vocabulary):
        raise broken(files, f"has a {name} with two words of the same id")
