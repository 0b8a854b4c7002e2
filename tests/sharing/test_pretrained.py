"""save_pretrained writes a folder, twice if asked, and never over other files."""

import os

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from sklearn_bert import BertClassifier, BertTokenizer, BertVectorizer

TEXTS = ["a good film", "the bad plot"]


def test_a_cell_of_a_notebook_runs_twice(tiny_bert, tmp_path):
    vectorizer = BertVectorizer(tiny_bert).fit(TEXTS)
    for pooling in ("max", "cls"):
        vectorizer.set_params(pooling=pooling).save_pretrained(tmp_path / "model")
    found = BertVectorizer(tmp_path / "model").transform(TEXTS)
    np.testing.assert_array_equal(found, vectorizer.transform(TEXTS))
    assert os.listdir(tmp_path) == ["model"]


def test_a_folder_of_another_estimator_is_replaced(tiny_bert, tmp_path):
    BertVectorizer(tiny_bert).save_pretrained(tmp_path / "model")
    BertTokenizer(tiny_bert).fit(TEXTS).save_pretrained(tmp_path / "model")
    assert sorted(os.listdir(tmp_path / "model")) == [
        "README.md",
        "sklearn_bert.json",
        "tokenizer.json",
        "tokenizer_config.json",
    ]


@pytest.mark.parametrize("name", ["notes.txt", "data/notes.txt"])
def test_files_of_others_are_refused_by_name(tiny_bert, tmp_path, name):
    vectorizer = BertVectorizer(tiny_bert)
    folder = tmp_path / "model"
    vectorizer.save_pretrained(folder)
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("mine")
    with pytest.raises(ValueError, match=f"contains '{name}'. Move it to"):
        vectorizer.save_pretrained(folder)
    assert (folder / name).read_text() == "mine"


def test_a_file_is_refused(tiny_bert, tmp_path):
    (tmp_path / "model").write_text("mine")
    with pytest.raises(ValueError, match=r"folder must be a folder\. Got .* is a file"):
        BertVectorizer(tiny_bert).save_pretrained(tmp_path / "model")


def test_an_unfitted_estimator_is_refused(tiny_bert, tmp_path):
    with pytest.raises(NotFittedError):
        BertClassifier(tiny_bert).save_pretrained(tmp_path / "model")
    assert os.listdir(tmp_path) == []


def test_saving_changes_nothing(tiny_bert, tmp_path):
    vectorizer = BertVectorizer(tiny_bert).fit(TEXTS)
    before = dict(vars(vectorizer))
    vectorizer.save_pretrained(str(tmp_path / "model"))
    assert vars(vectorizer) == before
