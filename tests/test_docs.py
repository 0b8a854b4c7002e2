"""All code in the README, the quick start and the guides runs as written."""

import doctest
import json
import re
import sys
import tomllib
from importlib.machinery import ModuleSpec
from pathlib import Path
from textwrap import dedent
from types import ModuleType

import pytest
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_bert import BertTokenizer, BertVectorizer
from sklearn_bert.datasets import fetch_vader_sentiment

ROOT = Path(__file__).parents[1]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE

PAGES = [
    "quick_start",
    "tfidf",
    "what_works",
    "glossary",
    "migrating",
    "user_guide",
    "pooling",
    "prompts",
    "tokenizer",
    "fine_tuning",
    "multilabel",
    "imbalance",
    "few_texts",
    "long_texts",
    "pairs",
    "text_columns",
    "regression_and_tagging",
    "caching",
    "model_selection",
    "early_stopping",
    "probabilities",
    "reproducibility",
    "memory",
    "security",
    "errors",
    "saving",
    "explaining",
    "inspection",
    "pretraining",
    "serving",
    "streaming",
    "onnx",
]

pytestmark = pytest.mark.real


class SimilarScores(doctest.OutputChecker):
    """Accept scores like 0.79 that are off by 0.04: processors round differently."""

    def check_output(self, want, got, optionflags):
        score = r"\b0\.\d\d\b"
        wanted, found = (
            [float(one) for one in re.findall(score, text)] for text in (want, got)
        )
        if wanted and found == pytest.approx(wanted, abs=0.04):
            want, got = (re.sub(score, "SCORE", text) for text in (want, got))
        return super().check_output(want, got, optionflags)


def need_reviews():
    """Skip a test if the reviews are neither here nor at the package index."""
    try:
        fetch_vader_sentiment(subset="movies")
    except OSError:
        pytest.skip("the reviews could not be downloaded")


