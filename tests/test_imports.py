"""Imports run one way through the folders; importing loads no heavy package."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import sklearn_bert

PACKAGE = Path(sklearn_bert.__file__).parent
ENGINE = "sklearn_bert._engine"

# The modules that may import transformers; it takes seconds.
TRANSFORMERS = {
    f"{ENGINE}.checkpoints.architecture",
    f"{ENGINE}.checkpoints.config_files",
    f"{ENGINE}.checkpoints.tokenizer_files",
    f"{ENGINE}.encoding.backends",
    f"{ENGINE}.masked_lm.model",
    f"{ENGINE}.export.task_models",
    f"{ENGINE}.export.transformers_files",
    f"{ENGINE}.runtime.quiet",
}
# Those that access the Hub, and the format of model cards.
HUGGINGFACE_HUB = {
    f"{ENGINE}.checkpoints.files.hub",
    f"{ENGINE}.export.hub",
    f"{ENGINE}.export.hub_errors",
    f"{ENGINE}.export.metadata",
}
ESTIMATORS = {
    "_classifier",
    "_masked_lm",
    "_regressor",
    "_token_classifier",
    "_tokenizer",
    "_vectorizer",
}
# The estimators that fit others, which are above them.
ABOVE_ESTIMATORS = {"_target_encoder"}
# Who may import whom, by folder or module below sklearn_bert, from the bottom up. A
# folder may import itself; nothing imports the root.
BOTTOM = {"exceptions", "_warnings", "_config"}
ENGINE_FOLDERS = {
    f"_engine.{name}"
    for name in (
        "compat",
        "runtime",
        "text",
        "checkpoints",
        "encoding",
        "export",
        "embedding_cache",
        "training",
        "masked_lm",
    )
}
BELOW_TEXT = {"_engine.compat", "_engine.runtime", "exceptions"}
BELOW_PARAMS = {"_sklearn_compat", *BOTTOM}
BELOW_TARGETS = {"_inputs", "_params", *ENGINE_FOLDERS, *BELOW_PARAMS}
BELOW_TEMPLATES = {"_base", "_sharing", "_summary", "_targets", *BELOW_TARGETS}
BELOW_ESTIMATORS = {"_fine_tuning", "_pretraining", *BELOW_TEMPLATES}
ALLOWED = {
    "exceptions": set(),
    "_warnings": set(),
    "_config": {"_sklearn_compat"},
    "_sklearn_compat": set(),
    "_results": set(),
    "_engine.compat": set(),
    "_engine.runtime": {"_engine.compat", "exceptions"},
    "_engine.text": {"_config", *BELOW_TEXT},
    "_engine.checkpoints": {"_engine.text", *BELOW_TEXT},
    "_engine.encoding": {"_engine.checkpoints", "_engine.text", *BELOW_TEXT},
    "_engine.conversion": {"_engine.checkpoints", "_engine.runtime", "exceptions"},
    "_engine.embedding_cache": {
        "_engine.checkpoints",
        "_engine.encoding",
        *BELOW_TEXT,
        "_engine.text",
    },
    "_engine.export": {
        "_engine.encoding",
        "_engine.checkpoints",
        "_engine.text",
        *BELOW_TEXT,
    },
    "_engine.training": ENGINE_FOLDERS
    - {"_engine.embedding_cache", "_engine.export", "_engine.masked_lm"}
    | {"exceptions"},
    "_engine.attribution": ENGINE_FOLDERS
    - {"_engine.embedding_cache", "_engine.export", "_engine.masked_lm"}
    | {"exceptions"},
    "_engine.masked_lm": ENGINE_FOLDERS - {"_engine.embedding_cache"} | {"exceptions"},
    "_params": BELOW_PARAMS,
    "_inputs": {*ENGINE_FOLDERS, *BOTTOM},
    "_targets": BELOW_TARGETS,
    "_saving": {*ENGINE_FOLDERS, *BELOW_PARAMS},
    "_sharing": {"_inputs", *ENGINE_FOLDERS, *BELOW_PARAMS},
    "_summary": {"_engine.checkpoints"},
    "_base": {"_saving", "_sharing", *BELOW_TARGETS},
    "_fine_tuning": BELOW_TEMPLATES,
    "_pretraining": BELOW_TEMPLATES,
    "datasets": {"_sklearn_compat", "exceptions"},
    "metrics": {"_config", "_sklearn_compat", "_warnings"},
    "_cache": {"_engine.embedding_cache", "_sklearn_compat", "exceptions"},
    "_convert": {"_engine.checkpoints", "_engine.conversion", "_sklearn_compat"},
    "model_selection": {
        *ESTIMATORS,
        "_engine.checkpoints",
        "_fine_tuning",
        "_inputs",
        "_params",
        "_pretraining",
        "_sklearn_compat",
    },
    # Above all estimators, none of which imports it.
    "inspection": {
        *ESTIMATORS,
        *BELOW_ESTIMATORS,
        "_engine.attribution",
        "_engine.training",
    },
    # Works with any estimator, and imports none.
    "distributed": {
        "_config",
        "_engine.runtime",
        "_results",
        "_sklearn_compat",
        "_warnings",
        "exceptions",
        "streaming",
    },
    "streaming": {
        *ESTIMATORS,
        "_base",
        "_engine.checkpoints",
        "_engine.runtime",
        "_inputs",
        "_results",
        *BELOW_PARAMS,
    },
    "_load": {
        *ESTIMATORS,
        *ABOVE_ESTIMATORS,
        "_saving",
        "_sklearn_compat",
        "exceptions",
    },
    "__init__": {
        *ESTIMATORS,
        *ABOVE_ESTIMATORS,
        "_cache",
        "_config",
        "_convert",
        "_load",
        "datasets",
        "distributed",
        "exceptions",
        "inspection",
        "metrics",
        "model_selection",
        "streaming",
    },
    **dict.fromkeys(ESTIMATORS, BELOW_ESTIMATORS),
    **{name: {*ESTIMATORS, *BELOW_ESTIMATORS} for name in ABOVE_ESTIMATORS},
}


def modules():
    return sorted(PACKAGE.rglob("*.py"))


def name_of(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path):
    """Return every module that a file imports, at its top or inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def part_of(module):
    """Return the folder, or the module next to the folders, of a module."""
    names = module.split(".")[1:]
    if not names:
        return "__init__"
    return ".".join(names[:2]) if names[0] == "_engine" else names[0]


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_imports_run_one_way(path):
    part = part_of(name_of(path))
    if part == "_engine":
        assert not imports_of(path)
        return
    names = {name_of(other) for other in modules()} - {"sklearn_bert"}
    imported = {part_of(module) for module in imports_of(path) & names} - {"_engine"}
    assert imported <= ALLOWED[part] | {part}


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_imports_stand_at_the_top_of_a_module(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inner = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and node.module.startswith("sklearn_bert")
        and node.col_offset
    ]
    assert inner == []


