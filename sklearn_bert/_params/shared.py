"""Each parameter that estimators share, once: its constraint and its paragraph.

A class names the groups it takes::

    @document(ENCODER)
    class BertVectorizer(...):
        '''Texts to features.

        Parameters
        ----------
        %(model)s
        '''

        _parameter_constraints = {**constraints(ENCODER), "pooling": [...]}

The only file that imports scikit-learn's private parameter validation.
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
    """A parameter's constraint and its paragraph in numpydoc form."""

    constraint: list[Any]
    doc: str


class _EncoderOwner(HasMethods):
    """An estimator of this package that holds an encoder once it is fitted.

    It is known by a mark on its class, which FrozenEstimator passes on.
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
    The encoder: a folder, a Hugging Face id, or a fitted
    :class:`~sklearn_bert.BertMaskedLM`, :class:`~sklearn_bert.BertClassifier`,
    :class:`~sklearn_bert.BertRegressor` or :class:`~sklearn_bert.BertTokenClassifier`,
    whose own encoder is used. Where estimators are cloned, put the fitted estimator
    into :class:`~sklearn.frozen.FrozenEstimator`. An id is looked for in the installed
    bundle, then in the Hugging Face cache, and only then on the Hub. Only safetensors
    files are read, and no code that comes with a model is run.""",
    ),
    "revision": Param(
        [str, None],
        """\
revision : str, default=None
    Branch, tag or commit on the Hub; `None` takes what is at hand, else the main
    branch. Folders have no revisions. The commit used is recorded in
    `checkpoint_`.""",
    ),
    "pooling": Param(
        [StrOptions({"auto", "cls", "mean", "max", "compare"})],
        """\
pooling : {"auto", "cls", "mean", "max", "compare"}, default="auto"
    How the vectors of a text's tokens, or a pair's, become one row of features:

    - "cls" is the vector of the first token, [CLS];
    - "mean" is the mean of all;
    - "max" is the maximum of each feature;
    - "compare", for pairs only, puts side by side the means of the two texts, the
      absolute difference of these and their product, as `InferSent
      <https://aclanthology.org/D17-1070>`_ does: four times as many features, which
      of windows are averaged;
    - "auto" takes what the checkpoint declares in its sentence-transformers files,
      and "cls" if it declares nothing; for pairs "compare" instead of "mean".""",
    ),
    "max_length": Param(
        [Interval(Integral, 3, None, closed="left"), None],
        """\
max_length : int, default=None
    Longest text in tokens, special tokens included. `None` takes the limit that
    the model itself declares.""",
    ),
    "long_text": Param(
        [StrOptions({"truncate", "head_tail", "window"})],
        """\
long_text : {"truncate", "head_tail", "window"}, default="truncate"
    What happens to a text of more than `max_length` tokens:

    - "truncate" keeps its beginning; of a pair, the longer text is cut first;
    - "head_tail" keeps the first quarter and the last three quarters of
      `max_length`;
    - "window" reads all of it in windows of `max_length` tokens that overlap by a
      quarter, and pools the windows. Of a pair, the longer text is cut into
      windows, and the shorter one to half of `max_length` if it is longer.""",
    ),
    "batch_size": Param(
        [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        """\
batch_size : int or "auto", default="auto"
    Texts per batch. "auto" fills each batch with the number of tokens that suits
    the device. It changes speed and memory, not the result.""",
    ),
    "device": Param(
        [str],
        """\
device : str, default="auto"
    "auto" takes a CUDA GPU, then Apple's MPS, then the CPU. Otherwise a torch
    device such as "cpu" or "cuda:1".""",
    ),
    "dtype": Param(
        [StrOptions({"auto", "float32", "float64", "bfloat16", "float16"})],
        """\
dtype : {"auto", "float32", "float64", "bfloat16", "float16"}, default="auto"
    Number format of the computation. "auto" takes bfloat16 on CUDA GPUs that
    multiply it in hardware and float32 elsewhere.""",
    ),
    "verbose": Param(
        ["verbose"],
        """\
verbose : int, default=0
    1 or more shows a progress bar.""",
    ),
}

