"""The model card says what a model is, and cannot be broken by what is in it."""

import re
from dataclasses import replace

import numpy as np
import pytest
from huggingface_hub import ModelCard
from saving.cases import CASES, QUICK, TEXTS, WORDS

from sklearn_bert import (
    BertClassifier,
    BertTokenClassifier,
    BertTokenizer,
    BertVectorizer,
)
from sklearn_bert._engine.export.base_model import BaseModel
from sklearn_bert._engine.export.contents import Exported
from sklearn_bert._sharing.card import _describe_base, make_card
from sklearn_bert._sharing.markdown import plain
from sklearn_bert._sharing.usage import Place

CLASSES = Exported("text-classification", "AutoModelForSequenceClassification")
TAGS = Exported("token-classification", "AutoModelForTokenClassification")
FEATURES = Exported("feature-extraction", "AutoModel", has_sentence_transformer=True)
PLACE = Place("my-model")


def card_of(estimator, exported=CLASSES, place=PLACE, **scores):
    return ModelCard(make_card(estimator, estimator._export(), exported, place, scores))


def section(card, title):
    return re.search(rf"^## {title}\n\n(.*?)(?=\n## |\Z)", card.text, re.M | re.S)[1]


def without_blocks(card):
    return re.sub(r"^```python\n.*?^```$", "", card.text, flags=re.S | re.M)


def titles(card):
    return re.findall(r"^#+ .*", without_blocks(card), re.M)


@pytest.mark.parametrize("name", CASES)
def test_every_estimator_has_a_card(fitted, tmp_path, name):
    fitted(name).save_pretrained(tmp_path / "my-model")
    card = ModelCard.load(tmp_path / "my-model" / "README.md")
    assert titles(card)[:2] == ["# my-model", "## Model"]
    assert "sklearn-bert" in card.data.tags
    # Neither texts nor the folders of the machine.
    assert not any(text in card.content for text in TEXTS)
    assert str(tmp_path) not in card.content
    assert "/tmp" not in card.content


def test_the_metadata_are_those_that_the_hub_specifies(fitted):
    assert card_of(fitted("classes of texts")).data.to_dict() == {
        "library_name": "transformers",
        "pipeline_tag": "text-classification",
        "tags": ["sklearn-bert", "scikit-learn", "transformers"],
    }
    data = card_of(fitted("features"), FEATURES).data
    assert data.library_name == "sentence-transformers"
    assert data.pipeline_tag == "feature-extraction"
    tokenizer = card_of(fitted("ids"), Exported(None, "AutoTokenizer")).data
    assert "pipeline_tag" not in tokenizer.to_dict()


def test_a_model_of_the_hub_is_the_base_with_its_commit_and_license(own_bert, fitted):
    (own_bert / "README.md").write_text("---\nlicense: apache-2.0\n---\n")
    vectorizer = BertVectorizer(own_bert).fit(TEXTS)
    card = card_of(vectorizer, FEATURES)
    assert card.data.license == "apache-2.0"
    assert "License of the base model: apache-2.0" in card.text
    assert "Base model: a local folder `'own-bert'`" in card.text
    assert "model='own-bert'" in card.text
    assert card.data.base_model is None


def test_a_vectorizer_is_described_by_its_current_parameters(own_bert, tiny_bert):
    (own_bert / "README.md").write_text("---\nlicense: apache-2.0\n---\n")
    vectorizer = BertVectorizer(own_bert, pooling="cls", prompt="a ").fit(TEXTS)
    vectorizer.set_params(model=tiny_bert, pooling="max", max_length=20, prompt="b ")
    card = card_of(vectorizer, FEATURES)
    assert card.data.license is None
    model = section(card, "Model")
    assert "Base model: a local folder `'tiny-bert'`" in model
    assert "Maximum length: 20 tokens" in model
    assert "Pooling: max" in model
    assert "Prompt in front of each text: `'b '`" in model
    assert "own-bert" not in card.content


def test_a_fine_tuned_model_is_described_by_its_fit(tiny_bert, own_bert):
    classifier = BertClassifier(tiny_bert, pooling="max", prompt="a ", **QUICK)
    classifier.fit(TEXTS, list("ab") * 6)
    n_tokens = classifier.max_length_
    classifier.set_params(model=own_bert, pooling="mean", prompt="b ", max_length=9)
    card = card_of(classifier)
    model = section(card, "Model")
    assert "Base model: a local folder `'tiny-bert'`" in model
    assert "Pooling: max" in model
    assert f"Maximum length: {n_tokens} tokens" in model
    assert "Prompt in front of each text: `'a '`" in model
    parameters = section(card, "Parameters").splitlines()
    for shown in ("pooling='max'", "prompt='a '", f"max_length={n_tokens}"):
        assert f"    {shown}," in parameters
    assert "    model='tiny-bert'," in parameters


def test_a_tokenizer_is_described_by_its_fit(tiny_bert):
    tokenizer = BertTokenizer(tiny_bert, max_length=9).fit(TEXTS)
    tokenizer.set_params(max_length=12)
    card = card_of(tokenizer, Exported(None, "AutoTokenizer"))
    assert "Maximum length: 9 tokens" in section(card, "Model")
    assert "    max_length=9," in section(card, "Parameters").splitlines()


def test_an_unknown_license_is_to_be_filled_in(fitted):
    card = card_of(fitted("classes of texts"))
    assert "License of the base model: unknown. Add it here" in card.text
    assert card.data.license is None


