"""The parameters of pre-training, defined as in :mod:`sklearn_bert._params.param`."""

from numbers import Integral, Real
from os import PathLike

from sklearn_bert._params.encoder import ENCODER, VOCABULARY, VOCABULARY_SIZE
from sklearn_bert._params.fine_tuning import FINE_TUNING
from sklearn_bert._params.param import Param
from sklearn_bert._sklearn_compat import Interval, StrOptions

PRE_TRAINING = {
    "model": Param(
        [*ENCODER["model"].constraint, None],
        """\
model : str, path, estimator or None, default=None
    The model to start from: a folder, a Hugging Face model id, or a fitted estimator
    with an encoder. `None` creates a BERT model with random weights.""",
    ),
    "revision": ENCODER["revision"],
    "n_layers": Param(
        [Interval(Integral, 1, None, closed="left")],
        """\
n_layers : int, default=4
    Number of layers of a new model.""",
    ),
    "hidden_size": Param(
        [Interval(Integral, 1, None, closed="left")],
        """\
hidden_size : int, default=256
    Size of the hidden states of a new model, a multiple of `n_heads`.""",
    ),
    "n_heads": Param(
        [Interval(Integral, 1, None, closed="left")],
        """\
n_heads : int, default=4
    Number of attention heads of a new model.""",
    ),
    "vocab_size": Param(
        [VOCABULARY_SIZE],
        """\
vocab_size : int, default=8192
    Maximum vocabulary size of a new model, which is learned from the texts.""",
    ),
    "lowercase": VOCABULARY["lowercase"],
    "max_length": Param(
        ENCODER["max_length"].constraint,
        """\
max_length : int, default=None
    Maximum number of tokens per sequence, including special tokens. Longer texts are
    split into several sequences, so that no token is lost. `None` means 128 for a new
    model, and the limit declared by a checkpoint.""",
    ),
    "missing": ENCODER["missing"],
    "mask_probability": Param(
        [Interval(Real, 0, 1, closed="neither")],
        """\
mask_probability : float, default=0.15
    Expected fraction of the tokens that are masked and predicted. Of these, 80 % are
    replaced by [MASK], 10 % by a random token, and 10 % are unchanged. They are drawn
    again each time that a text is read.""",
    ),
    "whole_word_masking": Param(
        ["boolean"],
        """\
whole_word_masking : bool, default=False
    Whether to mask all pieces of a word together.""",
    ),
    "n_epochs": Param(
        FINE_TUNING["n_epochs"].constraint,
        """\
n_epochs : int, default=1
    Number of passes over the texts.""",
    ),
    "max_steps": Param(
        [Interval(Integral, 1, None, closed="left"), None],
        """\
max_steps : int, default=None
    Maximum number of optimizer steps.""",
    ),
    "max_time": Param(
        [Interval(Real, 0, None, closed="neither"), None],
        """\
max_time : float, default=None
    Maximum training time in seconds. The weights then depend on the speed of the
    machine.""",
    ),
    "batch_tokens": Param(
        [Interval(Integral, 1, None, closed="left")],
        """\
batch_tokens : int, default=4096
    Approximate number of tokens per optimizer step. The texts are divided evenly
    among as many batches as can be filled, without padding.""",
    ),
    "learning_rate": Param(
        [
            *FINE_TUNING["learning_rate"].constraint,
            StrOptions({"auto"}),
        ],
        """\
learning_rate : float or "auto", default="auto"
    Peak learning rate, see `schedule`. "auto" means 0.0005 for a new model and 0.0001
    for a checkpoint.""",
    ),
    "schedule": FINE_TUNING["schedule"],
    "warmup": FINE_TUNING["warmup"],
    "weight_decay": FINE_TUNING["weight_decay"],
    "dropout": FINE_TUNING["dropout"],
    "checkpoint_dir": Param(
        [str, PathLike, None],
        """\
checkpoint_dir : str or path, default=None
    Folder for the training state. A `fit` with the same parameters and texts resumes
    an interrupted run from it, with bit-identical results. `None` saves nothing.
    :meth:`save` leaves this parameter out.""",
    ),
    "checkpoint_interval": Param(
        [Interval(Real, 0, None, closed="left")],
        """\
checkpoint_interval : float, default=300.0
    Seconds between two writes to `checkpoint_dir`. The state is also saved at the end
    of training, including by `max_time` or Ctrl-C, unless Ctrl-C arrives during a
    weight update.""",
    ),
    "device": ENCODER["device"],
    "dtype": FINE_TUNING["dtype"],
    "random_state": Param(
        ["random_state"],
        """\
random_state : int, RandomState instance or None, default=None
    Seed of the initial weights of a new model, the order of the texts, the masks and
    dropout. With an int, two fits on one machine give the same weights, unless
    `max_time` ends them. The global generators of NumPy and PyTorch are neither used
    nor changed.""",
    ),
    "verbose": Param(
        ["verbose"],
        """\
verbose : int, default=0
    1 shows a progress bar that names the fit and the epoch, with the loss; 2 or more
    prints a line per epoch.""",
    ),
}
