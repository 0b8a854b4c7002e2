"""The model card of a fitted estimator: what it does, from what, and how it is used.

It contains no texts, and of y only the names of the classes.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import numpy as np

from sklearn_bert._engine.checkpoints.record import CheckpointRecord
from sklearn_bert._engine.export.base_model import BaseModel
from sklearn_bert._engine.export.contents import Exported
from sklearn_bert._engine.export.metadata import join_card
from sklearn_bert._sharing.markdown import (
    block,
    code,
    one_line,
    plain,
    table,
    verbatim,
)
from sklearn_bert._sharing.origin import find_base, record_of_export
from sklearn_bert._sharing.parameters import name_of, show_call
from sklearn_bert._sharing.reading import Export, reading_of, reading_of_fit
from sklearn_bert._sharing.tasks import describe_task
from sklearn_bert._sharing.usage import Place, show_usage

_HUB = "https://huggingface.co"
# More would hide the rest of the card. config.json names all classes.
_MOST_CLASSES = 200


def make_card(
    estimator: Any,
    export: Export,
    exported: Exported,
    place: Place,
    scores: Mapping[str, float],
) -> str:
    """Return the content of README.md.

    Parameters
    ----------
    estimator : object
        A fitted estimator.
    export : Export
        What is exported of it.
    exported : Exported
        What was written of it.
    place : Place
        From where the code in the card opens the model.
    scores : mapping of str to float
        By the name of the metric; may be empty.

    Returns
    -------
    str
        Markdown below the metadata of the Hub.
    """
    record = record_of_export(estimator, export)
    base = find_base(estimator, export)
    call = show_call(
        estimator, _show_model(record, base), reading_of_fit(estimator, export)
    )
    sections = [
        ("Model", _describe_model(estimator, export, record, base)),
        ("Training data", _describe_data(estimator)),
        ("Scores", _describe_scores(scores)),
        ("Parameters", block(*call)),
        *show_usage(estimator, export, exported, place),
    ]
    parts = [f"## {title}\n\n{text}" for title, text in sections if text]
    head = f"# {plain(place.name)}\n\n{describe_task(estimator, exported)}"
    return join_card(
        _metadata(exported, base),
        "\n\n".join([head, *parts]) + "\n",
        name=one_line(place.name),
        scores=scores if exported.task else {},
    )


def _metadata(exported: Exported, base: BaseModel | None) -> dict[str, Any]:
    """Return what the Hub shows and searches, by the names of its specification."""
    library = "transformers"
    if exported.has_sentence_transformer and exported.auto_class == "AutoModel":
        library = "sentence-transformers"
    is_on_hub = base is not None and base.is_on_hub
    return {
        "library_name": library,
        "pipeline_tag": exported.task,
        "base_model": base.name if base is not None and is_on_hub else None,
        "tags": ["sklearn-bert", "scikit-learn", library],
        **({} if base is None else base.license),
    }


def _describe_model(
    estimator: Any,
    export: Export,
    record: CheckpointRecord | None,
    base: BaseModel | None,
) -> str:
    reading = reading_of(estimator, export)
    lines = [f"Estimator: `{name_of(estimator)}` of sklearn-bert"]
    lines.append(f"Base model: {_describe_base(record, base)}")
    if base is not None:
        lines.append(f"License of the base model: {_describe_license(base)}")
    if (length := reading["max_length"]) is not None:
        lines.append(f"Maximum length: {length} tokens")
    if pooling := reading.get("pooling"):
        lines.append(f"Pooling: {plain(pooling)}")
    if prompt := reading.get("prompt"):
        lines.append(f"Prompt in front of each text: {code(prompt)}")
    return "\n".join(f"* {line}" for line in lines)


def _describe_base(record: CheckpointRecord | None, base: BaseModel | None) -> str:
    if base is None:
        return "none, trained from random weights" if record is None else "unknown"
    if not base.is_on_hub:
        named = f" {code(base.name)}" if base.name else ""
        return f"a local folder{named}"
    link = f"[{plain(base.name)}]({_HUB}/{quote(base.name)})"
    if base.commit is None:
        return link
    return f"{link}, commit {verbatim(one_line(base.commit))}"


def _describe_license(base: BaseModel) -> str:
    if not base.license:
        return "unknown. Add it here and as `license` in the metadata"
    return ", ".join(map(plain, base.license.values()))


def _describe_data(estimator: Any) -> str:
    n_samples = getattr(estimator, "n_samples_seen_", None)
    if n_samples is None:
        return ""
    is_tagger = not hasattr(estimator, "pooling_")
    rows = "sentences" if is_tagger else "texts"
    if estimator.n_features_in_ == 2:
        rows = "pairs of texts"
    summary = f"{n_samples:,} {rows}."
    if not hasattr(estimator, "class_count_"):
        return summary
    counts = estimator.class_count_
    pairs = list(zip(estimator.classes_.tolist(), counts.tolist(), strict=True))
    header = ("Tag", "Words") if is_tagger else ("Class", rows.capitalize())
    cells = [(code(name), f"{count:,}") for name, count in pairs[:_MOST_CLASSES]]
    parts = [summary, table(header, cells)]
    if len(pairs) > _MOST_CLASSES:
        parts.append(f"{len(pairs) - _MOST_CLASSES} more are in config.json.")
    return "\n\n".join(parts)


def _describe_scores(scores: Mapping[str, float]) -> str:
    if not scores:
        return ""
    rows = [(plain(name), np.format_float_positional(x)) for name, x in scores.items()]
    return table(("Metric", "Score"), rows)


def _show_model(record: CheckpointRecord | None, base: BaseModel | None) -> str:
    """Return the model parameter as code: an id, the name of a folder, or a class."""
    if record is None:
        return "None"
    if record.source == "estimator" and record.model.isidentifier():
        return f"{record.model}(...)"
    return repr(base.name) if base is not None and base.name else "..."
