"""Shared parameters, each defined once with its constraint and its documentation.

A class lists the groups that it uses::

    @document(ENCODER)
    class BertVectorizer(...):
        '''Turn texts into features.

        Parameters
        ----------
        %(model)s
        '''

        _parameter_constraints = {**constraints(ENCODER), "pooling": [...]}

This is the only module that imports the private parameter validation of scikit-learn.
"""

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral, Real
from os import PathLike
from textwrap import indent
from typing import Any, TypeVar

from sklearn.metrics import get_scorer_names
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    Options,
    StrOptions,
    validate_parameter_constraints,
    validate_params,
)

from sklearn_bert._params.attributes import FITTED

__all__ = [
    "CLASSIFICATION",
    "ENCODER",
    "FINE_TUNING",
    "REGRESSION",
    "TAGGING",
    "VOCABULARY",
    "Integral",
    "Interval",
    "Options",
    "Param",
    "Real",
    "StrOptions",
    "constraints",
    "document",
    "validate_parameter_constraints",
    "validate_params",
]


@dataclass(frozen=True)
class Param:
    """The constraint and the numpydoc documentation of a parameter."""

    constraint: list[Any]
    doc: str


class _EncoderOwner(HasMethods):
    """An estimator of this package that has an encoder after fit.

    A class attribute identifies it, also through FrozenEstimator.
    """

    def is_satisfied_by(self, val: Any) -> bool:
        return bool(getattr(val, "_holds_encoder", False))

    def __str__(self) -> str:
        return (
            "a fitted BertClassifier, BertRegressor, BertTokenClassifier or "
            "BertMaskedLM"
        )


