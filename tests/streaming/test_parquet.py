"""From Parquet files to Parquet files, in constant memory and resumable."""

import json
import os
import signal
import subprocess
import sys
import time

import joblib
import numpy as np
import pytest

from sklearn_bert import BertTokenClassifier, BertVectorizer
from sklearn_bert.exceptions import InputError, ResumeError, TruncationWarning
from sklearn_bert.streaming import _target, transform_parquet

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

# Files of 12 rows, the third of which has rows of both files of the source.
SIZES = {"columns": "text", "batch_size": 5, "rows_per_file": 12}


@pytest.fixture
def target(tmp_path):
    return tmp_path / "target"


@pytest.fixture
def undisturbed(vectorizer, source, tmp_path):
    """The contents of the files of an undisturbed run that keeps the column id."""
    folder = tmp_path / "undisturbed"
    transform_parquet(vectorizer, source, folder, keep=["id"], **SIZES)
    return contents_of(folder)


def contents_of(folder):
    return {name: (folder / name).read_bytes() for name in sorted(os.listdir(folder))}


def vectors_of(table):
    return np.array(table["transform"].to_pylist(), dtype=np.float32)


@pytest.mark.parametrize("rows_per_file", [12, 40, 1000])
@pytest.mark.parametrize("batch_size", [1, 1000])
def test_rows_are_those_of_the_source_in_order(
    vectorizer, source, target, texts, batch_size, rows_per_file
):
    sizes = {"batch_size": batch_size, "rows_per_file": rows_per_file}
    transform_parquet(
        vectorizer, source, target, columns="text", keep=["text", "id"], **sizes
    )
    table = pq.read_table(target)
    assert table.column_names == ["text", "id", "transform"]
    assert table["text"].to_pylist() == texts
    np.testing.assert_allclose(
        vectors_of(table), vectorizer.transform(texts), atol=5e-6
    )


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
@pytest.mark.parametrize("name", ["classifier", "pipeline"])
def test_predictions_are_those_of_one_call(
    name, method, source, target, texts, request
):
    estimator = request.getfixturevalue(name)
    transform_parquet(estimator, source, target, method=method, **SIZES)
    found = pq.read_table(target)[method].to_pylist()
    expected = getattr(estimator, method)(texts)
    if method == "predict":
        assert found == expected.tolist()
    else:
        np.testing.assert_allclose(found, expected, atol=5e-6)


def test_a_batch_may_contain_only_empty_sentences(tiny_bert, tmp_path, target):
    sentences = [["a", "film"], ["the", "plot"]]
    tagger = BertTokenClassifier(tiny_bert, n_epochs=1).fit(sentences, [[0, 1], [0, 0]])
    table = pa.table({"words": pa.array([[], [], *sentences], pa.list_(pa.string()))})
    pq.write_table(table, tmp_path / "a.parquet")
    transform_parquet(
        tagger, tmp_path / "a.parquet", target, method="predict", batch_size=2
    )
    found = pq.read_table(target)["predict"].to_pylist()
    assert found == [[], [], *tagger.predict(sentences)]


def test_pairs_are_read_from_two_columns(vectorizer, tmp_path, target, texts):
    pq.write_table(pa.table({"a": texts, "b": texts[::-1]}), tmp_path / "pairs.parquet")
    transform_parquet(
        vectorizer, tmp_path / "pairs.parquet", target, columns=["a", "b"]
    )
    expected = vectorizer.transform(list(zip(texts, texts[::-1], strict=True)))
    np.testing.assert_allclose(vectors_of(pq.read_table(target)), expected, atol=5e-6)


def test_pandas_and_polars_read_the_folder_in_order(vectorizer, source, target):
    pd, pl = pytest.importorskip("pandas"), pytest.importorskip("polars")
    transform_parquet(vectorizer, source, target, keep=["id"], **SIZES)
    rows = list(range(40))
    assert pd.read_parquet(target)["id"].tolist() == rows
    frame = pl.read_parquet(target)
    assert frame["id"].to_list() == rows
    assert frame.schema["transform"] == pl.Array(pl.Float32, 32)


@pytest.mark.parametrize("lost", [[0], [1, 2], [0, 3]])
def test_missing_files_are_written_again_byte_for_byte(
    vectorizer, source, target, undisturbed, lost
):
    def call():
        transform_parquet(vectorizer, source, target, keep=["id"], **SIZES)

    call()
    for k in lost:
        (target / f"part-{k:05}.parquet").unlink()
    call()
    assert contents_of(target) == undisturbed


def test_a_finished_run_computes_nothing(vectorizer, source, target, encoded_texts):
    for _ in range(2):
        transform_parquet(vectorizer, source, target, **SIZES)
    assert sum(encoded_texts) <= 40


