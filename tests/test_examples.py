"""The gallery scripts run, offline, and show what they say they show."""

import importlib
import re
import runpy
from pathlib import Path

import numpy as np
import pytest
from sklearn.utils import Bunch
from threadpoolctl import threadpool_limits

import sklearn_bert
from sklearn_bert import datasets

EXAMPLES = Path(__file__).parents[1] / "examples"
SCRIPTS = sorted(
    path.relative_to(EXAMPLES).as_posix() for path in EXAMPLES.rglob("plot_*.py")
)
ESTIMATORS = [
    "BertClassifier",
    "BertRegressor",
    "BertTokenClassifier",
    "BertTokenizer",
    "BertVectorizer",
]
MOODS = ["dull", "moving", "far too long", "a delight", "hollow", "a triumph"]


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
            pyplot.close("all")
            namespace = runpy.run_path(str(EXAMPLES / name))
            figures = [pyplot.figure(number) for number in pyplot.get_fignums()]
            for figure in figures:
                figure.canvas.draw()
            pyplot.close("all")
        return namespace, figures

    return run


@pytest.fixture(scope="session")
def small_bert(save_model, tmp_path_factory):
    """Folder of a BERT as deep as the default model, and with as many positions."""
    folder = tmp_path_factory.mktemp("models") / "small-bert"
    sizes = {"num_hidden_layers": 6, "max_position_embeddings": 256}
    return save_model(folder, initializer_range=0.1, **sizes)


def make_sentences(subset="movies", return_X_y=False, as_frame=False):
    """Return short sentences, in the format of fetch_vader_sentiment.

    Their last word follows from the rating, and their first one from the subset.
    """
    rng = np.random.default_rng(len(subset))
    rating = rng.uniform(-4, 4, size=2500).round(1)
    first = {"movies": "Watch", "tweets": "Hey", "amazon": "Old", "nyt": "Here"}[subset]
    names = ["Anna", "Boris", "Chloe", "Dante", "Emma"]
    text = np.array(
        [
            f"{first} {names[k % 5]} saw film {k} and it was very "
            f"{'good' if value > 0 else 'bad'}."
            for k, value in enumerate(rating)
        ],
        dtype=object,
    )
    ids = np.array([f"{k // 5 + 1}_{k % 5 + 1}" for k in range(2500)], dtype=object)
    if return_X_y:
        return text, rating
    frame = None
    if as_frame:
        pandas = pytest.importorskip("pandas")
        frame = pandas.DataFrame({"text": text, "rating": rating})
    return Bunch(data=text, target=rating, ids=ids, frame=frame)


@pytest.fixture
def small_scale(small_bert, monkeypatch, empty_cache):
    """Let scripts use a tiny model, one epoch, and sentences made here."""
    monkeypatch.setattr(datasets, "fetch_vader_sentiment", make_sentences)
    for name in ESTIMATORS:
        init = getattr(sklearn_bert, name).__init__
        monkeypatch.setattr(init, "__defaults__", (str(small_bert),))
        if "n_epochs" in init.__kwdefaults__:
            monkeypatch.setitem(init.__kwdefaults__, "n_epochs", 1)


@pytest.mark.real
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


@pytest.mark.parametrize("name", SCRIPTS)
def test_script_draws_one_figure(name, run_script, small_scale):
    if "parameter_search" in name:
        pytest.importorskip("optuna")
    _, figures = run_script(name)
    assert len(figures) == 1


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("features/plot_1_text_classification.py", "X"),
        ("features/plot_3_learning_curve.py", "X"),
        ("features/plot_4_grid_search.py", "X"),
    ],
)
def test_script_encodes_each_text_once(
    name, texts, run_script, small_scale, encoded_texts
):
    names, _ = run_script(name)
    assert 0 < sum(encoded_texts) <= len(names[texts]) + 1


@pytest.mark.parametrize("name", SCRIPTS)
def test_script_reads_well(name):
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    *cells, end = re.split(r"^# %%\n(?:#.*\n)+", text, flags=re.MULTILINE)[1:]
    explained = text.rsplit("# %%", 1)[1]

    assert max(len(cell.strip().splitlines()) for cell in cells) <= 25
    assert end.strip() == ""
    assert ":doc:" in explained, "The last paragraph says what to read next."
