"""The parameters of fine-tuning, and of what is fine-tuned for."""

from numbers import Integral, Real

from sklearn_bert._params.callbacks import FUNCTIONS
from sklearn_bert._params.encoder import ENCODER
from sklearn_bert._params.param import Param
from sklearn_bert._sklearn_compat import Interval, StrOptions

FINE_TUNING = {
    **ENCODER,
    "batch_size": Param(
        [Interval(Integral, 1, None, closed="left")],
        """\
batch_size : int, default=32
    Number of texts per optimizer step. A batch that does not fit into memory is split
    into parts with the same total gradient, up to rounding and dropout masks.
    Predictions choose their own batch size.""",
    ),
    "n_epochs": Param(
        [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        """\
n_epochs : int or "auto", default="auto"
    Number of passes over the texts. "auto" is 4, or more if these would be fewer than
    100 optimizer steps, but at most 20.""",
    ),
    "learning_rate": Param(
        [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        """\
learning_rate : float or "auto", default="auto"
    Peak learning rate, see `schedule`. Larger models need a lower one: "auto" is
    inversely proportional to the hidden size times the number of layers, and at most
    2e-4. This gives 2e-4 for the default model, 5e-5 for BERT-base and 2e-5 for
    BERT-large, and with an `adapter` ten times as much.""",
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
    only the linear layer on top. Freezing saves time and memory: on a CPU, frozen
    layers are computed once for each text, in all epochs and folds.""",
    ),
    "adapter": Param(
        [StrOptions({"lora"}), None],
        """\
adapter : {"lora"}, default=None
    What is trained in place of the weights of the layers. `None` trains the weights
    themselves. "lora" trains low-rank changes of all linear layers of the encoder's
    layers above those that `freeze` excludes, which takes much less memory; embeddings
    and normalization layers are not trained. After training, the changes are added to
    the weights. Requires the package peft.""",
    ),
    "lora_rank": Param(
        [Interval(Integral, 1, None, closed="left")],
        """\
lora_rank : int, default=8
    Rank of the changes with ``adapter="lora"``, which are multiplied by 2.""",
    ),
    "layer_decay": Param(
        [Interval(Real, 0, 1, closed="right")],
        """\
layer_decay : float, default=0.8
    Ratio of the learning rate of a layer to that of the layer above it. Lower layers,
    which encode the most general knowledge, change less. Layers that share their
    weights use the learning rate of the last layer.""",
    ),
    "gradient_checkpointing": Param(
        ["boolean"],
        """\
gradient_checkpointing : bool, default=False
    Whether to keep only the input of each layer for the backward pass, which computes
    the rest of the layer again. A large batch, or long texts, then take a small part of
    the memory, and a step takes about a third more time. The result is the same.""",
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
    score no longer improves, and keep the best weights. `fit` takes a validation set of
    your own as `X_val` and `y_val`.""",
    ),
    "validation_fraction": Param(
        [Interval(Real, 0, 1, closed="neither")],
        """\
validation_fraction : float, default=0.1
    Fraction of the texts in the validation split used for early stopping.""",
    ),
    "validation_split": Param(
        [StrOptions({"random", "last"})],
        """\
validation_split : {"random", "last"}, default="random"
    Which texts are in the validation split used for early stopping. "random" draws
    them, stratified by class, and keeps the `groups` of `fit` together. "last" takes
    the last rows of X, for rows in chronological order, and cannot be combined with
    `groups`.""",
    ),
    "n_iter_no_change": Param(
        [Interval(Integral, 1, None, closed="left")],
        """\
n_iter_no_change : int, default=2
    Number of epochs without improvement after which early stopping ends training.""",
    ),
    "scoring": Param(
        [str, callable, None],
        """\
scoring : str or callable, default=None
    Score used for early stopping: the name of a scikit-learn scorer, a callable with
    the signature ``scorer(estimator, X, y)``, or `None`. `None` is the `score` method,
    and for a label indicator matrix minus the loss, since the fraction of texts with
    all labels correct may stay at zero. It is called once before training and after
    each epoch, with the sample weights if it supports them.""",
    ),
    "warm_start": Param(
        ["boolean"],
        """\
warm_start : bool, default=False
    Whether `fit` starts from the weights of the previous fit.""",
    ),
    "callbacks": Param(
        [FUNCTIONS, None],
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
    and time left; 2 or more prints a line per epoch. Both print a line if training
    stops early.""",
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

TEXT_CLASSIFICATION = {
    **CLASSIFICATION,
    "contrastive": Param(
        [Interval(Real, 0, 1, closed="left"), StrOptions({"auto"})],
        """\
contrastive : float or "auto", default="auto"
    Fraction of the loss that makes the vectors of texts of the same class similar, and
    those of different classes dissimilar: the supervised contrastive loss over all
    pairs of texts in a batch, or in a part of one that is split to fit into memory, as
    batches of more than 8,192 tokens are on a CPU. It is included in `loss_curve_`.
    "auto" is 0.5 for at most 2,000 training texts of one class each, and 0 for more
    texts, for an indicator matrix, in `partial_fit`, and if all layers are frozen.""",
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

# Only for texts: words are neither pooled nor truncated.
_OF_TEXTS = {"pooling", "long_text", "prompt"}

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
