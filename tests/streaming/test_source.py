"""The rows of Parquet files, read in order and a few at a time."""

import shutil

import pytest

from sklearn_bert.exceptions import InputError
from sklearn_bert.streaming._source import ParquetSource, Reader

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


def pieces(source, ranges, size):
    """Return the file, the first row and the texts of each piece of some rows."""
    reader = Reader(ParquetSource(source), ["text"], size)
    return [
        (one.file, one.first, one.table["text"].to_pylist())
        for start, stop in ranges
        for one in reader.read(start, stop)
    ]


@pytest.mark.parametrize("size", [1, 4, 10, 1000])
@pytest.mark.parametrize(
    "ranges",
    [
        [(0, 40)],
        [(0, 7), (7, 26), (26, 40)],
        [(12, 13)],
        [(3, 5), (21, 30), (8, 9)],
        [(24, 26), (39, 40)],
    ],
)
def test_rows_are_those_between_two_numbers(source, texts, ranges, size):
    found = pieces(source, ranges, size)
    assert max(len(rows) for _, _, rows in found) <= size
    assert [text for _, _, rows in found for text in rows] == [
        text for start, stop in ranges for text in texts[start:stop]
    ]
    for file, first, rows in found:
        offset = {"a.parquet": 0, "b.parquet": 25}[file]
        assert rows == texts[offset + first : offset + first + len(rows)]


def test_pieces_of_some_rows_do_not_depend_on_what_was_read_before(source):
    whole = pieces(source, [(0, 13), (13, 40)], 4)
    assert whole[-len(pieces(source, [(13, 40)], 4)) :] == pieces(source, [(13, 40)], 4)


def test_successive_rows_are_read_once(source, monkeypatch):
    opened = []
    original = pq.ParquetFile.iter_batches

    def count(self, *args, **options):
        opened.append(options["row_groups"])
        return original(self, *args, **options)

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", count)
    pieces(source, [(0, 3), (3, 25), (25, 40)], 4)
    pieces(source, [(21, 22)], 4)
    assert opened == [[0, 1, 2], [0, 1], [2]]


def test_a_file_is_a_source(source, texts):
    assert ParquetSource(source / "b.parquet").n_rows == 15


def test_files_without_rows_are_passed_over(source, texts):
    empty = pa.table({"id": pa.array([], pa.int64()), "text": pa.array([], "string")})
    for name in ("0", "a0", "c"):
        pq.write_table(empty, source / f"{name}.parquet")
    found = pieces(source, [(0, 40)], 1000)
    assert [(file, first) for file, first, _ in found] == [
        ("a.parquet", 0),
        ("b.parquet", 0),
    ]


def test_hidden_and_other_files_are_not_read(source):
    for name in (".a.parquet", "_a.parquet", "notes.txt"):
        (source / name).write_text("no table")
    # Such as a target in the folder of its source.
    (source / "features.parquet").mkdir()
    assert ParquetSource(source).n_rows == 40


def test_the_digest_is_that_of_names_and_contents(source, tmp_path):
    digest = ParquetSource(source).digest()
    copy = shutil.copytree(source, tmp_path / "copy")
    assert ParquetSource(copy).digest() == digest
    (copy / "b.parquet").rename(copy / "c.parquet")
    assert ParquetSource(copy).digest() != digest
    (copy / "c.parquet").rename(copy / "b.parquet")
    rows = pq.read_table(copy / "b.parquet").slice(0, 14)
    pq.write_table(rows, copy / "b.parquet")
    assert ParquetSource(copy).digest() != digest


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_a_source_without_files_is_refused(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="source must be a Parquet file, or a folder"):
        ParquetSource(tmp_path / name)


def test_a_source_without_rows_is_refused(tmp_path):
    pq.write_table(pa.table({"text": pa.array([], "string")}), tmp_path / "a.parquet")
    with pytest.raises(InputError, match="at least one row"):
        ParquetSource(tmp_path)


def test_files_with_other_columns_are_refused(source):
    pq.write_table(pa.table({"text": ["a"]}), source / "c.parquet")
    with pytest.raises(InputError, match=r"Got a\.parquet and c\.parquet"):
        ParquetSource(source)


def test_a_damaged_file_is_named(source):
    path = source / "b.parquet"
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(InputError, match=r"b\.parquet', which cannot be read"):
        ParquetSource(source)


def test_damage_in_the_middle_of_a_file_is_found_when_it_is_read(source):
    path = source / "b.parquet"
    content = bytearray(path.read_bytes())
    content[4:200] = bytes(196)
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"b\.parquet', which cannot be read"):
        pieces(source, [(0, 40)], 1000)
