"""The form of results: tables, JSON, and the files that are published."""

import pytest

from benchmarks.shared import report

PUBLISHED = sorted((report.ROOT / "benchmarks" / "results").glob("*.json"))


@pytest.fixture
def result():
    """A result with one set and two arms, of which one did not run."""
    return {
        "columns": {"speed": "texts/s", "score": "score", "other": "not measured"},
        "sets": {"mixed": {"n_texts": 10, "cpus_of_others": 0.0}},
        "rows": [
            {
                "set": "mixed",
                "arm": "ours",
                "speed": {"median": 12.34, "low": 10.0, "high": 20.0, "n": 5},
                "score": {"mean": 0.8932, "sd": 0.0031, "n": 3},
            },
            {"set": "mixed", "arm": "theirs", "not_run": "missing: pip install it"},
            {"set": "long", "arm": "ours"},
        ],
    }


def test_a_table_shows_the_measured_columns_of_one_set(result):
    assert report.set_text(result, "mixed").splitlines() == [
        "mixed: n_texts 10, cpus_of_others 0",
        "arm            texts/s              score",
        "----  ----------------  -----------------",
        "ours  12.3 [10.0–20.0]  0.893 ± 0.003 (3)",
        "theirs: missing: pip install it",
    ]


def test_a_busy_machine_is_called_noisy(result):
    assert "NOISY" not in report.set_text(result, "mixed")
    result["sets"]["mixed"]["cpus_of_others"] = 0.5
    assert "NOISY" in report.set_text(result, "mixed")


def test_numbers_are_shown_to_three_digits_and_what_is_not_known_by_a_dash():
    shown = [report.cell(value) for value in (None, 1234.5, 0.69, 5e-13)]
    assert shown == ["–", "1,234", "0.69", "5e-13"]


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.stem)
def test_published_results_have_the_form_of_new_ones(path):
    published = report.read_json(path)
    new = report.new_result("x", device="cpu", packages=[], settings={}, columns={})
    assert published.keys() - {"notes"} == new.keys()
    assert published["machine"].keys() == new["machine"].keys()
    measured = {key for row in published["rows"] for key in row}
    assert measured <= {"set", "arm", "not_run", *published["columns"]}
