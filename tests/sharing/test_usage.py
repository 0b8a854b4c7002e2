"""The code in a model card runs, and gives what the estimator gives."""

import re

import numpy as np
import pytest
from saving.cases import QUICK, TEXTS
from sklearn.base import clone

from sklearn_bert import BertClassifier, BertVectorizer
from sklearn_bert._engine.export.contents import Exported
from sklearn_bert._sharing.usage import Place, show_usage

TEXT = "A text to read."
PAIR = ["The first text.", "The second text."]
EVERY = [
    "classes of texts",
    "several labels",
    "a number",
    "tags",
    "features",
    "features of a classifier",
    "a new model",
]


def usage_of(estimator, exported, place):
    return show_usage(estimator, estimator._export(), exported, place)


@pytest.fixture
def run_card(tmp_path, monkeypatch):
    """Return a function that saves an estimator and runs the code of its card."""

    def run(estimator):
        estimator.save_pretrained(tmp_path / "my model")
        card = (tmp_path / "my model" / "README.md").read_text(encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        found = {}
        for title, code in re.findall(
            r"## Use with (\S+)\n.*?```python\n(.*?)```", card, re.DOTALL
        ):
            found[title] = {}
            exec(code, found[title])
        return found

    return run


@pytest.mark.parametrize("name", EVERY)
def test_all_code_runs(fitted, run_card, name):
    found = run_card(fitted(name))
    assert {"sklearn-bert", "transformers"} <= set(found)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"pooling": "max", "normalize": True},
        {"layers": 1, "prompt": "query: "},
        {"layers": (-1, 0)},
        {"truncate_dim": 5, "normalize": True},
        {"long_text": "window", "max_length": 6},
    ],
    ids=str,
)
def test_features_are_those_of_the_estimator(tiny_bert, run_card, options):
    vectorizer = BertVectorizer(tiny_bert, **options).fit([TEXT])
    expected = vectorizer.transform([TEXT])
    found = run_card(vectorizer)
    np.testing.assert_allclose(found["sklearn-bert"]["features"], expected, atol=1e-6)
    # It has no windows, and no features of several layers.
    if isinstance(options.get("layers", -1), int) and "long_text" not in options:
        other = found["sentence-transformers"]["features"]
        np.testing.assert_allclose(other, expected, atol=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"pooling": "max", "prompt": "query: "},
        {"long_text": "window", "max_length": 6},
    ],
    ids=str,
)
def test_parameters_that_are_set_after_a_fit_do_not_change_the_code(
    tiny_bert, run_card, options
):
    classifier = BertClassifier(tiny_bert, **options, **QUICK)
    classifier.fit(TEXTS, list("ab") * 6)
    expected = BertVectorizer(classifier, **options).transform([TEXT])
    classifier.set_params(
        pooling="mean", prompt="a ", max_length=64, long_text="head_tail"
    )
    found = run_card(classifier)["sklearn-bert"]["features"]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_pairs_are_compared_as_in_the_estimator(tiny_bert, run_card):
    vectorizer = BertVectorizer(tiny_bert, pooling="compare").fit([PAIR])
    found = run_card(vectorizer)["sklearn-bert"]["features"]
    np.testing.assert_allclose(found, vectorizer.transform([PAIR]), atol=1e-6)


@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_other_programs_read_pairs_too(tiny_bert, run_card, pooling):
    vectorizer = BertVectorizer(tiny_bert, pooling=pooling).fit([PAIR])
    found = run_card(vectorizer)
    expected = vectorizer.transform([PAIR])
    other = found["sentence-transformers"]["features"]
    np.testing.assert_allclose(other, expected, atol=1e-5)
    if pooling == "cls":
        states = found["transformers"]["states"].detach().numpy()
        np.testing.assert_allclose(states[:, 0], expected, atol=1e-5)


def test_the_file_of_the_linear_layer_is_named(tiny_bert, tmp_path):
    classifier = BertClassifier(tiny_bert, pooling="mean", **QUICK)
    classifier.fit(TEXTS, list("ab") * 6).save_pretrained(tmp_path / "saved")
    card = (tmp_path / "saved" / "README.md").read_text(encoding="utf-8")
    assert "also in `head.safetensors`" in card
    assert (tmp_path / "saved" / "head.safetensors").is_file()


@pytest.mark.filterwarnings("ignore::sklearn_bert.exceptions.TruncationWarning")
@pytest.mark.parametrize("name", ["ids", "counts of a learned vocabulary"])
def test_ids_are_those_of_the_estimator(fitted, run_card, name):
    tokenizer = clone(fitted(name)).set_params(output="ids").fit(TEXTS)
    found = run_card(tokenizer)
    assert set(found) == {"transformers"}
    expected = tokenizer.transform([TEXT])[0].tolist()
    assert found["transformers"]["ids"] == [expected]


def test_what_is_not_reproduced_is_listed(fitted):
    exported = Exported(
        "feature-extraction", "AutoModel", not_reproduced=("this", "and that")
    )
    limits = dict(usage_of(fitted("features"), exported, Place("model")))["Limits"]
    assert limits.endswith("do not reproduce:\n\n* this\n* and that")
    complete = Exported("feature-extraction", "AutoModel")
    assert "Limits" not in dict(usage_of(fitted("features"), complete, Place("m")))


def test_a_branch_is_named_wherever_a_model_is_opened(fitted):
    exported = Exported(
        "feature-extraction", "AutoModel", has_sentence_transformer=True
    )
    place = Place("ann/model", "v2")
    for _, text in usage_of(fitted("features"), exported, place):
        n_named = text.count("'ann/model', revision='v2'")
        assert n_named == text.count("ann/model") > 0


@pytest.mark.parametrize("name", ["it's", 'a"b', "a\n```\nb", "\\", "'); x = (1, '"])
def test_odd_names_are_texts_in_the_code(fitted, name):
    exported = Exported("feature-extraction", "AutoModel")
    sections = dict(usage_of(fitted("features"), exported, Place(name)))
    code = sections["Use with sklearn-bert"].splitlines()[1:-1]
    call = f"BertVectorizer({name!r}, layers=(-1, 0), normalize=True)"
    assert f"vectorizer = {call}" in code
    compile("\n".join(code), "card", "exec")


def test_texts_of_the_training_are_not_in_the_code(fitted):
    exported = Exported("text-classification", "AutoModelForSequenceClassification")
    sections = usage_of(fitted("classes of texts"), exported, Place("model"))
    assert not any(text in section for _, section in sections for text in TEXTS)
