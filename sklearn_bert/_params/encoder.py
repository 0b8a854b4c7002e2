"""The parameters of all estimators that read texts with an encoder."""

from numbers import Integral
from os import PathLike
from typing import Any

from sklearn_bert._params.param import Param
from sklearn_bert._sklearn_compat import HasMethods, Interval, StrOptions


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


class _Poolings(StrOptions):
    """Poolings, of which several may be joined."""

    def is_satisfied_by(self, val: Any) -> bool:
        if super().is_satisfied_by(val):
            return True
        modes = val.split("+") if isinstance(val, str) else []
        return 1 < len(modes) == len({*modes}) and {*modes} <= {*_JOINABLE}

    def __str__(self) -> str:
        return f"{super().__str__()}, or several of {_JOINABLE} joined by '+'"


class _OneDevice(HasMethods):
    """A device, with the remedy for those who pass several."""

    def is_satisfied_by(self, val: Any) -> bool:
        return isinstance(val, str)

    def __str__(self) -> str:
        return (
            "a str, since several GPUs train one model in several processes, which "
            "torchrun starts"
        )


_JOINABLE = ("cls", "mean", "max")

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
    the main branch otherwise. It must be `None` if `model` is a folder. The commit
    is stored in `checkpoint_`.""",
    ),
    "pooling": Param(
        [_Poolings({"auto", *_JOINABLE, "compare"})],
        """\
pooling : {"auto", "cls", "mean", "max", "compare"} or str, default="auto"
    How to combine the token vectors of a text, or of a pair, into one row of features.
    Several of "cls", "mean" and "max" are concatenated if they are joined by "+", as in
    "cls+mean":

    - "cls" is the vector of the first token, [CLS];
    - "mean" is the mean over the tokens;
    - "max" is the maximum over the tokens, for each feature;
    - "compare", for pairs only, concatenates the means of the two texts, their
      absolute difference and their product, as in `InferSent
      <https://aclanthology.org/D17-1070>`_. These are four times as many features.
      They are averaged over windows;
    - "auto" uses the pooling that the checkpoint declares in its
      sentence-transformers files, or "cls" if it has no such files. For pairs,
      "compare" replaces "mean".

    Modules that a checkpoint declares after its pooling, such as Dense, apply to single
    texts that are pooled as declared from the last layer, also if the declared pooling
    is set explicitly. A module that is not supported is then an error. With another
    pooling, other layers or pairs, none of the modules applies, because they were
    trained on other vectors.""",
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
    "prompt": Param(
        [str, None],
        """\
prompt : str, default="auto"
    Text to put in front of every text, such as "query: ", for checkpoints that were
    trained with it. Of a pair, it is put in front of the first text. It counts towards
    `max_length`, and is kept when a text is truncated and in every window:

    - "auto" uses the default prompt that the checkpoint declares in its
      sentence-transformers files, or no prompt if it declares none;
    - the name of a prompt that the checkpoint declares, such as "query", uses that
      prompt. The names "query" and "document" are always valid, as in
      sentence-transformers, and mean no prompt unless they are declared;
    - every other str is the prompt itself;
    - `None` uses no prompt.""",
    ),
    "missing": Param(
        [StrOptions({"error", "empty"})],
        """\
missing : {"error", "empty"}, default="error"
    How to handle missing values in X, such as None, NaN, NaT, NA and null. "error"
    raises an error. "empty" reads a missing text, also one of a pair, as an empty
    text, a missing sentence as a sentence without words, and a missing word as an
    empty word.""",
    ),
    "batch_size": Param(
        [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        """\
batch_size : int or "auto", default="auto"
    Number of texts per batch. "auto" chooses the number of tokens per batch to suit
    the device. It affects speed and memory, not the result.""",
    ),
    "device": Param(
        [_OneDevice("__str__")],
        """\
device : str, default="auto"
    "auto" selects a CUDA GPU if there is one, then Apple's MPS, then the CPU. If
    there are several GPUs, each worker process uses its own. Any other value is a
    PyTorch device such as "cpu" or "cuda:1".""",
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

# Of estimators that only encode.
SEVERAL_DEVICES = {
    "device": Param(
        [str, list, tuple],
        f"""\
{ENCODER["device"].doc.replace("device : str", "device : str or list of str")}
    A list of different GPUs, such as `["cuda:0", "cuda:1"]`, divides the texts among
    them. This has never run on several GPUs.""",
    ),
}

# The trainer reserves memory for all tokens, and ends the process if there is none.
VOCABULARY_SIZE = Interval(Integral, 8, 10_000_000, closed="both")

VOCABULARY = {
    "lowercase": Param(
        ["boolean"],
        """\
lowercase : bool, default=True
    Whether a learned vocabulary ignores case and accents. It does not apply to the
    tokenizer of a checkpoint.""",
    ),
}
