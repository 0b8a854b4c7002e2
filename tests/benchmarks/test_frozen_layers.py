"""The search over partly frozen classifiers, in benchmarks/model_selection."""

import pytest

from benchmarks.model_selection.frozen_layers import (
    EVERY_STEP,
    NOT_KEPT,
    ONCE,
    bound,
    name_of,
    parse_arguments,
    run,
)
from benchmarks.shared.setup import Setup


def test_the_bound_counts_layers():
    # Per text, one of two layers frozen, one epoch: a probe of 2 and a step of 4 layers
    # in two thirds, 2 in the others; with reuse a probe of 1 and a step of 3, and 1.
    without, with_reuse = (2 * 6 + 2) / 3, (2 * 4 + 1) / 3
    assert bound(2, 1, 1, n_fits=1) == pytest.approx(without / (with_reuse + 1))
    assert bound(2, 1, 1, n_fits=1000) == pytest.approx(without / with_reuse, rel=1e-3)
    assert bound(6, 4, 4, n_fits=18) == pytest.approx(1.8, abs=0.05)


@pytest.mark.filterwarnings("ignore:The number of unique classes:UserWarning")
def test_a_run_searches_with_and_without_reuse(tmp_path, tiny_bert, monkeypatch):
    monkeypatch.setattr(
        "benchmarks.model_selection.frozen_layers.set_threads", lambda n: None
    )
    rows = "text\tlabel\n" + "a film\tup\na story\tdown\n" * 6
    (tmp_path / "train.tsv").write_text(rows, encoding="utf-8")
    options = [
        "--data",
        str(tmp_path),
        "--quick",
        "--freeze",
        "2",
        "--dtype",
        "float32",
    ]
    result = run(parse_arguments(options), Setup(str(tiny_bert), 16, "cpu", 1))
    found = {row["arm"]: row for row in result["rows"]}
    assert [*found] == [name_of("2", kind) for kind in (EVERY_STEP, NOT_KEPT, ONCE)]
    once = found[name_of("2", ONCE)]
    assert once["weights_differ_by"] == "0e+00"
    assert once["bound"] > 1
    assert once["times_faster"]["n"] == 1
