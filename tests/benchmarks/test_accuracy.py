"""Data sets, jobs and rows of benchmarks/accuracy."""

import json

import pytest

from benchmarks.accuracy import __main__ as accuracy
from benchmarks.accuracy.tasks import TASKS
from benchmarks.shared.setup import Setup

SETUP = Setup("folder", 256, "cpu", 1)


def load(name, folder, content, *, held_out=None):
    """Return training and test rows of a task whose files have all this content."""
    task = next(task for task in TASKS if task.name == name)
    for file in {task.train, task.test}:
        path = folder / task.folder / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return (
        task.hold_out(folder, held_out, 0) if held_out else task.load(folder, None, 0)
    )


def test_words_have_tags(tmp_path):
    (X, y), _ = load("wnut17", tmp_path, "a\tO\nb\tB-x\n\nc\tO\n\n\n")
    assert X == [["a", "b"], ["c"]]
    assert y.tolist() == [["O", "B-x"], ["O"]]


def test_folds_are_those_of_the_file(tmp_path):
    rows = "text\tlabel\tfold\na\tx\t1\nb\ty\t0\nc\tx\t10\n"
    (X, _), (X_test, y_test) = load("movie_reviews_v2", tmp_path, rows)
    assert (X, X_test) == (["a"], ["b", "c"])
    assert y_test.tolist() == ["y", "x"]


def test_held_out_rows_are_others_of_the_training_set(tmp_path):
    rows = "text\tlabel\n" + "".join(f"text {i}\t{i}\n" for i in range(6))
    (X, _), (X_held_out, y) = load("sst2", tmp_path, rows, held_out=4)
    assert (len(X), len(X_held_out)) == (4, 2)
    assert not set(X) & set(X_held_out)
    assert [f"text {label}" for label in y] == X_held_out


def jobs(*more):
    options = accuracy.parse_arguments(["--data", "folder", *more])
    jobs = accuracy.all_jobs(options, SETUP)
    return [(job.task, job.arm, job.seed) for job in jobs]


def test_all_sets_come_with_the_first_seed_and_linear_models_run_once():
    done = jobs("--sets", "stsb", "trec", "--seeds", "2")
    first = [("trec", arm, 0) for arm in ("sklearn_bert", "trainer", "linear")]
    assert done[:4] == [*first, ("stsb", "sklearn_bert", 0)]
    assert len(done) == 10


def test_the_rows_of_the_files_can_be_limited():
    options = accuracy.parse_arguments(["--data", "folder", "--n-rows", "50"])
    job = next(accuracy.all_jobs(options, SETUP))
    assert (job.n_rows, job.is_held_out) == (50, False)


class TestRun:
    @pytest.fixture
    def run(self, monkeypatch, tmp_path):
        """Return a function that runs with jobs that only count, the third fails."""
        calls = []

        def run_alone(function, job):
            calls.append((job.task, job.arm, job.seed))
            if len(calls) == 3:
                raise RuntimeError("out of luck")
            score = 0.5 + job.seed / 10 - (job.arm == "trainer") / 4
            return {"scores": {"accuracy": score}, "seconds": 2.0, "peak_rss_mib": 7.0}

        def run(*more):
            files = ["--journal", str(tmp_path / "done.jsonl")]
            files += ["--json", str(tmp_path / "result.json")]
            sets = ["--data", "folder", "--sets", "sst2", "--seeds", "2"]
            calls.clear()
            accuracy.run(accuracy.parse_arguments([*sets, *files, *more]), SETUP)
            rows = json.loads((tmp_path / "result.json").read_text())["rows"]
            return {row["arm"]: row for row in rows}, list(calls)

        monkeypatch.setattr(accuracy, "run_alone", run_alone)
        return run

    def test_seeds_are_averaged_and_failures_named(self, run):
        rows, calls = run()
        assert len(calls) == 5
        assert rows["sklearn_bert"]["score"]["mean"] == pytest.approx(0.55)
        assert rows["linear"]["not_run"] == "RuntimeError: out of luck"

    def test_gains_pair_the_seeds(self, run):
        gain = run()[0]["trainer"]["gain"]
        assert gain == {"mean": -0.25, "sd": pytest.approx(0), "n": 2}

    def test_a_second_run_does_what_is_left(self, run):
        run()
        rows, calls = run()
        assert calls == [("sst2", "linear", 0)]
        assert "not_run" not in rows["linear"]
