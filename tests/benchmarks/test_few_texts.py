"""The comparison on few texts: what is drawn, skipped and reported."""

import numpy as np
import pytest
from sklearn.utils import Bunch

from benchmarks.accuracy import few_texts
from benchmarks.accuracy.few_texts import (
    Job,
    count_pairs,
    draw_texts,
    make_setfit,
    make_trainer,
    parse_arguments,
    read_reviews,
    read_single_labels,
    rows_of,
    run,
)
from benchmarks.shared.setup import Setup

GIVEN = Setup("folder", 32, "cpu", 1)


def job(arm="setfit", size="8"):
    return Job("sst2", arm, size, 0, None, "data", GIVEN)


@pytest.mark.parametrize(("size", "n_drawn"), [("8", 16), ("64", 60), ("500", 60)])
def test_few_texts_are_drawn_of_each_class(size, n_drawn):
    train = [str(k) for k in range(60)], np.repeat(["a", "b"], 30)
    X, y = draw_texts(train, size, 0)
    assert len(X) == len(set(X)) == n_drawn
    assert (y == "a").sum() == n_drawn // 2


def test_pairs_are_counted_as_in_setfit():
    # 6 pairs of one class, itself included, and 9 of two; the fewer ones are repeated.
    assert count_pairs(np.repeat(["a", "b"], 3)) == 2 * 12
    assert count_pairs(np.repeat([*"abcdef"], 8)) == 2 * 960


def test_hours_of_pairs_are_not_run():
    with pytest.raises(ValueError, match=r"^\d\d,\d{3} pairs .* take hours"):
        make_setfit(job(), ([], np.repeat(np.arange(77), 2)))


def test_trainer_needs_texts_to_choose_a_rate():
    with pytest.raises(ValueError, match="too few texts to choose"):
        make_trainer(job("trainer"), ([], np.array([])))


def test_texts_with_several_labels_are_left_out(tmp_path):
    file = tmp_path / "train.tsv"
    file.write_text("text\tlabels\none\tjoy\nboth\tjoy|love\ntwo\tlove\n")
    X, y = read_single_labels(file)
    assert X == ["one", "two"]
    assert y.tolist() == ["joy", "love"]


def test_no_review_is_in_both_parts(monkeypatch):
    reviews = Bunch(
        data=[*"abcde"],
        target=np.array([1.0, -1.0, 2.0, 0.0, -3.0]),
        ids=["1_1", "3_1", "3_2", "3_3", "5_1"],
    )
    monkeypatch.setattr(
        "sklearn_bert.datasets.fetch_vader_sentiment", lambda subset: reviews
    )
    (X, y), (X_test, y_test) = read_reviews()
    assert (X, X_test) == (["a", "e"], ["b", "c"])
    assert y.tolist() == ["praise", "complaint"]
    assert y_test.tolist() == ["complaint", "praise"]


def test_gains_are_those_of_the_same_seeds():
    records = [
        {"arm": "sklearn_bert", "seed": 0, "accuracy": 0.8, "cpu_s": 1.0},
        {"arm": "sklearn_bert", "seed": 1, "accuracy": 0.6, "cpu_s": 3.0},
        {"arm": "linear", "seed": 1, "accuracy": 0.5, "cpu_s": 0.5},
        {"arm": "setfit", "seed": 0, "not_run": "would take hours"},
    ]
    ours, linear, setfit = rows_of(records)
    assert ours["gain"] is None
    assert ours["cpu_s"] == 2
    assert linear["gain"]["mean"] == pytest.approx(-0.1)
    assert setfit == {"arm": "setfit", "not_run": "would take hours"}


def test_a_run_scores_and_resumes(tiny_bert, texts, tmp_path, monkeypatch):
    data = tmp_path / "sst2"
    data.mkdir()
    rows = "".join(f"{text}\t{len(text) > 60}\n" for text in texts)
    for part in ("train", "test"):
        (data / f"{part}.tsv").write_text(f"text\tlabel\n{rows}")
    journal = tmp_path / "done.jsonl"
    arguments = ["--data", str(tmp_path), "--sets", "sst2", "--arms", "linear"]
    options = parse_arguments([*arguments, "--journal", str(journal), "--quick"])
    given = Setup(str(tiny_bert), 32, "cpu", 1)
    first = run(options, given)
    assert 0.5 < first["rows"][0]["accuracy"]["mean"] <= 1
    # No process is started again.
    monkeypatch.setattr(few_texts, "run_alone", None)
    assert run(options, given)["rows"] == first["rows"]
