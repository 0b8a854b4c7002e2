"""Exported tokenizers of the families read special tokens in texts as text."""

import pytest
from tokenizers import AddedToken, Tokenizer
from tokenizers.models import Unigram
from transformers import AutoTokenizer

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.source import load
from sklearn_bert._engine.export.onnx.tokenizer_file import write_tokenizer_file
from sklearn_bert._engine.export.transformers_files import write_tokenizer
from sklearn_bert._engine.text.tokenizer import TextTokenizer

LENGTH = 128


def read_with_tokenizers(tokenizer, folder, texts):
    path = folder / "tokenizer.json"
    write_tokenizer_file(tokenizer, path, LENGTH)
    encodings = Tokenizer.from_file(str(path)).encode_batch(texts)
    return [one.ids[: sum(one.attention_mask)] for one in encodings]


def read_with_transformers(tokenizer, folder, texts):
    write_tokenizer(tokenizer, folder, LENGTH)
    return AutoTokenizer.from_pretrained(folder)(texts, truncation=True)["input_ids"]


@pytest.mark.parametrize("read", [read_with_tokenizers, read_with_transformers])
def test_ids_are_those_of_the_estimators(family, read, texts, tmp_path):
    loaded = load(locate(str(family.folder), None)).tokenizer
    content = Tokenizer.from_str(loaded.to_str())
    content.add_tokens(
        [AddedToken("<e1>", special=True), "sequel", AddedToken("<e2>", special=True)]
    )
    content.add_tokens(["prequel"])
    special = [
        one.content
        for one in content.get_added_tokens_decoder().values()
        if one.special
    ]
    assert len(special) >= 7
    if isinstance(content.model, Unigram):
        # The exception: the model itself finds the special tokens of its vocabulary.
        special = ["<e1>", "<e2>"]
    own = TextTokenizer(content, has_segments=loaded.has_segments)
    typed = [form for name in special for form in (name, f"a{name}b", f"a {name} b")]
    texts = [*texts, *typed, "".join(special), "the sequel<e1>", "a<e2>prequel"]
    expected = own(texts, None, max_length=LENGTH, long_text="truncate").ids
    assert read(own, tmp_path, texts) == expected
