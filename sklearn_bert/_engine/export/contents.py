"""What is exported, and what an exported folder can be opened with."""

from dataclasses import dataclass

import numpy as np

from sklearn_bert._engine.encoding.resolve import ResolvedEncoder
from sklearn_bert._engine.text.tokenizer import TextTokenizer


@dataclass(frozen=True)
class LabeledHead:
    """The linear layer on the features, and what its outputs are.

    Attributes
    ----------
    task : {"text-classification", "token-classification"}
    problem_type : str
        The loss, by its name in transformers: "single_label_classification",
        "multi_label_classification" or "regression".
    labels : tuple of str
        The name of each output.
    coef : ndarray of shape (n_outputs, n_features)
    intercept : ndarray of shape (n_outputs,)
    """

    task: str
    problem_type: str
    labels: tuple[str, ...]
    coef: np.ndarray
    intercept: np.ndarray


@dataclass(frozen=True)
class EncoderExport:
    """An encoder, and how an estimator reads texts with it.

    Attributes
    ----------
    encoder : ResolvedEncoder
    normalize : bool
        Whether the features are scaled to unit norm after everything else.
    head : LabeledHead or None
        What the features are the input of, if they are not the result.
    constraint : str or None
        What is done to the most probable labels of a sentence, if anything.
    """

    encoder: ResolvedEncoder
    normalize: bool = False
    head: LabeledHead | None = None
    constraint: str | None = None


@dataclass(frozen=True)
class TokenizerExport:
    """A tokenizer without a model.

    Attributes
    ----------
    tokenizer : TextTokenizer
    max_length : int or None
        Maximum number of tokens per text; None without a limit.
    """

    tokenizer: TextTokenizer
    max_length: int | None


@dataclass(frozen=True)
class Exported:
    """What other programs make of a folder.

    Attributes
    ----------
    task : str or None
        The task of the estimator, by its name on the Hugging Face Hub. None for a
        tokenizer.
    auto_class : str
        The class of transformers that opens the folder, such as "AutoModel".
    has_sentence_transformer : bool
        Whether ``SentenceTransformer(folder).encode`` returns the features.
    has_scores : bool
        Whether it also computes the outputs of the linear layer on the features, as
        "scores", which the class of transformers does not.
    head_file : str or None
        The safetensors file with the "weight" and the "bias" of the linear layer, if
        the class of transformers does not contain it.
    not_reproduced : tuple of str
        What the estimator computes and these programs do not, as clauses that follow
        "They do not reproduce"; empty if the outputs are equal.
    """

    task: str | None
    auto_class: str
    has_sentence_transformer: bool = False
    has_scores: bool = False
    head_file: str | None = None
    not_reproduced: tuple[str, ...] = ()
