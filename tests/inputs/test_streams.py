"""Texts that need not fit into memory: files and iterables."""

import pytest

from sklearn_bert._inputs.streams import check_stream
from sklearn_bert.exceptions import InputError, TextRepairWarning


@pytest.fixture
def path(tmp_path):
    return tmp_path / "texts.txt"


def test_lines_of_a_file_are_texts_but_for_blank_ones(path):
    path.write_text("a film\n\n  \n a plot \n", encoding="utf-8")
    assert list(check_stream(path)) == ["a film", "a plot"]


def test_a_file_is_read_as_often_as_asked_for(path):
    path.write_text("a film\n", encoding="utf-8")
    stream = check_stream(path)
    assert list(stream) == list(stream) == ["a film"]


def test_a_file_that_is_missing_is_refused_at_once(path):
    with pytest.raises(InputError, match="which is not a file"):
        check_stream(path)


def test_a_file_in_another_encoding_is_refused_when_it_is_read(path):
    path.write_bytes("déjà vu\n".encode("latin-1"))
    stream = check_stream(path)
    with pytest.raises(InputError, match="must be encoded in UTF-8"):
        list(stream)


def test_an_iterator_that_has_been_read_is_refused():
    texts = iter(["a film"])
    assert list(check_stream(texts)) == ["a film"]
    with pytest.raises(InputError, match="A generator can be read only once"):
        list(check_stream(texts))


def test_an_iterator_is_read_only_when_needed():
    read = []
    stream = check_stream(read.append(text) or text for text in ("a", "b"))
    assert read == []
    assert list(stream) == ["a", "b"]


def test_a_value_that_is_not_a_text_is_named_with_its_row():
    with pytest.raises(InputError, match=r"Got 3 \(int\) in row 1"):
        list(check_stream(iter(["a", 3])))


def test_lone_surrogates_are_replaced():
    with pytest.warns(TextRepairWarning, match="1 of 2 texts"):
        assert list(check_stream(iter(["a\ud800", "b"]))) == ["a\ufffd", "b"]


def test_a_single_text_is_refused():
    with pytest.raises(InputError, match=r"the path of a file as a pathlib\.Path"):
        check_stream("a film")