def test_scores_are_shown_and_indexed(fitted):
    card = card_of(fitted("classes of texts"), accuracy=0.9, macro_f1=0.875)
    assert section(card, "Scores").splitlines()[2:4] == [
        "| accuracy | 0.9 |",
        r"| macro\_f1 | 0.875 |",
    ]
    found = [(one.metric_type, one.metric_value) for one in card.data.eval_results]
    assert found == [("accuracy", 0.9), ("macro_f1", 0.875)]
    assert "Scores" not in card_of(fitted("classes of texts")).text


def test_the_data_are_counted_by_class(fitted):
    data = section(card_of(fitted("classes of integers")), "Training data")
    assert data.splitlines() == [
        "12 texts.",
        "",
        "| Class | Texts |",
        "| --- | --- |",
        "| `-1` | 3 |",
        "| `3` | 3 |",
        "| `7` | 6 |",
    ]
    assert section(card_of(fitted("a number")), "Training data") == "12 texts.\n"
    tags = section(card_of(fitted("tags"), TAGS), "Training data")
    n_words = sum(map(len, WORDS))
    counts = [int(row.split("|")[2]) for row in tags.splitlines()[4:]]
    assert tags.startswith("12 sentences.\n\n| Tag | Words |")
    assert sum(counts) == n_words
    assert "Training data" not in card_of(fitted("features"), FEATURES).text


def test_pairs_are_counted_as_such(tiny_bert):
    pairs = np.array([TEXTS, TEXTS]).T
    classifier = BertClassifier(tiny_bert, **QUICK).fit(pairs, list("ab") * 6)
    card = card_of(classifier)
    assert section(card, "Training data").startswith("12 pairs of texts.")
    assert "Assigns one of 2 classes to a pair of texts." in card.text


def test_an_estimator_of_an_earlier_version_has_no_counts(tiny_bert):
    classifier = BertClassifier(tiny_bert, **QUICK).fit(TEXTS, list("ab") * 6)
    del classifier.n_samples_seen_, classifier.class_count_
    assert "Training data" not in card_of(classifier).text


def test_many_classes_are_cut(tiny_bert):
    tags = [
        [f"t{17 * row + place}" for place, _ in enumerate(words)]
        for row, words in enumerate(WORDS)
    ]
    tagger = BertTokenClassifier(tiny_bert, **QUICK).fit(WORDS, tags)
    tagger.classes_ = np.array([f"t{k}" for k in range(1000)])
    tagger.class_count_ = np.arange(1000)
    data = section(card_of(tagger, TAGS), "Training data")
    assert data.count("\n| `'t") == 200
    assert data.endswith("800 more are in config.json.\n")


# What would break a card, its metadata or its tables, or be markup.
HOSTILE = [
    "a\n---\n# Title",
    "---",
    "<script>alert(1)</script>",
    "`code` ``more``",
    "a | b \\| c",
    "[link](https://example.com)",
    "\u202eright to left\x00\x1b[31m",
    "| --- |\r\n| x |",
    "```\nfence",
    "x" * 5000,
    "ok",
    "\u2028line",
]


def test_hostile_names_break_nothing(fitted, tiny_bert):
    y = HOSTILE
    weights = dict.fromkeys(HOSTILE, 1.0)
    classifier = BertClassifier(tiny_bert, class_weight=weights, **QUICK)
    classifier.fit(TEXTS, y)
    normal = card_of(fitted("classes of texts"))
    for name in HOSTILE:
        card = card_of(classifier, place=Place(name), accuracy=0.9)
        assert len(titles(card)) == len(titles(normal)) + 1
        assert card.data.to_dict().keys() == {*normal.data.to_dict(), "model-index"}
        rows = section(card, "Training data").splitlines()[2:]
        assert len(rows) == 2 + len(HOSTILE)
        # Every row has two cells: the bars of names are escaped.
        assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {3}
        no_code = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", without_blocks(card))
        assert not re.search(r"(?<!\\)[<\[`]", no_code)
        lines = card.text.splitlines()
        assert all(line.isprintable() and len(line) < 8000 for line in lines)


def test_a_hostile_record_is_no_markup(tiny_bert):
    classifier = BertClassifier(tiny_bert, **QUICK).fit(TEXTS, list("ab") * 6)
    name, commit = "a](x) <b>`c`\n```\n# T", "`<script>`\n# T"
    expected = titles(card_of(classifier))
    record = replace(classifier.checkpoint_, model=name, source="estimator")
    classifier.checkpoint_ = record
    card = card_of(classifier)
    assert titles(card) == expected
    assert "    model=...," in section(card, "Parameters")
    link, ending = _describe_base(record, BaseModel(name, True, commit, {})).split(", ")
    assert link.startswith(rf"[{plain(name)}](https://huggingface.co/a%5D%28x%29%20")
    assert not re.search(r"[<`\s]", link.split("huggingface.co")[1])
    assert ending == "commit `` `<script>` # T ``"


def test_a_prompt_is_one_line(tiny_bert):
    vectorizer = BertVectorizer(tiny_bert, prompt="a\n## b `c` <d>").fit(TEXTS)
    card = card_of(vectorizer, FEATURES)
    assert r"* Prompt in front of each text: ``'a\n## b `c` <d>'``" in card.text
    assert titles(card)[2] == "## Parameters"


def test_a_card_is_the_same_twice(fitted):
    first, second = (card_of(fitted("several labels")).content for _ in range(2))
    assert first == second