def test_modules_import_no_circle():
    names = {name_of(path): path for path in modules()}
    arrows = {
        name: (imports_of(path) & set(names)) - {name} for name, path in names.items()
    }
    while arrows:
        leaves = {name for name, targets in arrows.items() if not targets & set(arrows)}
        assert leaves, f"a circle among {sorted(arrows)}"
        arrows = {name: arrows[name] for name in set(arrows) - leaves}


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_foreign_packages_stay_where_they_belong(path):
    name, tops = name_of(path), {module.split(".")[0] for module in imports_of(path)}
    if name.startswith(ENGINE):
        assert "sklearn" not in tops
    if name not in TRANSFORMERS:
        assert "transformers" not in tops
    if name not in HUGGINGFACE_HUB:
        assert "huggingface_hub" not in tops
    if name != "sklearn_bert._sklearn_compat":
        assert not [
            module
            for module in imports_of(path)
            if module.startswith("sklearn.") and any(map(is_private, module.split(".")))
        ]


def is_private(name):
    return name.startswith("_") and not name.startswith("__")


def private_names_of(path):
    """Yield private names that a file takes from objects other than its own."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            yield node.attr
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("getattr", "setattr", "hasattr", "delattr")
            and isinstance(node.args[1], ast.Constant)
            and is_private(node.args[1].value)
        ):
            yield node.args[1].value
        elif isinstance(node, ast.ImportFrom) and node.module.startswith(
            ("torch", "transformers")
        ):
            yield from filter(
                is_private,
                [*node.module.split("."), *(alias.name for alias in node.names)],
            )


def own_names():
    """Return the names of the engine's functions and of what its objects hold."""
    found = set()
    for path in (PACKAGE / "_engine").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                found.add(node.name)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                found.add(node.target.id)
            elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "self":
                found.update([node.attr] if isinstance(node.ctx, ast.Store) else [])
    return found


def test_private_names_of_torch_and_transformers_are_in_compat_only():
    own = own_names()
    used = {
        name_of(path): set(private_names_of(path)) - own
        for path in (PACKAGE / "_engine").rglob("*.py")
        if path.parent.name != "compat"
    }
    assert {name: found for name, found in used.items() if found} == {}


def test_import_loads_and_says_nothing():
    code = (
        "import sys, sklearn_bert; "
        "heavy = 'transformers huggingface_hub dask distributed ray pyspark'.split(); "
        "print([m for m in heavy if m in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-P", "-W", "error::UserWarning", "-c", code],
        capture_output=True,
        text=True,
        check=True,
    )
    assert (run.stdout.strip(), run.stderr) == ("[]", "")
