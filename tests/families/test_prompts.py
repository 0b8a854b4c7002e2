"""Prompts and settings of the tokens, against sentence-transformers' own ``encode``.

Each row is a tiny model made and saved with its API; "old" rows have the files that
its versions before 6 wrote.
"""

import json
import warnings
from dataclasses import dataclass

import numpy as np
import pytest

from sklearn_bert import BertClassifier, BertMaskedLM, BertVectorizer
from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.load import load_tokenizer

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import modules


PROMPTS = {"query": "query: ", "passage": "a good ", "title": "Film"}


@dataclass(frozen=True)
class Row:
    """A model, and what it is asked for."""

    family: str = "BERT"
    pooling: str | tuple[str, ...] = "mean"
    default: str | None = None
    include_prompt: bool = True
    lowercase: bool = False
    max_length: int | None = None
    old_name: str | None = None
    # Of the call: a name, a text, None or "auto".
    prompt: str | None = "auto"

    def __str__(self) -> str:
        default = Row()
        names = self.__dataclass_fields__
        changed = {name: getattr(self, name) for name in names}
        return ",".join(
            f"{name}={value}"
            for name, value in changed.items()
            if value != getattr(default, name)
        )


ROWS = [
    Row(),
    Row(default="query"),
    Row(default="query", prompt=None),
    Row(default="query", prompt="passage"),
    Row(default="query", prompt="document"),
    Row(prompt="query"),
    Row(prompt="title: "),
    Row(default="query", pooling="cls"),
    Row(default="query", pooling="max", max_length=12),
    Row(default="passage", max_length=9),
    Row(default="query", include_prompt=False),
    Row(default="query", include_prompt=False, prompt=None),
    Row(default="query", include_prompt=False, pooling="cls"),
    Row(default="query", include_prompt=False, pooling="max"),
    Row(default="query", include_prompt=False, pooling="mean", max_length=9),
    Row(prompt="passage", include_prompt=False, old_name="bert"),
    Row("multilingual BERT", default="title", lowercase=True),
    Row("multilingual BERT", default="title", lowercase=True, old_name="bert"),
    Row("multilingual BERT", lowercase=True, old_name="distilbert", max_length=8),
    Row("RoBERTa", default="query"),
    Row("RoBERTa", default="query", include_prompt=False),
    Row("RoBERTa", default="query", lowercase=True, old_name="roberta", max_length=11),
    Row("RoBERTa", prompt="f", include_prompt=False),
    Row("XLM-RoBERTa", default="query", old_name="xlm-roberta", max_length=10),
    Row("XLM-RoBERTa", default="query", include_prompt=False, lowercase=True),
    Row("DistilBERT", default="query", old_name="distilbert", max_length=10),
    Row("MPNet", default="passage", include_prompt=False, pooling="cls"),
    Row("DeBERTa-v2/v3", default="query", max_length=14),
    Row("ModernBERT", prompt="query", include_prompt=False),
    Row(default="query", pooling="weightedmean", include_prompt=False),
    Row(default="query", pooling=("mean", "max", "lasttoken"), include_prompt=False),
]


@pytest.fixture(scope="module")
def samples(texts):
    return ["", " ", "Film", "film  good ", "A GOOD Film\n\tbad?", *texts[:8]]


@pytest.fixture
def make(save_family, tmp_path):
    """Return a function that saves the model of a row with sentence-transformers."""

    def make(row):
        encoder = save_family(row.family, tmp_path / "encoder").folder
        settings = {} if row.old_name else {"do_lower_case": row.lowercase}
        if row.max_length is not None and not row.old_name:
            settings["max_seq_length"] = row.max_length
        pooling = modules.Pooling(
            32, pooling_mode=row.pooling, include_prompt=row.include_prompt
        )
        model = SentenceTransformer(
            modules=[modules.Transformer(str(encoder), **settings), pooling],
            prompts=PROMPTS,
            default_prompt_name=row.default,
            device="cpu",
        )
        folder = tmp_path / "saved"
        model.save(str(folder))
        if row.old_name:
            write_old_files(folder, row)
        return folder

    return make


