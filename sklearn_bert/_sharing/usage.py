"""How a model is used: code that runs as it is next to the folder, or from the Hub."""

from dataclasses import dataclass
from typing import Any

from sklearn_bert._engine.export.contents import Exported
from sklearn_bert._sharing.markdown import block
from sklearn_bert._sharing.parameters import show_reading
from sklearn_bert._sharing.reading import Export, reading_of_fit
from sklearn_bert._sharing.tasks import n_columns


@dataclass(frozen=True)
class Place:
    """From where a model is opened.

    Attributes
    ----------
    name : str
        A Hub id, or a relative path of the folder.
    revision : str or None
        The branch on the Hub; None for the main branch.
    """

    name: str
    revision: str | None = None

    def to_code(self) -> str:
        """Return the arguments of the functions that open a model."""
        code = repr(self.name)
        return f"{code}, revision={self.revision!r}" if self.revision else code


_TEXT = '"A text to read."'
_PAIR = '"The first text.", "The second text."'


def show_usage(
    estimator: Any, export: Export, exported: Exported, place: Place
) -> list[tuple[str, str]]:
    """Return sections of a model card, with their titles.

    Parameters
    ----------
    estimator : object
        A fitted estimator.
    export : Export
        What is exported of it.
    exported : Exported
    place : Place

    Returns
    -------
    list of tuple of str
        In Markdown.
    """
    model = place.to_code()
    sections = {
        "Use with sklearn-bert": _with_this_package(estimator, export, exported, model),
        "Use with sentence-transformers": _with_sentence_transformers(
            estimator, exported, model
        ),
        "Use with transformers": _with_transformers(estimator, exported, model),
        "Limits": _limits(exported),
    }
    return [(title, text) for title, text in sections.items() if text]


def _with_this_package(
    estimator: Any, export: Export, exported: Exported, model: str
) -> str:
    if exported.task is None:
        # BertTokenizer reads the tokenizers of models.
        return ""
    fixed = reading_of_fit(estimator, export)
    if fixed:
        # The model declares that of the fit as its default.
        fixed["prompt"] = "auto"
    arguments = ", ".join([model, *show_reading(estimator, fixed)])
    code = block(
        "from sklearn_bert import BertVectorizer",
        "",
        f"vectorizer = BertVectorizer({arguments})",
        f"features = vectorizer.fit_transform([{_sample(estimator)}])",
    )
    if exported.task == "feature-extraction":
        return code
    start = "Pass the folder as `model` to start a new fit from this encoder."
    return f"{start} Its features are computed as follows:\n\n{code}"


def _with_sentence_transformers(estimator: Any, exported: Exported, model: str) -> str:
    if not exported.has_sentence_transformer:
        return ""
    sample = _sample(estimator)
    lines = [
        "from sentence_transformers import SentenceTransformer",
        "",
        f"encoder = SentenceTransformer({model})",
        f"features = encoder.encode([{sample}])",
    ]
    if not exported.has_scores:
        return block(*lines)
    scores = (
        "`scores` are the outputs of the linear layer, before any softmax. They need "
        "sentence-transformers 6.2."
    )
    head = f"The weights of this layer are also in `{exported.head_file}`."
    return f"{scores} {head}\n\n" + (
        block(
            *lines,
            f"rows = encoder.encode([{sample}], output_value=None)",
            'scores = [row["scores"] for row in rows]',
            "labels = encoder[0].auto_model.config.id2label",
        )
    )


def _with_transformers(estimator: Any, exported: Exported, model: str) -> str:
    if exported.task is None:
        return block(
            "from transformers import AutoTokenizer",
            "",
            f"tokenizer = AutoTokenizer.from_pretrained({model})",
            f'ids = tokenizer([{_TEXT}]{_truncation(estimator)})["input_ids"]',
        )
    if exported.auto_class == "AutoModel":
        return (
            f"{_warn_of_pipelines(exported)}"
            "The states of the tokens, from which the features are made:\n\n"
            + block(
                "from transformers import AutoModel, AutoTokenizer",
                "",
                f"tokenizer = AutoTokenizer.from_pretrained({model})",
                f"model = AutoModel.from_pretrained({model})",
                "inputs = tokenizer("
                f'{_arguments(estimator)}, truncation=True, return_tensors="pt")',
                "states = model(**inputs).last_hidden_state",
            )
        )
    return block(
        "from transformers import pipeline",
        "",
        f'predict = pipeline("{exported.task}", model={model})',
        *_call_of(estimator, exported),
    )


def _warn_of_pipelines(exported: Exported) -> str:
    """Return a warning, if a pipeline would make a linear layer of random numbers."""
    if exported.task == "feature-extraction":
        return ""
    return (
        f'`pipeline("{exported.task}")` does not read the linear layer of this model, '
        "and its answers are meaningless.\n\n"
    )


def _call_of(estimator: Any, exported: Exported) -> list[str]:
    """Return the lines that call a pipeline."""
    if exported.task == "fill-mask":
        return [
            "mask = predict.tokenizer.mask_token",
            'predictions = predict(f"This is a {mask}.")',
        ]
    if exported.task == "token-classification":
        call = f'predict({_TEXT}, aggregation_strategy="first")'
        return [f"predictions = {call}"]
    if n_columns(estimator) == 2:
        return [
            'pair = {"text": "The first text.", "text_pair": "The second text."}',
            "predictions = predict(pair, top_k=None, truncation=True)",
        ]
    return [f"predictions = predict({_TEXT}, top_k=None, truncation=True)"]


def _truncation(estimator: Any) -> str:
    has_limit = getattr(estimator, "max_length_", 0) is not None
    return ", truncation=True" if has_limit else ""


def _sample(estimator: Any) -> str:
    """Return a text, or a pair as a list."""
    return f"[{_PAIR}]" if n_columns(estimator) == 2 else _TEXT


def _arguments(estimator: Any) -> str:
    """Return a text, or a pair as two arguments."""
    return _PAIR if n_columns(estimator) == 2 else _TEXT


def _limits(exported: Exported) -> str:
    if not exported.not_reproduced:
        return ""
    clauses = "\n".join(f"* {clause}" for clause in exported.not_reproduced)
    return f"transformers and sentence-transformers do not reproduce:\n\n{clauses}"