FINE_TUNING = {
    **ENCODER,
    "batch_size": Param(
        [Interval(Integral, 1, None, closed="left")],
        """\
batch_size : int, default=32
    Texts per step of the optimiser. If memory is short, a batch is trained in
    parts, which changes nothing else. Predictions choose their own batches.""",
    ),
    "n_epochs": Param(
        [Interval(Integral, 1, None, closed="left")],
        """\
n_epochs : int, default=4
    How often training goes over the texts.""",
    ),
    "learning_rate": Param(
        [Interval(Real, 0, None, closed="neither")],
        """\
learning_rate : float, default=0.0002
    The highest learning rate, see `schedule`. Larger models want a lower one, such
    as 2e-5 to 5e-5 for those of BERT's size.""",
    ),
    "weight_decay": Param(
        [Interval(Real, 0, None, closed="left")],
        """\
weight_decay : float, default=0.01
    AdamW's decay of the weights. Biases and the parameters of norms do not decay.""",
    ),
    "warmup": Param(
        [Interval(Real, 0, 1, closed="left")],
        """\
warmup : float, default=0.1
    Share of the steps over which the learning rate rises from 0.""",
    ),
    "schedule": Param(
        [StrOptions({"linear", "cosine", "constant"})],
        """\
schedule : {"linear", "cosine", "constant"}, default="linear"
    How the learning rate changes after the warmup: it falls to 0 along a line or a
    cosine, or stays.""",
    ),
    "dropout": Param(
        [Interval(Real, 0, 1, closed="left")],
        """\
dropout : float, default=0.1
    Share of the numbers set to 0 in training, behind the embeddings, each block of
    a layer, and the pooling.""",
    ),
    "freeze": Param(
        [
            StrOptions({"embeddings", "encoder"}),
            Interval(Integral, 0, None, closed="left"),
            None,
        ],
        """\
freeze : {"embeddings", "encoder"} or int, default=None
    What is not trained: nothing; the embeddings; these and a number of layers,
    counted from the lowest; or the whole encoder, so that only the linear layer on
    top is. It saves time and memory.""",
    ),
    "layer_decay": Param(
        [Interval(Real, 0, 1, closed="right")],
        """\
layer_decay : float, default=0.8
    Factor from the learning rate of one layer to that of the layer below, so that
    lower layers, which hold the most general knowledge, move less. Layers that share
    their weights move as the last one.""",
    ),
    "init": Param(
        [StrOptions({"probe", "zeros"})],
        """\
init : {"probe", "zeros"}, default="probe"
    Where the linear layer on top starts: at the linear model that fits the features
    of the encoder as it is, or at zeros.""",
    ),
    "early_stopping": Param(
        ["boolean"],
        """\
early_stopping : bool, default=False
    Whether to hold out a part of the texts, to score it after each epoch, to stop
    when the score no longer rises, and to keep the weights that scored best.""",
    ),
    "validation_fraction": Param(
        [Interval(Real, 0, 1, closed="neither")],
        """\
validation_fraction : float, default=0.1
    Share of the texts that early stopping holds out.""",
    ),
    "n_iter_no_change": Param(
        [Interval(Integral, 1, None, closed="left")],
        """\
n_iter_no_change : int, default=2
    Early stopping ends training after so many epochs without a better score.""",
    ),
    "scoring": Param(
        [StrOptions(set(get_scorer_names())), callable, None],
        """\
scoring : str or callable, default=None
    What early stopping scores: any scorer of scikit-learn, or `None` for the
    estimator's own `score`. It is called once before the training and after each
    epoch, with the sample weights if it takes any.""",
    ),
    "warm_start": Param(
        ["boolean"],
        """\
warm_start : bool, default=False
    Whether `fit` goes on from the weights of the fit before.""",
    ),
    "callbacks": Param(
        ["array-like", None],
        """\
callbacks : list of callable, default=None
    Functions called after each epoch with a state, whose attributes are `epoch`,
    `n_epochs`, `step`, `n_steps`, `loss`, `learning_rate`, `validation_score` and
    `seconds`. One that returns True ends the training.""",
    ),
    "dtype": Param(
        [StrOptions({"auto", "float32", "float64", "bfloat16"})],
        """\
dtype : {"auto", "float32", "float64", "bfloat16"}, default="auto"
    Number format of the computation. In training "auto" multiplies in bfloat16
    where the hardware does so faster than in float32; weights are float32 then.
    Predictions are made in bfloat16 on such GPUs and in float32 elsewhere.""",
    ),
    "random_state": Param(
        ["random_state"],
        """\
random_state : int, RandomState instance or None, default=None
    Seed of the order of the texts, of dropout and of the split of early stopping.
    With an int, two fits on one machine give the same weights. The global
    generators of NumPy and torch are neither read nor changed.""",
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
    Weight of each class in the loss, by label; classes that a dict leaves out weigh
    1. "balanced" gives all classes the same total weight. With several labels per
    text, the keys are the columns of y, and the weight goes to the texts that have
    the label. Multiplies `sample_weight`.""",
    ),
    "label_smoothing": Param(
        [Interval(Real, 0, 1, closed="left")],
        """\
label_smoothing : float, default=0.0
    Share of each training target that is spread evenly over the classes.""",
    ),
}

VOCABULARY = {
    "lowercase": Param(
        ["boolean"],
        """\
lowercase : bool, default=True
    Whether word pieces that are learnt ignore case and accents. The tokenizer of a
    checkpoint has its own rule.""",
    ),
}

# Of whole texts only: words are neither pooled nor cut.
_OF_TEXTS = {"pooling", "long_text"}

TAGGING = {
    **{name: param for name, param in FINE_TUNING.items() if name not in _OF_TEXTS},
    **CLASSIFICATION,
    "max_length": Param(
        [Interval(Integral, 3, None, closed="left"), None],
        """\
max_length : int, default=None
    Longest sequence in tokens, special tokens included. `None` takes the limit that
    the model itself declares. Sentences of more tokens are read in windows that
    overlap by a quarter, and each word is tagged where its context is widest.""",
    ),
    "class_weight": Param(
        [dict, StrOptions({"balanced"}), None],
        """\
class_weight : dict or "balanced", default=None
    Weight in the loss of the words of each tag, by tag; tags that a dict leaves out
    weigh 1. "balanced" gives all tags the same total weight. Multiplies
    `sample_weight`.""",
    ),
    "word_tokenizer": Param(
        [callable, None],
        """\
word_tokenizer : callable, default=None
    Splits a text into a list of words, where X holds texts. `None` finds the words
    by the regular expression ``\\w+(?:['’.-]\\w+)*|[^\\w\\s]``: runs of letters and
    digits, which an apostrophe, a full stop or a hyphen may join, and every other
    character by itself.""",
    ),
    "constrain_tags": Param(
        [StrOptions({"bio"}), None],
        """\
constrain_tags : {"bio"}, default=None
    Which sequences of tags may be predicted: any, or those in which each "I-" goes on
    with an entity of its type. "bio" finds the most probable one by the Viterbi
    algorithm, and wants the tags of y to be so too.""",
    ),
}

REGRESSION = {
    "loss": Param(
        [StrOptions({"squared_error", "absolute_error", "huber"})],
        """\
loss : {"squared_error", "absolute_error", "huber"}, default="squared_error"
    What training makes small, on targets that are scaled to mean 0 and standard
    deviation 1. "absolute_error" predicts a median rather than a mean, and minds
    outliers less. "huber" is squared up to one standard deviation and absolute
    beyond.""",
    ),
}

Group = dict[str, Param]
_Class = TypeVar("_Class", bound=type)


def constraints(*groups: Group) -> dict[str, list[Any]]:
    """Return the groups' constraints in scikit-learn's form."""
    return {name: param.constraint for group in groups for name, param in group.items()}


def document(*groups: Group) -> Callable[[_Class], _Class]:
    """Replace each line ``%(name)s`` of a class's docstring by that paragraph.

    It is that of a parameter in the groups, or of a fitted attribute.
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