def test_a_bad_row_is_named_in_its_file_and_what_is_finished_remains(
    vectorizer, source, target, texts
):
    rows = pa.table({"id": range(15), "text": [*texts[25:33], None, *texts[34:]]})
    pq.write_table(rows, source / "b.parquet")
    with pytest.raises(InputError, match=r"None .*in row 8 of b\.parquet: ") as caught:
        transform_parquet(vectorizer, source, target, **SIZES)
    assert caught.value.__notes__ == ["In rows 5 to 9 of b.parquet."]
    assert sorted(os.listdir(target)) == ["part-00000.parquet", "part-00001.parquet"]


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"method": "predict_proba"}, "a different method"),
        ({"keep": ["id"]}, "a different keep"),
        ({"columns": ["text", "id"]}, "a different columns"),
    ],
)
def test_another_call_is_refused(classifier, source, target, change, shown):
    asked = {**SIZES, "method": "predict"}
    transform_parquet(classifier, source, target, **asked)
    before = contents_of(target)
    with pytest.raises(ResumeError, match=shown):
        transform_parquet(classifier, source, target, **{**asked, **change})
    assert contents_of(target) == before


def test_another_estimator_is_refused(vectorizer, tiny_bert, source, target):
    transform_parquet(vectorizer, source, target, **SIZES)
    other = BertVectorizer(tiny_bert, pooling="max")
    with pytest.raises(ResumeError, match="a different estimator"):
        transform_parquet(other, source, target, **SIZES)
    same = BertVectorizer(tiny_bert, batch_size=2, device="cpu")
    transform_parquet(same, source, target, **{**SIZES, "batch_size": 3})


def test_a_changed_source_is_refused(vectorizer, source, target, texts):
    transform_parquet(vectorizer, source, target, **SIZES)
    rows = pa.table({"id": range(15), "text": [*texts[25:39], "another"]})
    pq.write_table(rows, source / "b.parquet", row_group_size=10)
    with pytest.raises(ResumeError, match="a different source"):
        transform_parquet(vectorizer, source, target, **SIZES)


def test_missing_columns_are_found_before_anything_is_made(vectorizer, source, target):
    with pytest.raises(InputError, match="columns must be columns of the table"):
        transform_parquet(vectorizer, source, target, columns="review")
    assert not target.exists()


def test_one_warning_counts_all_truncated_texts(tiny_bert, source, target, texts):
    vectorizer = BertVectorizer(tiny_bert, max_length=8)
    with pytest.warns(TruncationWarning) as at_once:
        vectorizer.transform(texts)
    with pytest.warns(TruncationWarning) as caught:
        transform_parquet(vectorizer, source, target, **SIZES)
    assert [str(one.message) for one in caught] == [str(at_once[0].message)]


def test_progress_is_that_of_rows(vectorizer, source, target, capsys):
    transform_parquet(vectorizer, source, target, **SIZES)
    assert capsys.readouterr().err == ""
    (target / "part-00003.parquet").unlink()
    transform_parquet(vectorizer, source, target, verbose=1, **SIZES)
    assert "transform_parquet:  90%" in (shown := capsys.readouterr().err)
    assert "40/40" in shown


def test_a_link_to_a_folder_is_filled(vectorizer, source, target, tmp_path):
    (tmp_path / "disk").mkdir()
    target.symlink_to(tmp_path / "disk")
    transform_parquet(vectorizer, source, target, **SIZES)
    assert len(os.listdir(tmp_path / "disk")) == 4


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal")
def test_a_killed_process_is_resumed_by_another(
    vectorizer, source, target, undisturbed, tmp_path
):
    joblib.dump(vectorizer, tmp_path / "vectorizer")
    code = (
        "import sys, json, joblib; from sklearn_bert.streaming import *; "
        "transform_parquet(joblib.load(sys.argv[1]), *sys.argv[2:4], "
        "keep=['id'], **json.loads(sys.argv[4]))"
    )
    paths = [str(tmp_path / "vectorizer"), str(source), str(target)]
    command = [sys.executable, "-P", "-c", code, *paths, json.dumps(SIZES)]
    with subprocess.Popen(command) as process:
        while not target.exists() or not any(target.glob("*.parquet")):
            assert process.poll() is None
            time.sleep(0.001)
        process.kill()
    transform_parquet(vectorizer, source, target, keep=["id"], **SIZES)
    assert contents_of(target) == undisturbed


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_kill_at_any_step_of_a_file_leaves_whole_files(
    tmp_path, monkeypatch, undisturbed
):
    """Kill a child before each call that changes the folder."""
    tables = {
        name: pq.read_table(pa.BufferReader(x)) for name, x in undisturbed.items()
    }
    table = tables["part-00000.parquet"]
    outcomes = []
    for n_steps in range(1, 100):
        folder = tmp_path / str(n_steps)
        target = _target.ParquetTarget(folder, 12, 12, {"method": "transform"})
        pid = os.fork()
        if not pid:
            _count_steps_and_die(n_steps)
            with target.opened():
                target.write(range(12), table.to_batches())
            os._exit(0)
        status = os.waitpid(pid, 0)[1]
        whole = list(folder.glob("*.parquet"))
        assert all(pq.read_table(one).equals(table) for one in whole)
        with target.opened():
            for rows in target.missing():
                target.write(rows, table.to_batches())
        assert os.listdir(folder) == ["part-00000.parquet"]
        outcomes.append((status, len(whole)))
        if status == 0:
            break
    assert {count for _, count in outcomes} == {0, 1}
    assert len(outcomes) > 5


def _count_steps_and_die(n_steps):
    """Kill this process at one of the events that change folders or files."""
    left = n_steps

    def hook(event, args):
        nonlocal left
        if event in ("open", "os.mkdir", "os.rename", "os.rmdir", "os.remove"):
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
