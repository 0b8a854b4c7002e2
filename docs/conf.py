"""Sphinx configuration. `make docs` builds the site without a network."""

import doctest
import re
import sys
import zlib
from pathlib import Path

import sklearn_bert

HERE = Path(__file__).parent
ROOT = HERE.parent
# Last, so that the installed package is the one that is documented.
sys.path += [str(HERE), str(ROOT)]

# After the path that it is found on.
import chart  # noqa: E402

project = "sklearn-bert"
author = "The sklearn-bert developers"
copyright = "The sklearn-bert developers"
version = release = sklearn_bert.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.doctest",
    "sphinx.ext.intersphinx",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "_templates", "auto_examples/**.ipynb"]
default_role = "literal"

html_theme = "pydata_sphinx_theme"
html_title = f"sklearn-bert {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_favicon = "_static/icon.svg"
html_context = {"default_mode": "auto"}
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "sklearn-bert"},
    "navbar_persistent": ["search-button"],
    "navbar_end": ["theme-switcher"],
    # Contributing and the changelog are under "More".
    "header_links_before_dropdown": 6,
    "secondary_sidebar_items": {"**": ["page-toc"], "index": []},
    "show_toc_level": 2,
    "footer_end": [],
}
# Pages without subpages need no navigation sidebar. Those of the guide and of the API
# have one.
html_sidebars = {
    name: []
    for name in (
        "index",
        "install",
        "quick_start",
        "performance",
        "contributing",
        "changelog",
    )
}

autosummary_generate = True
toc_object_entries_show_parents = "hide"
python_maximum_signature_line_length = 88
autodoc_typehints = "none"
numpydoc_class_members_toctree = False
numpydoc_xref_param_type = False

doctest_default_flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/plot_",
    "subsection_order": [
        f"../examples/{name}" for name in ("features", "fine_tuning", "beyond")
    ],
    "within_subsection_order": "FileNameSortKey",
    "ignore_pattern": r"demo\.py",
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("sklearn_bert",),
    "reference_url": {"sklearn_bert": None},
    "show_memory": False,
    "download_all_examples": False,
    "remove_config_comments": True,
    "min_reported_time": 1e6,
    "write_computation_times": False,
}

# Links to the scikit-learn site. Downloading its inventory would need a network, so the
# few names that are used are listed here.
SKLEARN_URL = "https://scikit-learn.org/stable/"
SKLEARN_NAMES = {
    "py:class": [
        "sklearn.calibration.CalibratedClassifierCV",
        "sklearn.cluster.KMeans",
        "sklearn.compose.ColumnTransformer",
        "sklearn.compose.TransformedTargetRegressor",
        "sklearn.decomposition.LatentDirichletAllocation",
        "sklearn.decomposition.NMF",
        "sklearn.decomposition.PCA",
        "sklearn.decomposition.TruncatedSVD",
        "sklearn.ensemble.BaggingClassifier",
        "sklearn.ensemble.HistGradientBoostingClassifier",
        "sklearn.ensemble.StackingClassifier",
        "sklearn.ensemble.VotingClassifier",
        "sklearn.feature_extraction.text.CountVectorizer",
        "sklearn.feature_extraction.text.HashingVectorizer",
        "sklearn.feature_extraction.text.TfidfTransformer",
        "sklearn.feature_extraction.text.TfidfVectorizer",
        "sklearn.feature_selection.SelectKBest",
        "sklearn.frozen.FrozenEstimator",
        "sklearn.linear_model.LogisticRegression",
        "sklearn.manifold.TSNE",
        "sklearn.model_selection.GridSearchCV",
        "sklearn.model_selection.GroupKFold",
        "sklearn.model_selection.HalvingGridSearchCV",
        "sklearn.model_selection.KFold",
        "sklearn.model_selection.RandomizedSearchCV",
        "sklearn.model_selection.TunedThresholdClassifierCV",
        "sklearn.multiclass.OneVsOneClassifier",
        "sklearn.multiclass.OneVsRestClassifier",
        "sklearn.multioutput.ClassifierChain",
        "sklearn.multioutput.MultiOutputClassifier",
        "sklearn.naive_bayes.ComplementNB",
        "sklearn.naive_bayes.GaussianNB",
        "sklearn.naive_bayes.MultinomialNB",
        "sklearn.pipeline.FeatureUnion",
        "sklearn.pipeline.Pipeline",
        "sklearn.preprocessing.FunctionTransformer",
        "sklearn.preprocessing.MultiLabelBinarizer",
        "sklearn.preprocessing.TargetEncoder",
        "sklearn.semi_supervised.SelfTrainingClassifier",
        "sklearn.utils.Bunch",
    ],
    "py:function": [
        "sklearn.inspection.permutation_importance",
        "sklearn.model_selection.cross_val_predict",
        "sklearn.model_selection.cross_validate",
    ],
}
SKLEARN_PAGES = {
    "accuracy_score": "modules/model_evaluation.html#accuracy-score",
    "df_output_transform": "modules/df_output_transform.html",
    "metadata_routing": "metadata_routing.html",
    "r2_score": "modules/model_evaluation.html#r2-score",
    "sphx_glr_auto_examples_miscellaneous_plot_set_output.py": (
        "auto_examples/miscellaneous/plot_set_output.html"
    ),
}
SKLEARN_TERMS = {
    "cross fitting": "glossary.html#term-cross-fitting",
    "meta-estimator": "glossary.html#term-meta-estimator",
}
SKLEARN_INVENTORY = HERE / "_build" / "sklearn.inv"
intersphinx_mapping = {"sklearn": (SKLEARN_URL, str(SKLEARN_INVENTORY))}