def write_old_files(folder, row):
    (folder / "sentence_bert_config.json").unlink()
    content = {"do_lower_case": row.lowercase}
    if row.max_length is not None:
        content["max_seq_length"] = row.max_length
    name = f"sentence_{row.old_name}_config.json"
    (folder / name).write_text(json.dumps(content))
    switches = {
        f"pooling_mode_{mode}{suffix}": mode == row.pooling
        for mode, suffix in [
            ("cls", "_token"),
            ("max", "_tokens"),
            ("mean", "_tokens"),
            ("mean_sqrt_len", "_tokens"),
        ]
    }
    content = {"word_embedding_dimension": 32, **switches}
    content["include_prompt"] = row.include_prompt
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(content))


def encode(folder, prompt, texts):
    """Encode with sentence-transformers, given our prompt."""
    model = SentenceTransformer(str(folder), device="cpu")
    given = {"prompt": prompt}
    if prompt == "auto":
        given = {}
    elif prompt in model.prompts:
        given = {"prompt_name": prompt}
    elif prompt is None:
        given = {"prompt": ""}
    return model.encode(texts, **given)


@pytest.mark.filterwarnings("ignore::sklearn_bert.exceptions.TruncationWarning")
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_features_are_those_of_sentence_transformers(row, make, samples):
    folder = make(row)
    expected = encode(folder, row.prompt, samples)
    vectorizer = BertVectorizer(folder, prompt=row.prompt, device="cpu")
    features = vectorizer.transform(samples)
    np.testing.assert_allclose(features, expected, rtol=0, atol=1e-5)


@pytest.mark.filterwarnings("ignore::sklearn_bert.exceptions.TruncationWarning")
@pytest.mark.parametrize("max_length", [None, 18, 19])
def test_pairs_have_the_prompt_of_sentence_transformers(make, samples, max_length):
    folder = make(Row(default="query", max_length=max_length))
    pairs = list(zip(samples, reversed(samples), strict=True))
    vectorizer = BertVectorizer(folder, pooling="mean", device="cpu")
    np.testing.assert_allclose(
        vectorizer.transform(pairs), encode(folder, "auto", pairs), rtol=0, atol=1e-5
    )


@pytest.mark.parametrize("prompt", ["watch this ", "watch", "a go", "bad\n"])
@pytest.mark.parametrize("name", ["BERT", "RoBERTa", "XLM-RoBERTa", "DeBERTa-v2/v3"])
def test_windows_hold_the_prompt_and_all_tokens(save_family, tmp_path, name, prompt):
    folder = save_family(name, tmp_path / "encoder").folder
    tokenizer = load_tokenizer(locate(str(folder), None))
    text = "od film with a dull plot and a great actor, not very good music at all"
    n_after = len(tokenizer.around_text[1])
    (whole,) = tokenizer([prompt + text], None, max_length=99, long_text="truncate").ids
    whole = whole[: len(whole) - n_after]
    windows = [
        ids[: len(ids) - n_after]
        for ids in tokenizer(
            [text], None, max_length=16, long_text="window", prompt=prompt
        ).ids
    ]
    assert windows[0] == whole[: len(windows[0])]
    n_read = len(windows[0])
    for window in windows[1:]:
        (decoded,) = tokenizer.decode(window, is_pair=False)
        assert decoded.startswith(prompt.strip())
        # The longest end of the window that continues or repeats what was read.
        stops = [
            stop
            for stop in range(n_read + 1, len(whole) + 1)
            if window[n_read - stop :] == whole[n_read:stop]
        ]
        n_read = stops[-1]
    assert n_read == len(whole)


def test_a_fitted_classifier_pools_as_declared(make, samples):
    folder = make(Row(default="query", include_prompt=False))
    classifier = BertClassifier(folder, n_epochs=1, random_state=0)
    classifier.fit(samples, np.arange(len(samples)) % 2)
    np.testing.assert_allclose(
        BertVectorizer(classifier).transform(samples),
        classifier.transform(samples),
        rtol=0,
        atol=1e-5,
    )


def test_a_saved_masked_model_pools_as_declared(make, samples, tmp_path):
    folder = make(Row(default="query", include_prompt=False))
    masked_lm = BertMaskedLM(folder, max_steps=1, random_state=0).fit(samples)
    masked_lm.save_pretrained(tmp_path / "pre-trained")
    features = BertVectorizer(tmp_path / "pre-trained").transform(samples)
    np.testing.assert_array_equal(
        features, BertVectorizer(masked_lm).transform(samples)
    )
    pooled = BertVectorizer(masked_lm, prompt=PROMPTS["query"]).transform(samples)
    np.testing.assert_array_equal(features, pooled)
    assert not np.allclose(
        features, BertVectorizer(masked_lm, prompt=None).transform(samples)
    )
