"""The memory of large models, in benchmarks/finetuning."""

import pytest

from benchmarks.finetuning import memory
from benchmarks.shared.setup import Setup
from sklearn_bert import BertTokenizer


def test_texts_have_as_many_tokens_as_asked_for(tmp_path):
    memory.save_model(tmp_path, memory.QUICK_SIZES)
    texts = memory.draw_texts(3, 8, memory.QUICK_SIZES["vocab_size"])
    ids = BertTokenizer(tmp_path, return_mask=True).fit_transform(texts)
    assert ids.shape == (3, 16)
    assert ids.all()


def test_rows_compare_with_full_training():
    rounds = {
        name: [
            {
                "peak_rss_mib": 8.0 / k,
                "step_s": 2.0 * k,
                "cpu_s": 3.0,
                "file_mib": 1.0,
            }
        ]
        for k, name in enumerate(memory.ARMS, start=1)
    }
    rows = memory.make_rows(rounds)
    assert [row["share"]["median"] for row in rows] == [1, 1 / 2, 1 / 3, 1 / 4]
    assert [row["times_longer"]["median"] for row in rows] == [1, 2, 3, 4]


def test_a_run_fits_every_arm(monkeypatch):
    pytest.importorskip("peft")
    monkeypatch.setattr(memory, "set_threads", lambda n: None)
    # A new process takes seconds.
    monkeypatch.setattr(
        memory, "run_alone", lambda job, *args: {**job(*args), "peak_rss_mib": 1.0}
    )
    options = memory.parse_arguments(["--quick"])
    result = memory.run(options, Setup("folder", 8, "cpu", 1))
    files = {row["arm"]: row["file_mib"] for row in result["rows"]}
    assert files["LoRA"] < 0.5 * files["full"]
