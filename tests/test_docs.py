"""All code in the README, the quick start and the guides runs as written."""

import doctest
import json
import re
from pathlib import Path

import pytest
import sklearn

ROOT = Path(__file__).parents[1]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE

PAGES = [
    "quick_start",
    "user_guide",
    "fine_tuning",
    "regression_and_tagging",
    "pretraining",
    "checkpoints",
    "serving",
    "onnx",
]

pytestmark = pytest.mark.real


@pytest.mark.parametrize("page", ["index", *PAGES])
def test_page_shows_what_its_code_prints(page):
    pytest.importorskip("pandas")
    if page == "onnx":
        pytest.importorskip("onnxruntime")
    path = ROOT / "docs" / f"{page}.rst"
    text = path.read_text(encoding="utf-8")
    if tuple(map(int, sklearn.__version__.split(".")[:2])) < (1, 8):
        text = text.replace('method="temperature"', 'method="sigmoid"')
    test = doctest.DocTestParser().get_doctest(text, {}, page, str(path), 0)
    result = doctest.DocTestRunner(optionflags=FLAGS).run(test)
    assert result.attempted > 5
    assert result.failed == 0


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


@pytest.mark.parametrize("page", [*PAGES, "install", "families", "sharing"])
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
