"""The ratios of benchmarks/quick.py, next to the published ones."""

import pytest

from benchmarks import quick
from benchmarks.finetuning.arms import BASELINE
from benchmarks.shared.report import write_json
from benchmarks.shared.setup import Setup


def make_result(question, arms, *, text_set="mixed", device="cpu", **settings):
    """Return a result with the ratios of arms to the baseline."""
    column = quick.COLUMNS[question]
    return {
        "question": question,
        "machine": {"cpu": "a CPU", "device": device},
        "settings": settings,
        "rows": [
            {"set": text_set, "arm": arm, column: ratio and {"median": ratio}}
            for arm, ratio in arms.items()
        ],
    }


ENCODING = make_result(
    "encoding", {"sklearn_bert-float32": 3.0, "openvino-float32": 2.0, "other": 1.0}
)


def test_each_peer_has_a_ratio():
    assert quick.ratios(ENCODING) == {("encoding", "mixed", "openvino-float32"): 1.5}


def test_fine_tuning_is_compared_whatever_the_set():
    result = make_result(
        "finetuning", {"sklearn_bert": 4.0, BASELINE: 1.0}, text_set="sst2-1024"
    )
    assert quick.ratios(result) == {("finetuning", "", BASELINE): 4.0}


def test_an_arm_that_did_not_run_has_no_ratio():
    arms = {"sklearn_bert-float32": 3.0, "openvino-float32": None}
    assert quick.ratios(make_result("encoding", arms)) == {}


@pytest.mark.parametrize(
    "arguments", [{"device": "cuda: a GPU"}, {"busy": 1}], ids=["device", "busy"]
)
def test_other_conditions_are_not_compared(arguments, tmp_path):
    arms = {"sklearn_bert-float32": 3.0, "openvino-float32": 2.0}
    result = make_result("encoding", arms, **arguments)
    write_json(result, tmp_path / "encoding-here.json")
    assert list(quick.published(tmp_path, "cpu")) == []


def test_published_ratios_are_next_to_those_of_now(tmp_path):
    arms = {"sklearn_bert-float32": 1.75, "openvino-float32": 1.0}
    write_json(make_result("encoding", arms), tmp_path / "encoding-here.json")
    title, *table = quick.side_by_side([ENCODING], tmp_path).splitlines()
    assert "a CPU" in title
    assert table[0].split() == ["now", "encoding-here"]
    assert table[2].split() == [*"encoding mixed openvino-float32 1.5 1.75".split()]


def test_a_run_measures_both_questions(tmp_path, tiny_bert, monkeypatch):
    texts = ["a film", "a story of a man", "it is a good film"] * 8
    for question in (quick.encoding, quick.finetuning):
        monkeypatch.setattr(question, "set_threads", lambda n: None)
    monkeypatch.setattr(quick.encoding, "default_texts", lambda: texts)
    ours = {question: arms[:1] for question, arms in quick.ARMS.items()}
    monkeypatch.setattr(quick, "ARMS", ours)
    rows = "text\tlabel\n" + "a film\tup\na story\tdown\n" * 4
    (tmp_path / "train.tsv").write_text(rows, encoding="utf-8")
    options = quick.parse_arguments(["--quick", "--data", str(tmp_path)])
    results = quick.run(options, Setup(str(tiny_bert), 16, "cpu", 1), tmp_path)
    measured = [{row["arm"] for row in result["rows"]} for result in results]
    assert measured == [{"sklearn_bert-float32"}, {"sklearn_bert"}]
