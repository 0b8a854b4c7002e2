"""Imports run one way, and importing the package loads no transformers."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import sklearn_bert

PACKAGE = Path(sklearn_bert.__file__).parent
ENGINE = "sklearn_bert._engine"

TRANSFORMERS = {
    f"{ENGINE}.{name}" for name in ("architecture", "checkpoints", "masked_models")
}

# Who may import whom, by the first name below sklearn_bert. The root imports the
# estimators; nothing imports the root.
ESTIMATORS = {
    "_classifier",
    "_masked_lm",
    "_regressor",
    "_token_classifier",
    "_tokenizer",
    "_vectorizer",
}
HELPERS = {
    "_bio",
    "_fine_tuner",
    "_params_pretraining",
    "_pretrainer",
    "_probes",
    "_sentences",
    "_tag_targets",
    "_targets",
    "_text_fine_tuner",
    "_token_arrays",
}
BELOW_BASE = {
    "_engine",
    "_inputs",
    "_params",
    "_target_validation",
    "_validation",
    "_warnings",
    "exceptions",
}
ALLOWED = {
    "exceptions": set(),
    "_attributes": set(),
    "_params": {"_attributes"},
    "_params_pretraining": {"_params"},
    "_warnings": set(),
    "_inputs": {"_engine"},
    "_validation": {"_inputs", "_warnings", "exceptions"},
    "_stream_validation": {"_validation", "exceptions"},
    "_target_validation": {"_inputs", "_validation"},
    "_engine": {"_engine", "exceptions"},
    "_bio": set(),
    "_sentences": {"_inputs", "_target_validation", "_validation", "exceptions"},
    "_seeding": set(),
    "_splitting": {"_warnings", "exceptions"},
    "_judging": {"_inputs"},
    "_targets": {"_engine"},
    "_tag_targets": {"_targets"},
    "_probes": {"_targets", "_engine"},
    "_token_arrays": {"_engine", "exceptions"},
    "_base": BELOW_BASE,
    "_fine_tuned": {"_base", *BELOW_BASE},
    "_fine_tuner": {
        "_base",
        "_fine_tuned",
        "_judging",
        "_seeding",
        "_splitting",
        "_targets",
        *BELOW_BASE,
    },
    "_text_fine_tuner": {"_fine_tuner", "_engine"},
    "_pretrained": {"_base", "_stream_validation", *BELOW_BASE},
    "_pretrainer": {
        "_base",
        "_pretrained",
        "_seeding",
        "_stream_validation",
        *BELOW_BASE,
    },
    "datasets": {"datasets", "_params", "exceptions"},
    "metrics": {"_params"},
    "__init__": {*ESTIMATORS, "datasets", "exceptions", "metrics"},
    **{name: {"_base", *HELPERS, *BELOW_BASE} for name in ESTIMATORS},
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
    """Return the part of the house that a module of the package stands in."""
    names = module.split(".")
    return names[1] if len(names) > 1 else "__init__"


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_imports_run_one_way(path):
    part = part_of(name_of(path))
    names = {name_of(other) for other in modules()} - {"sklearn_bert"}
    imported = {part_of(module) for module in imports_of(path) & names}
    assert imported <= ALLOWED[part]


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
    if name != f"{ENGINE}.locating":
        assert "huggingface_hub" not in tops
    if name != "sklearn_bert._params":
        assert "sklearn.utils._param_validation" not in imports_of(path)


def test_import_loads_and_says_nothing():
    code = (
        "import sys, sklearn_bert; "
        "print([m for m in ('transformers', 'huggingface_hub') if m in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-P", "-W", "error::UserWarning", "-c", code],
        capture_output=True,
        text=True,
        check=True,
    )
    assert (run.stdout.strip(), run.stderr) == ("[]", "")
