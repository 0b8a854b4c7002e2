"""A pickle holds parameters, weights and a vocabulary, and nothing of the machine."""

import io
import os
import pickle
import pickletools
import shutil
from pathlib import Path

import pytest

from sklearn_bert import (
    BertClassifier,
    BertMaskedLM,
    BertRegressor,
    BertTokenClassifier,
    BertTokenizer,
    BertVectorizer,
)

# A word that is nowhere else.
TEXTS = ["a zebrafish film", "the bad plot", "good music", "bad and dull"]
WORDS = [text.split() for text in TEXTS]
TAGS = [["A", *["B"] * (len(words) - 1)] for words in WORDS]
QUICK = {"n_epochs": 1, "random_state": 0, "dtype": "float32"}
FITTED = {
    "vectorizer": lambda model: BertVectorizer(model).fit(TEXTS),
    "tokenizer": lambda model: BertTokenizer(model).fit(TEXTS),
    "classifier": lambda model: BertClassifier(model, **QUICK).fit(TEXTS, [0, 1, 0, 1]),
    "partial": lambda model: BertClassifier(model, **QUICK).partial_fit(
        TEXTS, [0, 1, 0, 1], classes=[0, 1]
    ),
    "stopped": lambda model: BertClassifier(
        model, early_stopping=True, validation_fraction=0.5, **QUICK
    ).fit(TEXTS, [0, 1, 0, 1]),
    "regressor": lambda model: BertRegressor(model, **QUICK).fit(TEXTS, [0, 1, 2, 3]),
    "tagger": lambda model: BertTokenClassifier(model, **QUICK).fit(WORDS, TAGS),
    "masked": lambda model: BertMaskedLM(model, max_steps=1).fit(TEXTS),
}


def content_of(estimator):
    """Return the texts of a pickle, and the modules of its classes."""
    texts = [
        argument
        for operation, argument, _ in pickletools.genops(pickle.dumps(estimator))
        if "UNICODE" in operation.name
    ]
    return texts, {text.split(".")[0] for text in texts if text.startswith("torch")}


class Recorder(pickle.Unpickler):
    """Notes every class and function that a pickle names."""

    def __init__(self, saved):
        super().__init__(io.BytesIO(saved))
        self.found = set()

    def find_class(self, module, name):
        self.found.add(f"{module}.{name}")
        return super().find_class(module, name)


@pytest.fixture
def relative(tiny_bert, tmp_path, monkeypatch):
    """The model in the current folder, under its relative name."""
    shutil.copytree(tiny_bert, tmp_path / "some-model")
    monkeypatch.chdir(tmp_path)
    return "some-model"


@pytest.mark.parametrize("name", FITTED)
def test_no_absolute_path_no_text_and_no_tensor_is_kept(relative, name):
    texts, modules = content_of(FITTED[name](relative))
    assert not [text for text in texts if os.getcwd() in text or text[:1] == "/"]
    assert not [text for text in texts if "zebrafish" in text]
    assert modules == set()


@pytest.mark.parametrize("name", FITTED)
def test_of_this_package_only_the_public_name_of_the_class_is_in_it(relative, name):
    estimator = FITTED[name](relative)
    recorder = Recorder(pickle.dumps(estimator))
    recorder.load()
    foreign = {x for x in recorder.found if not x.startswith(("numpy.", "_codecs."))}
    assert foreign == {f"sklearn_bert.{type(estimator).__name__}"}


@pytest.mark.parametrize("name", ["vectorizer", "classifier", "masked"])
def test_paths_of_parameters_become_texts(relative, name):
    # pathlib's own pickles can only be loaded on the same kind of system.
    estimator = FITTED[name](Path(relative))
    assert isinstance(estimator.model, Path)
    texts, _ = content_of(estimator)
    assert not [text for text in texts if "Path" in text or "pathlib" in text]
    assert pickle.loads(pickle.dumps(estimator)).model == relative


def test_the_moments_of_the_optimizer_are_kept_only_by_partial_fit(tiny_bert):
    whole = FITTED["classifier"](str(tiny_bert))
    partial = FITTED["partial"](str(tiny_bert))
    n_whole = len(pickle.dumps(whole))
    assert len(pickle.dumps(partial)) > 2 * n_whole
    assert len(pickle.dumps(partial.fit(TEXTS, [0, 1, 0, 1]))) < 1.1 * n_whole
