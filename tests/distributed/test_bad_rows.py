"""Errors say in which partition they happened, also in another process."""

import pickle
import traceback

import pytest

from sklearn_bert import BertVectorizer
from sklearn_bert.distributed._bad_rows import naming_partition
from sklearn_bert.exceptions import InputError


def test_error_about_rows_names_the_partition(tiny_bert):
    with (
        pytest.raises(
            InputError, match=r"^In partition 3: X must .* in row 1: "
        ) as info,
        naming_partition("partition 3"),
    ):
        BertVectorizer(tiny_bert).transform(["a text", None])
    copy = pickle.loads(pickle.dumps(info.value))
    assert type(copy) is InputError
    assert str(copy) == str(info.value)


def test_other_errors_have_a_note():
    with pytest.raises(UnicodeDecodeError) as info, naming_partition("partition 3"):
        b"\xff".decode()
    copy = pickle.loads(pickle.dumps(info.value))
    assert "partition 3" in "".join(traceback.format_exception(copy))
