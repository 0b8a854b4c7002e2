"""The parts of benchmarks/accuracy.py that train nothing."""

import json

import numpy as np
import pytest

ROWS = {"train.tsv": 6, "test.tsv": 3, "all.tsv": 10}


@pytest.fixture
def data(tmp_path):
    """A folder with a tiny data set of each form."""

    def write(folder, columns, file, n):
        lines = ["\t".join(columns)]
        lines += ["\t".join(columns[name](i) for name in columns) for i in range(n)]
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / file).write_text("\n".join(lines), encoding="utf-8")

    text, label = (lambda i: f"text {i}"), (lambda i: "ab"[i % 2])
    pair = {"text_a": text, "text_b": text}
    for file, n in ROWS.items():
        write("sst2", {"text": text, "label": label}, file, n)
        write("goemotions", {"text": text, "labels": lambda i: "joy|love"}, file, n)
        write("stsb", {**pair, "score": str}, file, n)
        folds = {"text": text, "label": label, "fold": str}
        write("movie_reviews_v2", folds, file, n)
    for file in ("train.conll", "test.conll"):
        (tmp_path / "wnut17").mkdir(exist_ok=True)
        lines = "a\tO\nb\tB-x\n\nc\tO\n\n\n"
        (tmp_path / "wnut17" / file).write_text(lines, encoding="utf-8")
    return tmp_path


@pytest.fixture
def task(load):
    return lambda name: next(x for x in load("_tasks").TASKS if x.name == name)


class TestTasks:
    def test_texts_have_labels(self, task, data):
        (X, y), (X_test, _) = task("sst2").load(data, 0, None)
        assert (X[1], y[1]) == ("text 1", "b")
        assert (len(X), len(X_test)) == (6, 3)

    def test_pairs_have_numbers(self, task, data):
        (X, y), _ = task("stsb").load(data, 0, None)
        assert (X[1], y[1]) == (("text 1", "text 1"), 1.0)

    def test_several_labels_are_indicators(self, task, data):
        (_, y), _ = task("goemotions").load(data, 0, None)
        assert y.shape == (6, 28)
        assert y.sum() == 12

    def test_words_have_tags(self, task, data):
        (X, y), _ = task("wnut17").load(data, 0, None)
        assert X == [["a", "b"], ["c"]]
        assert y.tolist() == [["O", "B-x"], ["O"]]

    def test_folds_are_those_of_the_file(self, task, data):
        (X, _), (X_test, y_test) = task("movie_reviews_v2").load(data, 3, None)
        assert X_test == ["text 3"]
        assert len(X) == 9
        assert y_test.tolist() == ["b"]

    def test_quick_rows_are_always_the_same(self, task, data):
        first, second = (task("sst2").load(data, 0, 2)[0][0] for _ in range(2))
        assert first == second
        assert len(first) == 2


class TestJobs:
    def options(self, load, *more):
        return load("accuracy").parse_arguments(["--data", "folder", *more])

    def jobs(self, load, *more):
        setup = load("_encoders").Setup("folder", "", 256, "cpu", 1)
        jobs = load("accuracy").all_jobs(self.options(load, *more), setup)
        return [(job["set"], job["arm"], job["seed"], job["fold"]) for job in jobs]

    def test_all_sets_come_with_the_first_seed(self, load):
        jobs = self.jobs(load, "--sets", "stsb", "trec", "--seeds", "2")
        assert jobs[:4] == [
            ("trec", "sklearn_bert", 0, 0),
            ("trec", "trainer", 0, 0),
            ("trec", "linear", 0, 0),
            ("stsb", "sklearn_bert", 0, 0),
        ]
        assert len(jobs) == 10

    def test_linear_models_draw_nothing_and_run_once(self, load):
        jobs = self.jobs(load, "--sets", "trec", "--seeds", "3", "--peers", "linear")
        assert [arm for _, arm, _, _ in jobs].count("linear") == 1

    def test_linear_models_tag_no_words(self, load):
        jobs = self.jobs(load, "--sets", "ud_ewt", "--seeds", "1")
        assert [arm for _, arm, _, _ in jobs] == ["sklearn_bert", "trainer"]

    def test_folds_may_be_fewer(self, load):
        sets = ("--sets", "movie_reviews_v2", "--seeds", "1", "--peers")
        assert len(self.jobs(load, *sets)) == 10
        assert len(self.jobs(load, *sets, "--folds", "2")) == 2

    def test_unknown_sets_are_refused(self, load):
        with pytest.raises(SystemExit, match="--sets must name some of sst2"):
            self.jobs(load, "--sets", "imdb")


class TestRun:
    @pytest.fixture
    def run(self, load, monkeypatch, tmp_path):
        """Return a function that runs with jobs that do nothing but count."""
        module, calls = load("accuracy"), []

        def measure(name, job):
            calls.append((job["set"], job["arm"], job["seed"]))
            if len(calls) == 3:
                raise RuntimeError("out of luck")
            score = 0.5 + job["seed"] / 10
            return {"scores": {"accuracy": score}, "seconds": 2.0, "rss_mib": 7.0}

        def run(*more):
            file = ["--json", str(tmp_path / "journal.jsonl")]
            sets = ["--data", "folder", "--sets", "sst2", "--seeds", "2"]
            options = module.parse_arguments([*sets, *file, *more])
            calls.clear()
            records = module.run(options, setup)
            return records, list(calls), (tmp_path / "journal.jsonl").read_text()

        setup = load("_encoders").Setup("folder", "", 256, "cpu", 1)
        monkeypatch.setattr(module, "peak_memory", measure)
        return run

    def test_every_outcome_is_written_at_once(self, run):
        records, calls, text = run()
        assert len(calls) == len(records) == 5
        done = [json.loads(line) for line in text.splitlines()]
        assert [x["scores"]["accuracy"] for x in done] == [0.5, 0.5, 0.6, 0.6]

    def test_a_second_run_does_what_is_left(self, run):
        run()
        records, calls, _ = run()
        assert calls == [("sst2", "linear", 0)]
        assert not any("error" in record for record in records)

    def test_other_settings_are_another_run(self, run):
        run()
        assert len(run("--epochs", "2")[1]) == 5

    def test_seeds_are_averaged_in_the_table(self, load, run):
        run()
        records, _, _ = run()
        lines = load("accuracy").accuracy_table(records).splitlines()
        assert lines[2].split() == (
            ["sst2", "sklearn_bert", "accuracy", "0.5500", "0.0707", "2", "2", "7"]
        )

    def test_failures_stand_in_the_table(self, load, run):
        records, _, _ = run()
        assert "out of luck" in load("accuracy").accuracy_table(records)


def test_words_are_judged_at_their_first_token(load):
    words = [None, 0, 0, 1, 2, 2, None]
    first = load("_task_trainer")._first_tokens(words)
    assert first == [None, 0, None, 1, 2, None, None]


def test_correlations_are_plain_numbers(task):
    for score in task("stsb").scores.values():
        assert score(np.arange(5.0), np.arange(5.0)) == pytest.approx(1)
