"""The scripts of docs: the chart of the landing page, and the search for dead links."""

import importlib
import re
from pathlib import Path

import pytest

import sklearn_bert
from sklearn_bert import BertVectorizer, inspection

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


def test_guide_says_in_a_line_what_each_page_is_about():
    guide = (DOCS / "guide.rst").read_text(encoding="utf-8")
    pages = re.findall(r"^   (\w+)$", guide, re.MULTILINE)
    lines = re.findall(r"^\* `(.+) <(\w+)\.rst>`__: ", guide, re.MULTILINE)
    titles = [
        (DOCS / f"{page}.rst").read_text("utf-8").split("\n")[0] for page in pages
    ]
    assert lines == list(zip(titles, pages, strict=True))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(24, "24 s"), (2506, "42 min"), (29_586, "8 h"), (2_739_726, "32 days")],
)
def test_times_have_a_unit_that_suits_them(script, seconds, text):
    assert script("measurements").duration(seconds) == text


def test_planned_times_are_those_of_the_measured_speed(script):
    table = script("measurements").scaling()
    h100 = ["bfloat16", "41,700", "24 s", "40 min", "3 days"]
    assert "\n     - ".join(h100) in table


def test_page_on_displays_has_a_figure_of_each():
    page = (DOCS / "inspection.rst").read_text(encoding="utf-8")
    displays = [name for name in inspection.__all__ if name.endswith("Display")]
    assert page.count(".. image::") == len(displays)


def test_examples_shown_in_the_guide_exist():
    shown = [
        name
        for path in DOCS.glob("*.rst")
        for name in re.findall(
            r"^\.\. example: (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE
        )
    ]
    examples = DOCS.parent / "examples"
    assert shown
    assert [name for name in shown if not (examples / f"{name}.py").exists()] == []


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
