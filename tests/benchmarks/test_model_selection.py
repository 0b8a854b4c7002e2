"""Grid searches, their rows, and the stores of benchmarks/model_selection."""

import numpy as np
import pytest

from benchmarks.model_selection import store
from benchmarks.model_selection.__main__ import (
    ENCODE,
    FITS,
    few_of,
    make_rows,
    parse_arguments,
    search_all,
)
from benchmarks.model_selection.arms import all_arms
from benchmarks.shared.setup import Setup
from sklearn_bert import clear_cache


def runs(seconds, names=("",)):
    """Return the measurements of one arm, one number per round and run."""
    return [
        {
            name: {"seconds": one, "n_encoded": 7}
            for name, one in zip(names, each, strict=True)
        }
        for each in seconds
    ]


def test_a_search_is_compared_with_its_parts_in_the_same_round():
    rows = make_rows(
        {
            ENCODE: runs([(1.0,), (2.0,)]),
            FITS: runs([(3.0,), (6.0,)]),
            "ours": runs([(6.0, 3.0), (12.0, 9.0)], ("cold", "warm")),
            "slow": runs([(40.0,)]),
        }
    )
    by_arm = {row["arm"]: row for row in rows}
    assert list(by_arm) == [ENCODE, FITS, "ours cold", "ours warm", "slow"]
    assert by_arm["ours cold"]["to_encode_and_fits"]["median"] == 1.5
    assert by_arm["ours warm"]["to_fits"] == {
        "median": 1.25,
        "low": 1.0,
        "high": 1.5,
        "n": 2,
    }
    assert by_arm["slow"]["to_encode_and_fits"]["median"] == 10.0


def test_a_quick_run_has_few_texts_of_few_classes():
    options = parse_arguments(["--data", "folder", "--quick"])
    assert (options.n_values, options.repeats) == (2, 1)
    X, y = few_of(([str(k) for k in range(500)], np.arange(500) % 50))
    assert (len(X), len({*y})) == (40, 4)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sklearn_bert-memory", [10, 0]),
        ("sklearn_bert-folder", [10, 0]),
        # Two values of C in five folds, and the final fit.
        ("sklearn_bert-none", [11 * 10]),
    ],
)
def test_encoded_texts_are_counted(tiny_bert, name, expected):
    arm = next(arm for arm in all_arms() if arm.name == name)
    data = ([f"good film {k}" for k in range(10)], np.arange(10) % 2)
    found = search_all(arm, Setup(str(tiny_bert), 16, "cpu", 1), data, n_values=2)
    clear_cache()
    assert [run["n_encoded"] for run in found.values()] == expected
    assert list(found) == list(arm.runs)


@pytest.mark.parametrize("arm", store.ARMS, ids=lambda arm: arm.name)
def test_a_store_reads_what_it_has_written(arm, tmp_path):
    pytest.importorskip(arm.module)
    opened = arm.make(tmp_path / "store")
    opened.write(store.entries_between(0, 100))
    again = arm.make(store.uncached_copy(tmp_path / "store"))
    assert again.read(store.keys_between(0, 101)) == store.entries_between(0, 100)


def test_vectors_that_are_not_found_are_an_error(tmp_path):
    opened = store.sqlite(tmp_path)
    store.write(opened, 0, 10)
    with pytest.raises(RuntimeError, match="only 10 of 11 vectors were found"):
        store.read(opened, store.keys_between(0, 11))
