"""The parameters of pre-training, in the form of :mod:`sklearn_bert._params.shared`."""

from numbers import Integral, Real
from os import PathLike

from sklearn_bert._params.shared import (
    ENCODER,
    FINE_TUNING,
    VOCABULARY,
    Interval,
    Param,
    StrOptions,
)

PRE_TRAINING = {
    "model": Param(
        [*ENCODER["model"].constraint, None],
        """\
model : str, path, estimator or None, default=None
    What training starts from: a folder, a Hugging Face id, or a fitted estimator that
    holds an encoder. `None` makes a BERT with random weights.""",
    ),
    "revision": ENCODER["revision"],
    "n_layers": Param(
        [Interval(Integral, 1, None, closed="left")],
        """\
n_layers : int, default=4
    Layers of a new model.""",
    ),
    "hidden_size": Param(
        [Interval(Integral, 1, None, closed="left")],
        """\
hidden_size : int, default=256
    Features of each token in a new model; a multiple of `n_heads`.""",
    ),
    "n_heads": Param(
        [Interval(Integral, 1, None, closed="left")],
        """\
n_heads : int, default=4
    Attention heads of a new model.""",
    ),
    "vocab_size": Param(
        [Interval(Integral, 8, None, closed="left")],
        """\
vocab_size : int, default=8192
    Word pieces that a new model learns from the texts, at most.""",
    ),
    "lowercase": VOCABULARY["lowercase"],
    "max_length": Param(
        ENCODER["max_length"].constraint,
        """\
max_length : int, default=None
    Longest sequence in tokens, special tokens included. Longer texts are cut into
    several sequences, so that nothing is left out. `None` takes 128 for a new
    model, and for a checkpoint the limit that it declares.""",
    ),
    "mask_probability": Param(
        [Interval(Real, 0, 1, closed="neither")],
        """\
mask_probability : float, default=0.15
    Expected share of the tokens to be guessed. Of these, 80 % are replaced by
    [MASK], 10 % by a random token, and 10 % stay. They are drawn anew each time
    that a text is read.""",
    ),
    "whole_word_masking": Param(
        ["boolean"],
        """\
whole_word_masking : bool, default=False
    Whether the pieces of a word are hidden together.""",
    ),
    "n_epochs": Param(
        FINE_TUNING["n_epochs"].constraint,
        """\
n_epochs : int, default=1
    How often training goes over the texts.""",
    ),
    "max_steps": Param(
        [Interval(Integral, 1, None, closed="left"), None],
        """\
max_steps : int, default=None
    Ends training after so many steps of the optimiser.""",
    ),
    "max_time": Param(
        [Interval(Real, 0, None, closed="neither"), None],
        """\
max_time : float, default=None
    Ends training after so many seconds. Weights then depend on the speed of the
    machine.""",
    ),
    "batch_tokens": Param(
        [Interval(Integral, 1, None, closed="left")],
        """\
batch_tokens : int, default=4096
    Tokens per step of the optimiser, about. Texts are divided evenly among as many
    batches as can be filled, without padding.""",
    ),
    "learning_rate": Param(
        [
            *FINE_TUNING["learning_rate"].constraint,
            StrOptions({"auto"}),
        ],
        """\
learning_rate : float or "auto", default="auto"
    The highest learning rate, see `schedule`. "auto" is 0.0005 for a new model and
    0.0001 for a checkpoint.""",
    ),
    "schedule": FINE_TUNING["schedule"],
    "warmup": FINE_TUNING["warmup"],
    "weight_decay": FINE_TUNING["weight_decay"],
    "dropout": FINE_TUNING["dropout"],
    "checkpoint_dir": Param(
        [str, PathLike, None],
        """\
checkpoint_dir : str or path, default=None
    A folder in which the training is kept, so that a `fit` with the same
    parameters and texts goes on where one was killed, to the same weights. `None`
    keeps nothing.""",
    ),
    "checkpoint_interval": Param(
        [Interval(Real, 0, None, closed="left")],
        """\
checkpoint_interval : float, default=300.0
    Seconds between two savings to `checkpoint_dir`, which is also saved to at the
    end of a training, be it by `max_time` or by Ctrl-C, unless that comes while the
    weights move: then the last saving stays.""",
    ),
    "device": ENCODER["device"],
    "dtype": FINE_TUNING["dtype"],
    "random_state": Param(
        ["random_state"],
        """\
random_state : int, RandomState instance or None, default=None
    Seed of the weights of a new model, the order of the texts, the masks and
    dropout. With an int, two fits on one machine give the same weights, unless
    `max_time` ends them. The global generators of NumPy and torch are neither read
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