ENCODER = {
    "model": Param(
        [str, PathLike, _EncoderOwner("fit")],
        """\
model : str, path or estimator, default="sentence-transformers/all-MiniLM-L6-v2"
    The encoder: a folder, a Hugging Face model id, or a fitted
    :class:`~sklearn_bert.BertMaskedLM`, :class:`~sklearn_bert.BertClassifier`,
    :class:`~sklearn_bert.BertRegressor` or :class:`~sklearn_bert.BertTokenClassifier`,
    whose encoder is used. If estimators are cloned, as in cross-validation, wrap the
    fitted estimator in :class:`~sklearn.frozen.FrozenEstimator`. A model id is looked
    up in the installed bundle, then in the Hugging Face cache, then on the Hub.
    Weights are only read from safetensors files, and code in a checkpoint is never
    run.""",
    ),
    "revision": Param(
        [str, None],
        """\
revision : str, default=None
    Branch, tag or commit on the Hub. `None` uses a local copy if there is one, and
    the main branch otherwise. Folders have no revisions. The commit is stored in
    `checkpoint_`.""",
    ),
    "pooling": Param(
        [StrOptions({"auto", "cls", "mean", "max", "compare"})],
        """\
pooling : {"auto", "cls", "mean", "max", "compare"}, default="auto"
    How to combine the token vectors of a text, or of a pair, into one row of features:

    - "cls" is the vector of the first token, [CLS];
    - "mean" is the mean over the tokens;
    - "max" is the maximum over the tokens, for each feature;
    - "compare", for pairs only, concatenates the means of the two texts, their
      absolute difference and their product, as in `InferSent
      <https://aclanthology.org/D17-1070>`_. These are four times as many features.
      They are averaged over windows;
    - "auto" uses the pooling that the checkpoint declares in its
      sentence-transformers files, or "cls" if it declares none. For pairs, "compare"
      replaces "mean".""",
    ),
    "max_length": Param(
        [Interval(Integral, 3, None, closed="left"), None],
        """\
max_length : int, default=None
    Maximum number of tokens per text, including special tokens. `None` uses the limit
    that the model declares.""",
    ),
    "long_text": Param(
        [StrOptions({"truncate", "head_tail", "window"})],
        """\
long_text : {"truncate", "head_tail", "window"}, default="truncate"
    How to handle a text of more than `max_length` tokens:

    - "truncate" keeps its beginning; of a pair, the longer text is truncated first;
    - "head_tail" fills a quarter of `max_length` from its beginning and three quarters
      from its end;
    - "window" reads the whole text in windows of `max_length` tokens that overlap by a
      quarter, and pools over the windows. Of a pair, the longer text is split into
      windows, and the shorter one is truncated to half of `max_length`.""",
    ),
    "batch_size": Param(
        [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        """\
batch_size : int or "auto", default="auto"
    Number of texts per batch. "auto" chooses the number of tokens per batch to suit
    the device. It affects speed and memory, not the result.""",
    ),
    "device": Param(
        [str],
        """\
device : str, default="auto"
    "auto" selects a CUDA GPU if there is one, then Apple's MPS, then the CPU. Any
    other value is a PyTorch device such as "cpu" or "cuda:1".""",
    ),
    "dtype": Param(
        [StrOptions({"auto", "float32", "float64", "bfloat16", "float16"})],
        """\
dtype : {"auto", "float32", "float64", "bfloat16", "float16"}, default="auto"
    Data type of the computation. "auto" means bfloat16 on CUDA GPUs with hardware
    support and float32 elsewhere.""",
    ),
    "verbose": Param(
        ["verbose"],
        """\
verbose : int, default=0
    Whether to show a progress bar.""",
    ),
}

FINE_TUNING = {
    **ENCODER,
    "batch_size": Param(
        [Interval(Integral, 1, None, closed="left")],
        """\
batch_size : int, default=32
    Number of texts per optimizer step. A batch that does not fit into memory is
    split, with the same result. Predictions choose their own batch size.""",
    ),
    "n_epochs": Param(
        [Interval(Integral, 1, None, closed="left")],
        """\
n_epochs : int, default=4
    Number of passes over the texts.""",
    ),
    "learning_rate": Param(
        [Interval(Real, 0, None, closed="neither")],
        """\
learning_rate : float, default=0.0002
    Peak learning rate, see `schedule`. Larger models need a lower one, such as 2e-5 to
    5e-5 for BERT-base.""",
    ),
    "weight_decay": Param(
        [Interval(Real, 0, None, closed="left")],
        """\
weight_decay : float, default=0.01
    Weight decay of AdamW. It does not apply to biases and normalization layers.""",
    ),
    "warmup": Param(
        [Interval(Real, 0, 1, closed="left")],
        """\
warmup : float, default=0.1
    Fraction of the steps over which the learning rate rises from 0.""",
    ),
    "schedule": Param(
        [StrOptions({"linear", "cosine", "constant"})],
        """\
schedule : {"linear", "cosine", "constant"}, default="linear"
    Learning rate after the warmup: it decays to 0 linearly or along a cosine, or stays
    constant.""",
    ),
    "dropout": Param(
        [Interval(Real, 0, 1, closed="left")],
        """\
dropout : float, default=0.1
    Fraction of activations set to 0 in training, after the embeddings, each block of a
    layer, and the pooling.""",
    ),
    "freeze": Param(
        [
            StrOptions({"embeddings", "encoder"}),
            Interval(Integral, 0, None, closed="left"),
            None,
        ],
        """\
freeze : {"embeddings", "encoder"} or int, default=None
    What is not trained. `None` trains everything, "embeddings" freezes the embeddings,
    an int also freezes that number of layers from the lowest, and "encoder" trains
    only the linear layer on top. Freezing saves time and memory.""",
    ),
    "layer_decay": Param(
        [Interval(Real, 0, 1, closed="right")],
        """\
layer_decay : float, default=0.8
    Ratio of the learning rate of a layer to that of the layer above it. Lower layers,
    which encode the most general knowledge, change less. Layers that share their
    weights use the learning rate of the last layer.""",
    ),
    "init": Param(
        [StrOptions({"probe", "zeros"})],
        """\
init : {"probe", "zeros"}, default="probe"
    Initial weights of the linear layer on top: those of a linear model fitted to the
    features of the frozen encoder, or zeros.""",
    ),
    "early_stopping": Param(
        ["boolean"],
        """\
early_stopping : bool, default=False
    Whether to set aside a validation split, score it after each epoch, stop when the
    score no longer improves, and keep the best weights.""",
    ),
    "validation_fraction": Param(
        [Interval(Real, 0, 1, closed="neither")],
        """\
validation_fraction : float, default=0.1
    Fraction of the texts in the validation split used for early stopping.""",
    ),
    "n_iter_no_change": Param(
        [Interval(Integral, 1, None, closed="left")],
        """\
n_iter_no_change : int, default=2
    Number of epochs without improvement after which early stopping ends training.""",
    ),
    "scoring": Param(
        [StrOptions(set(get_scorer_names())), callable, None],
        """\
scoring : str or callable, default=None
    Score used for early stopping: the name of a scikit-learn scorer, a callable with
    the signature ``scorer(estimator, X, y)``, or `None` for the `score` method. It is
    called once before training and after each epoch, with the sample weights if it
    supports them.""",
    ),
    "warm_start": Param(
        ["boolean"],
        """\
warm_start : bool, default=False
    Whether `fit` starts from the weights of the previous fit.""",
    ),
    "callbacks": Param(
        ["array-like", None],
        """\
callbacks : list of callable, default=None
    Functions called after each epoch with a state, whose attributes are `epoch`,
    `n_epochs`, `step`, `n_steps`, `loss`, `learning_rate`, `validation_score` and
    `seconds`. A callback that returns True stops training.""",
    ),
    "dtype": Param(
        [StrOptions({"auto", "float32", "float64", "bfloat16"})],
        """\
dtype : {"auto", "float32", "float64", "bfloat16"}, default="auto"
    Data type of the computation. In training, "auto" keeps the weights in float32 and
    computes matrix products in bfloat16 if the hardware is faster at it. Predictions
    use bfloat16 on GPUs with hardware support and float32 elsewhere.""",
    ),
    "random_state": Param(
        ["random_state"],
        """\
random_state : int, RandomState instance or None, default=None
    Seed of the order of the texts, of dropout and of the validation split. With an
    int, two fits on one machine give the same weights. The global generators of NumPy
    and PyTorch are neither used nor changed.""",
    ),
    "verbose": Param(
        ["verbose"],
        """\
verbose : int, default=0
    1 shows progress bars that name the fit, the epoch and the stage, with loss, score
    and time left; 2 or more prints a line per epoch.""",
    ),
}

CLASSIFICATION = {
    "class_weight": Param(
        [dict, StrOptions({"balanced"}), None],
        """\
class_weight : dict or "balanced", default=None
    Weight of each class in the loss. A dict maps labels to weights; other classes have
    weight 1. "balanced" gives all classes the same total weight. For multilabel
    targets the keys are the columns of y, and the weight applies to the texts that
    have the label. It is multiplied by `sample_weight`.""",
    ),
    "label_smoothing": Param(
        [Interval(Real, 0, 1, closed="left")],
        """\
label_smoothing : float, default=0.0
    Fraction of each training target that is distributed evenly over the classes.""",
    ),
}

VOCABULARY = {
    "lowercase": Param(
        ["boolean"],
        """\
lowercase : bool, default=True
    Whether a learned vocabulary ignores case and accents. It does not apply to the
    tokenizer of a checkpoint.""",
    ),
}

# Only for texts: words are neither pooled nor truncated.
_OF_TEXTS = {"pooling", "long_text"}

TAGGING = {
    **{name: param for name, param in FINE_TUNING.items() if name not in _OF_TEXTS},
    **CLASSIFICATION,
    "max_length": Param(
        [Interval(Integral, 3, None, closed="left"), None],
        """\
max_length : int, default=None
    Maximum number of tokens per sequence, including special tokens. `None` uses the
    limit that the model declares. Longer sentences are read in windows that overlap by
    a quarter, and each word is tagged in the window with the most context.""",
    ),
    "class_weight": Param(
        [dict, StrOptions({"balanced"}), None],
        """\
class_weight : dict or "balanced", default=None
    Weight of each tag in the loss. A dict maps tags to weights; other tags have weight
    1. "balanced" gives all tags the same total weight. It is multiplied by
    `sample_weight`.""",
    ),
    "word_tokenizer": Param(
        [callable, None],
        """\
word_tokenizer : callable, default=None
    Splits a text into a list of words, if X contains texts. `None` uses the regular
    expression ``\\w+(?:['’.-]\\w+)*|[^\\w\\s]``: runs of letters and digits, which an
    apostrophe, a period or a hyphen may join, and every other character separately.
    Combining marks and zero-width joiners belong to the character before them.""",
    ),
    "constrain_tags": Param(
        [StrOptions({"bio"}), None],
        """\
constrain_tags : {"bio"}, default=None
    Valid sequences of tags: with `None` any sequence, with "bio" those in which each
    "I-" tag continues an entity of its type. "bio" predicts the most probable valid
    sequence with the Viterbi algorithm, and requires valid tags in y.""",
    ),
}

REGRESSION = {
    "loss": Param(
        [StrOptions({"squared_error", "absolute_error", "huber"})],
        """\
loss : {"squared_error", "absolute_error", "huber"}, default="squared_error"
    Training loss, on targets scaled to mean 0 and standard deviation 1.
    "absolute_error" predicts the median instead of the mean and is less sensitive to
    outliers. "huber" is squared up to one standard deviation and absolute beyond.""",
    ),
}

Group = dict[str, Param]
_Class = TypeVar("_Class", bound=type)


def constraints(*groups: Group) -> dict[str, list[Any]]:
    """Return the constraints of the groups as scikit-learn expects them."""
    return {name: param.constraint for group in groups for name, param in group.items()}


def document(*groups: Group) -> Callable[[_Class], _Class]:
    """Replace each line ``%(name)s`` in the docstring of a class.

    The replacement documents a parameter of the groups, or a fitted attribute.
    """
    docs = {name: param.doc for group in groups for name, param in group.items()}
    paragraphs = {f"%({name})s": doc for name, doc in {**FITTED, **docs}.items()}

    def write(cls: _Class) -> _Class:
        lines = []
        for line in (cls.__doc__ or "").splitlines():
            text = line.lstrip()
            margin = line[: len(line) - len(text)]
            lines.append(
                indent(paragraphs[text], margin) if text in paragraphs else line
            )
        cls.__doc__ = "\n".join(lines)
        return cls

    return write
