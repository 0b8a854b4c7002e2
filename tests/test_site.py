"""The scripts of docs: the chart of the landing page, and the search for dead links."""

import importlib
from pathlib import Path

import pytest

import sklearn_bert
from sklearn_bert import BertVectorizer

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS))
    return importlib.import_module


def test_chart_leads_to_every_estimator(script):
    names = [name for name, _ in script("chart").ANSWERS]
    estimators = [
        name
        for name in sklearn_bert.__all__
        if isinstance(getattr(sklearn_bert, name), type(BertVectorizer))
    ]
    assert sorted(names) == sorted(estimators)


def test_chart_leads_to_pages_that_exist(script):
    pages = {page for _, page in script("chart").QUESTIONS}
    assert [page for page in pages if not (DOCS / f"{page}.rst").exists()] == []


@pytest.mark.parametrize(
    ("target", "is_dead"),
    [
        ("other.html", False),
        ("other.html#here", False),
        ("#here", True),
        ("other.html#there", True),
        ("missing.html", True),
        ("picture.png", True),
        ("https://example.org/missing.html", False),
    ],
)
def test_dead_links_are_found(target, is_dead, script, tmp_path, monkeypatch, capsys):
    (tmp_path / "index.html").write_text(f'<a href="{target}">a link</a>')
    (tmp_path / "other.html").write_text('<h1 id="here">A heading</h1>')
    monkeypatch.setattr("sys.argv", ["check_links.py", str(tmp_path)])

    assert script("check_links").main() == is_dead
    assert (f"index.html: {target}" in capsys.readouterr().out) == is_dead
