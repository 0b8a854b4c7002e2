"""The gallery scripts run, offline, and show what they say they show."""

import importlib
import runpy
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from sklearn_bert import clear_cache

EXAMPLES = Path(__file__).parents[1] / "examples"
SCRIPTS = sorted(
    path.relative_to(EXAMPLES).as_posix() for path in EXAMPLES.rglob("plot_*.py")
)

MOODS = ["dull", "moving", "far too long", "a delight", "hollow", "a triumph"]

pytestmark = pytest.mark.real


@pytest.fixture
def run_script(monkeypatch, tmp_path):
    """Return a function that runs a script without a screen: its names, its figures."""
    matplotlib = pytest.importorskip("matplotlib")
    pyplot = pytest.importorskip("matplotlib.pyplot")

    def run(name):
        monkeypatch.setattr(pyplot, "show", lambda: None)
        monkeypatch.chdir(tmp_path)
        # Threads that wait for each other crawl where other processes run. Only
        # libraries that are loaded can be told.
        importlib.import_module("sklearn.linear_model")
        with matplotlib.rc_context(), threadpool_limits(limits=1):
            pyplot.switch_backend("Agg")
            namespace = runpy.run_path(str(EXAMPLES / name))
            figures = [pyplot.figure(number) for number in pyplot.get_fignums()]
            for figure in figures:
                figure.canvas.draw()
            pyplot.close("all")
        return namespace, figures

    return run


@pytest.fixture
def empty_cache():
    """Empty the cache in memory, before and after."""
    clear_cache()
    yield
    clear_cache()


def test_the_demo_encodes_each_sentence_once(
    encoded_texts, empty_cache, monkeypatch, tmp_path, capsys
):
    pytest.importorskip("matplotlib")
    demo = runpy.run_path(str(EXAMPLES / "demo.py"))
    X = np.array([f"Scene {k} is {mood}." for k in range(10) for mood in MOODS])
    changes = {
        # Worker processes would take seconds to start.
        "BACKENDS": {"TF-IDF": "threading", "BertVectorizer": "threading"},
        "load_sentences": lambda: (X, np.arange(60) % 2 == 1),
        "CURVE_SIZES": [10, 20],
    }
    for name, value in changes.items():
        monkeypatch.setitem(demo["plot"].__globals__, name, value)
    monkeypatch.chdir(tmp_path)
    demo["main"]()
    assert sum(encoded_texts) == 60
    assert (tmp_path / "demo.png").exists()
    assert "layers=[-4, -3, -2, -1], pooling=mean, C=0.1" in capsys.readouterr().out


def test_the_gallery_encodes_each_text_once(run_script, encoded_texts, empty_cache):
    names, _ = run_script("features/plot_2_text_and_numbers.py")
    assert sum(encoded_texts) == len(names["texts"])


def test_every_script_is_tested():
    assert SCRIPTS == [
        "beyond/plot_2_pretraining.py",
        "features/plot_1_text_classification.py",
        "features/plot_2_text_and_numbers.py",
        "fine_tuning/plot_1_fine_tuning.py",
        "fine_tuning/plot_6_tagging.py",
        "fine_tuning/plot_8_calibration.py",
        "fine_tuning/plot_9_parameter_search.py",
    ]


def test_encoder_needs_fewer_labels_than_tfidf(run_script):
    names, figures = run_script("features/plot_1_text_classification.py")

    assert len(figures) == 1
    assert len(names["X"]) == 96
    # The text of the example says that most words are new to TF-IDF.
    assert names["unseen_share"] > 0.5
    means = {name: scores.mean() for name, scores in names["accuracy"].items()}
    best_tfidf = max(score for name, score in means.items() if "TF-IDF" in name)
    assert means["BertVectorizer"] > best_tfidf + 0.2
    bert = names["curves"]["BertVectorizer"].mean(axis=1)
    assert bert[-1] > bert[0]
    assert bert[0] > names["curves"]["TF-IDF, words"].mean(axis=1)[0]