@pytest.fixture
def no_figures():
    """Close all figures that a test has drawn."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.mark.parametrize("page", ["index", *PAGES])
@pytest.mark.usefixtures("empty_cache", "no_figures")
def test_page_shows_what_its_code_prints(page):
    pytest.importorskip("pandas")
    if page == "onnx":
        pytest.importorskip("onnxruntime")
    if page == "streaming":
        pytest.importorskip("pyarrow")
    if page == "inspection":
        pytest.importorskip("matplotlib").use("Agg")
    check_page(page)


@pytest.mark.distributed
@pytest.mark.usefixtures("empty_cache")
def test_page_on_clusters_shows_what_its_code_prints():
    for engine in ("dask.distributed", "ray", "pyspark"):
        pytest.importorskip(engine)
    check_page("distributed")


@pytest.fixture(scope="module")
def reviews():
    """The first lines of the page on explanations, as the variables that they set."""
    text = (ROOT / "docs" / "explaining.rst").read_text(encoding="utf-8")
    parser = doctest.DocTestParser()
    test = parser.get_doctest(text.split("Contributions of words")[0], {}, "", "", 0)
    doctest.DocTestRunner().run(test, clear_globs=False)
    return test.globs


def test_drawing_of_the_glossary_shows_the_default_model():
    svg = (ROOT / "docs" / "images" / "word_pieces.svg").read_text(encoding="utf-8")
    text, *cells = re.findall(r'<text [^>]*fill="[^>]*>([^<]*)<', svg)
    tokenizer = BertTokenizer()
    (ids,) = tokenizer.fit_transform([text])
    (pieces,) = tokenizer.tokenize([text])
    vectorizer = BertVectorizer(dtype="float32")
    (vector,) = vectorizer.fit_transform([text])
    assert cells[:7] == ["[CLS]", *pieces, "[SEP]"]
    assert cells[7:14] == [str(one) for one in ids]
    assert cells[14:28] == [str(len(vector))] * 14
    row = cells[28].replace("\N{MINUS SIGN}", "-")
    shown = [float(one) for one in re.findall(r"-?0\.\d\d", row)]
    assert shown == pytest.approx([*vector[:4], vector[-1]], abs=0.01)
    assert f"{len(tokenizer.vocabulary_):,} pieces" in svg
    assert f"mean of the {len(ids)} vectors" in svg
    assert vectorizer.pooling_ == "mean"


# Warnings of these packages are not ours.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("package", ["lime", "shap"])
@pytest.mark.parametrize("kind", ["pipeline", "classifier"])
def test_recipes_of_other_packages_find_the_words(reviews, package, kind):
    pytest.importorskip(package)
    page = (ROOT / "docs" / "explaining.rst").read_text(encoding="utf-8")
    blocks = re.findall(
        r"^\.\. code-block:: python\n\n((?: .*\n|\n)+)", page, re.MULTILINE
    )
    (recipe,) = [block for block in blocks if package in block]
    estimator = reviews["classifier"]
    if kind == "pipeline":
        estimator = make_pipeline(BertVectorizer(), LogisticRegression())
        estimator.fit(reviews["texts"], reviews["labels"])
    names = {"text": reviews["text"], "pipeline": estimator}
    exec(dedent(recipe), names)
    if package == "lime":
        values = dict(names["explanation"].as_list())
    else:
        (words,), (columns,) = names["explanation"].data, names["explanation"].values
        values = {word.strip(): x for word, x in zip(words, columns[:, 1], strict=True)}
    assert max(values, key=values.get) == "charming"
    assert min(values, key=values.get) == "badly"


def check_page(page):
    path = ROOT / "docs" / f"{page}.rst"
    text = path.read_text(encoding="utf-8")
    if tuple(map(int, sklearn.__version__.split(".")[:2])) < (1, 8):
        text = text.replace('method="temperature"', 'method="sigmoid"')
    if page == "quick_start":
        need_reviews()
    test = doctest.DocTestParser().get_doctest(text, {}, page, str(path), 0)
    runner = doctest.DocTestRunner(SimilarScores(), optionflags=FLAGS)
    result = runner.run(test)
    assert result.attempted > 1
    assert result.failed == 0


def test_callbacks_write_down_each_epoch(monkeypatch, tmp_path):
    # Stand-ins for libraries that are not dependencies; Mock would accept any call.
    calls = []

    class Run:
        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

    class SummaryWriter(Run):
        def __init__(self, log_dir):
            self.log_dir = log_dir

        def add_scalar(self, name, value, step):
            calls.append((self.log_dir, name, step))

    def log_metrics(metrics, step):
        calls.append(("mlflow", "loss" in metrics and metrics["epoch"], step))

    def log(metrics, step):
        calls.append(("wandb", "loss" in metrics and metrics["epoch"], step))

    modules = {
        "torch.utils.tensorboard": {"SummaryWriter": SummaryWriter},
        "mlflow": {
            "start_run": Run,
            "log_params": lambda params: None,
            "log_metrics": log_metrics,
        },
        "wandb": {"init": lambda project, config: Run(), "log": log},
    }
    for name, content in modules.items():
        module = ModuleType(name)
        # Other packages look for the specification of an installed one.
        vars(module).update(content, __spec__=ModuleSpec(name, None))
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.chdir(tmp_path)
    check_page("callbacks")
    names = ("loss", "learning_rate", "validation_score")
    assert calls == [
        *[("runs/first", name, epoch) for epoch in (1, 2) for name in names],
        *[("mlflow", epoch, epoch) for epoch in (1, 2)],
        *[("wandb", epoch, epoch) for epoch in (1, 2)],
    ]


def test_readme_shows_what_its_code_prints(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", readme, re.DOTALL | re.MULTILINE)
    assert blocks

    for block in blocks:
        shown = re.findall(r"^print\(.*\)  # (.*)$", block, re.MULTILINE)
        assert shown
        exec(block, {})
        assert capsys.readouterr().out.splitlines() == shown


@pytest.mark.parametrize(
    "page",
    [
        *PAGES,
        "callbacks",
        "checkpoints",
        "distributed",
        "families",
        "guide",
        "install",
        "offline",
        "sharing",
        "when_to_fine_tune",
    ],
)
def test_page_reads_well_on_a_code_host(page):
    text = (ROOT / "docs" / f"{page}.rst").read_text(encoding="utf-8")
    links = re.findall(r"<((?!https?:)[^>\s]+)>`__", text)

    assert not re.findall(r":\w+:`", text), "code hosts do not render Sphinx roles"
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []


def test_readme_scores_are_published_results():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    results = (ROOT / "benchmarks" / "results").glob("*.json")
    rows = [row for path in results for row in json.loads(path.read_text())["rows"]]
    figures = [one for row in rows for one in row.values() if isinstance(one, dict)]
    means = [one["mean"] for one in figures if "mean" in one]
    scores = set(re.findall(r"\b0\.\d{3}\b", readme))
    assert len(scores) > 10
    assert scores <= {f"{mean:.3f}" for mean in means}


def test_readme_links_lead_somewhere():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#]+)", readme)
    missing = [link for link in links if not (ROOT / link).exists()]
    assert links
    assert missing == []


def test_page_lists_all_extras():
    metadata = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    page = (ROOT / "docs" / "install.rst").read_text(encoding="utf-8")
    extras = re.findall(r"^   \* - ``(\w+)``$", page, re.MULTILINE)
    assert extras == [*metadata["project"]["optional-dependencies"]]


def test_readme_is_short():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(readme.splitlines()) < 120
