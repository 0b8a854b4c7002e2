"""Invalid inputs and parameters of BertMaskedLM, and the error messages."""

import numpy as np
import pytest

from masked_lm.making import make
from sklearn_bert import BertVectorizer
from sklearn_bert.exceptions import InputError, TextRepairWarning


@pytest.mark.parametrize(
    ("X", "match"),
    [
        ("a text", "string object received"),
        ("/texts/a.txt", r"a file as a pathlib\.Path"),
        ([], "0 sample"),
        (["a", None], "None .* in row 1"),
        ([("a", "b")], "must have one column of texts"),
        (["", "  "], "at least one word"),
        (iter([]), "at least one word.*an iterable without texts"),
        (iter(["a", 3]), r"3 \(int\) in row 1"),
    ],
)
def test_invalid_inputs_are_refused(X, match):
    with pytest.raises(InputError, match=match):
        make().fit(X)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="which is not a file"):
        make().fit(tmp_path / "texts.txt")


def test_a_file_in_another_encoding_is_refused(tmp_path):
    path = tmp_path / "texts.txt"
    path.write_bytes("déjà vu\n".encode("latin-1"))
    with pytest.raises(InputError, match="must be encoded in UTF-8"):
        make().fit(path)


def test_hidden_size_must_be_divisible_by_n_heads():
    with pytest.raises(ValueError, match=r"Got 16 and 3\. Set hidden_size=18"):
        make(hidden_size=16, n_heads=3).fit(["a"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"mask_probability": 1.0},
        {"learning_rate": "fast"},
        {"n_layers": 0},
        {"checkpoint_interval": -1.0},
        {"max_time": 0},
        {"model": 3},
        # tokenizers would end the process.
        {"vocab_size": 10**9},
    ],
)
def test_invalid_parameters_raise_scikit_learns_error(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f"The '{name}' parameter of BertMaskedLM"):
        make(**wrong).fit(["a"])


@pytest.mark.parametrize("folder", [None, 5, ["x"], b"x"])
def test_a_model_is_saved_to_a_path(fitted, folder):
    with pytest.raises(ValueError, match="The 'folder' parameter of BertMaskedLM"):
        fitted.save_pretrained(folder)


@pytest.mark.parametrize("kind", [np.int64, np.int32])
def test_integers_of_numpy_are_sizes(kind):
    sizes = {"n_layers": 1, "n_heads": 2, "hidden_size": 8, "max_length": 16}
    fitted = make(**{name: kind(size) for name, size in sizes.items()}).fit(["a film"])
    assert BertVectorizer(fitted).transform(["a film"]).shape == (1, 8)


def test_a_mask_has_characters():
    with pytest.raises(ValueError, match="mask must contain at least one character"):
        make().fill_mask(["a [MASK]"], mask="")


class Again:
    """An iterable without a length, which a fit iterates over several times."""

    def __iter__(self):
        yield from ["a\ud800b", "fine"] * 20


@pytest.mark.parametrize("read", [iter, lambda texts: texts])
def test_lone_surrogates_of_an_iterable_give_one_warning(read):
    with pytest.warns(TextRepairWarning, match="20 of 40 texts contained") as caught:
        make(max_steps=1).fit(read(Again()))
    assert len(caught) == 1