def test_text_column_adds_to_the_numbers(run_script):
    names, figures = run_script("features/plot_2_text_and_numbers.py")

    assert len(figures) == 1
    error = {
        " ".join(name.split()): errors.mean() for name, errors in names["error"].items()
    }
    assert error["all columns (BERT)"] < 0.75 * error["no text"]
    assert error["all columns (BERT)"] < error["text only (BERT)"]
    assert error["all columns (BERT)"] < error["all columns (TF-IDF)"]
    importance = dict(
        zip(names["orders"].columns, names["importances"].mean(axis=1), strict=True)
    )
    assert max(importance, key=importance.get) == "report"
    assert abs(importance["owner"]) < 0.1 * importance["report"]


def test_training_the_encoder_draws_notes_of_one_state_together(run_script):
    names, figures = run_script("fine_tuning/plot_1_fine_tuning.py")

    assert len(figures) == 1
    assert len(names["X"]) == 96
    assert {len(train) for train, _ in names["splits"]} == {64}
    frozen = {name: scores.mean() for name, scores in names["accuracy"].items()}
    tuned = {number: scores.mean() for number, scores in names["by_layers"].items()}
    assert frozen["TF-IDF"] < frozen["frozen, last layer"] < tuned[6] - 0.05
    assert tuned[3] == pytest.approx(tuned[6], abs=0.07)
    assert frozen["frozen, last four layers"] > tuned[6] - 0.03
    same_subject, same_state = names["neighbors"]["Frozen"]
    assert same_subject > 0.9
    assert names["neighbors"]["Fine-tuned"][0] < same_subject - 0.1
    assert names["neighbors"]["Fine-tuned"][1] > same_state + 0.05


def test_pre_training_knows_the_place_of_unseen_pairs(run_script):
    names, figures = run_script("beyond/plot_2_pretraining.py")

    assert len(figures) == 1
    curve = names["masked_lm"].loss_curve_
    assert curve[-1] < 0.4 * curve[0]
    for verb, rows in names["chances"].items():
        place = list(names["places"]).index(verb)
        assert all(row[place] > 0.5 for row in rows)


def test_words_that_were_never_seen_are_tagged(run_script):
    names, figures = run_script("fine_tuning/plot_6_tagging.py")

    assert len(figures) == 1
    assert len(names["X"]) == 36
    by_lookup, by_bert = names["recall"]["dictionary"], names["recall"]["BERT"]
    food = names["ROLES"].index("food")
    # The text of the example says that most foods occur once.
    assert by_lookup[food] < 0.3
    assert by_bert[food] > by_lookup[food] + 0.4
    assert len(names["words"]) == len(names["probabilities"])
    known = {word for words in names["X"] for word in words}
    assert not {"ounces", "parmesan"} & known


def test_bad_trials_end_early(run_script):
    pytest.importorskip("optuna")
    names, figures = run_script("fine_tuning/plot_9_parameter_search.py")

    assert len(figures) == 1
    assert len(names["X"]) == 72
    curves, pruned = names["curves"], names["pruned"]
    assert 0 < len(pruned) < len(curves) / 2 + 1
    best = names["study"].best_trial.number
    assert curves[best][-1] > curves[best][0]


def test_messages_on_unknown_subjects_are_rejected_more_often(run_script):
    names, figures = run_script("fine_tuning/plot_8_calibration.py")

    assert len(figures) == 1
    assert [len(names[name]) for name in ("X", "X_test", "X_unknown")] == [72, 24, 24]
    assert max(names["auroc"], key=names["auroc"].get) == "energy"
    assert names["auroc"]["energy"] > 0.88
    assert names["accuracy"]["energy"] > 0.8
    threshold = names["thresholds"]["energy"]
    assert (names["test"]["energy"] >= threshold).mean() > 0.8
    # The text of the example says that about half of them pass.
    assert 0.35 < (names["unknown"]["energy"] >= threshold).mean() < 0.65
    *rejected, passed = names["predict"](names["shown"])
    assert rejected == ["other", "other"]
    assert passed != "other"