def write_sklearn_inventory():
    """Write the names above in the format of Sphinx inventories (objects.inv)."""
    lines = [
        f"{name} {role} 1 modules/generated/{name}.html#$ -"
        for role, names in SKLEARN_NAMES.items()
        for name in names
    ]
    lines += [
        f"{label} std:label -1 {page} scikit-learn's user guide"
        for label, page in SKLEARN_PAGES.items()
    ]
    lines += [f"{term} std:term -1 {page} -" for term, page in SKLEARN_TERMS.items()]
    header = (
        "# Sphinx inventory version 2\n"
        "# Project: scikit-learn\n"
        "# Version: stable\n"
        "# The remainder of this file is compressed using zlib.\n"
    )
    body = "".join(f"{line}\n" for line in lines)
    SKLEARN_INVENTORY.parent.mkdir(exist_ok=True)
    SKLEARN_INVENTORY.write_bytes(header.encode() + zlib.compress(body.encode()))


def to_rst(markdown):
    """Convert the Markdown subset used by this project to reStructuredText.

    It supports headings, fenced code, inline code and links.
    """
    lines, in_code = [], False
    for line in markdown.splitlines():
        if line.startswith("```"):
            in_code = not in_code
            lines += (
                ["", f".. code-block:: {line[3:] or 'text'}", ""] if in_code else [""]
            )
        elif in_code:
            lines.append(f"    {line}".rstrip())
        elif match := re.match(r"(#+) (.*)", line):
            underline = "=-~^"[len(match[1]) - 1]
            lines += [match[2], underline * len(match[2])]
        else:
            line = re.sub(r"`([^`]+)`", r"``\1``", line)
            lines.append(re.sub(r"\[([^]]+)\]\((https?:[^)]+)\)", r"`\1 <\2>`__", line))
    return "\n".join(lines) + "\n"


def include_markdown(app, docname, source):
    """Fill the pages whose text is a Markdown file in the root of the repository."""
    path = ROOT / f"{docname.upper()}.md"
    if docname in ("changelog", "contributing"):
        app.env.note_dependency(str(path))
        source[0] = to_rst(path.read_text(encoding="utf-8"))


# The guide uses no Sphinx roles, which code hosts do not render. They are added here.
OBJECTS = {
    **{name: f"sklearn_bert.{name}" for name in sklearn_bert.__all__},
    **{
        name: f"sklearn_bert.exceptions.{name}"
        for name in sklearn_bert.exceptions.__all__
    },
    **{
        name: f"sklearn_bert.inspection.{name}"
        for name in sklearn_bert.inspection.__all__
    },
    **{name.split(".")[-1]: name for name in SKLEARN_NAMES["py:class"]},
}


def add_roles(app, docname, source):
    """Turn links to other pages, and names of classes and methods, into references."""

    def to_reference(match):
        name, method = match[1], match[2] or ""
        if name not in OBJECTS:
            return match[0]
        return f":py:obj:`{name}{method} <{OBJECTS[name]}{method}>`"

    if (HERE / f"{docname}.rst").exists():
        text = re.sub(r"``([A-Z]\w+)(\.[a-z]\w*)?``", to_reference, source[0])
        text = re.sub(r"<\.\./examples>`__", "<auto_examples/index.rst>`__", text)
        text = re.sub(
            r"<\.\./examples/([\w/]+)\.py>`__", r"<auto_examples/\1.rst>`__", text
        )
        # The gallery has no page of the service.
        text = re.sub(r"`([^`<]+) <\.\./examples/serving>`__", r"``\1``", text)
        source[0] = re.sub(r"`([^`]+<[\w/]+)\.rst>`__", r":doc:`\1>`", text)


def add_measurements(app, docname, source):
    """Fill in the tables and figures of measurements."""
    if "\n.. results: " in source[0]:
        import measurements

        for path in measurements.RESULTS.glob("*.json"):
            app.env.note_dependency(str(path))
        source[0] = measurements.fill(source[0])


def add_examples(app, docname, source):
    """Show the figure of an example with a caption, if the examples were run."""

    def to_figure(match):
        folder, name, caption = match.groups()
        path = f"auto_examples/{folder}/images/sphx_glr_{name}_001.png"
        if not (HERE / path).exists():
            return ""
        return (
            f".. figure:: {path}\n"
            f"   :target: auto_examples/{folder}/{name}.html\n"
            f"   :alt: {' '.join(caption.split())}\n\n{caption}"
        )

    source[0] = re.sub(
        r"^\.\. example: (\w+)/(\w+)\n((?:   .+\n)+)", to_figure, source[0], flags=re.M
    )


def write_chart():
    """Write the chart of the landing page, which includes it."""
    path = HERE / "generated" / "which_estimator.svg"
    path.parent.mkdir(exist_ok=True)
    path.write_text(chart.which_estimator(), encoding="utf-8")


def setup(app):
    """Connect the functions above to Sphinx."""
    write_sklearn_inventory()
    write_chart()
    app.connect("source-read", add_measurements)
    app.connect("source-read", add_examples)
    app.connect("source-read", include_markdown)
    app.connect("source-read", add_roles)
