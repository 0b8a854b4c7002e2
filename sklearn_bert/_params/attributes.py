"""The documentation of fitted attributes that estimators share.

A line ``%(name)s`` in the docstring of a class inserts it, as for a parameter.
"""

FITTED = {
    "n_features_in_": """\
n_features_in_ : int
    1 for texts, 2 for pairs.""",
    "feature_names_in_": """\
feature_names_in_ : ndarray of shape (`n_features_in_`,)
    Names of the columns seen by `fit`. Defined only if X is a frame whose column
    names are all strings.""",
    "n_truncated_": """\
n_truncated_ : int
    Number of texts that `fit` truncated.""",
    "truncated_share_": """\
truncated_share_ : float
    Fraction of the texts that `fit` truncated.""",
    "max_length_": """\
max_length_ : int
    Maximum number of tokens, as resolved by `fit`.""",
    "pooling_": """\
pooling_ : str
    Pooling, as resolved by `fit`: "compare", or a mode of sentence-transformers such
    as "mean". Several modes are joined by "+", as in "cls+mean".""",
    "prompt_": """\
prompt_ : str
    Text of the prompt, as resolved by `fit`; empty if there is none.""",
    "encoder_": """\
encoder_ : object
    The fine-tuned encoder, with attributes `config`, `tokenizer` and `weights`.""",
    "adapter_": """\
adapter_ : object or None
    With ``adapter="lora"``, the low-rank changes that `encoder_` contains, with
    attributes `rank`, `scale`, `down` and `up`: that of the linear layer `name` is
    ``scale * up[name] @ down[name]``.""",
    "n_iter_": """\
n_iter_ : int
    Number of completed epochs.""",
    "n_epochs_": """\
n_epochs_ : int
    Number of planned epochs, as resolved by `fit`.""",
    "contrastive_": """\
contrastive_ : float
    Fraction of the loss that is contrastive, as resolved by `fit`.""",
    "epoch_times_": """\
epoch_times_ : list of float
    Seconds of each epoch of `loss_curve_`, with its validation.""",
    "n_tokens_": """\
n_tokens_ : int
    Number of tokens read in the completed epochs, including special tokens.""",
    "n_trained_parameters_": """\
n_trained_parameters_ : int
    Number of weights that `fit` trained, with those of the linear layer.""",
    "n_samples_seen_": """\
n_samples_seen_ : int
    Number of samples of positive weight in `fit`, or in all calls of `partial_fit`
    together. Those held out for early stopping are included.""",
    "learning_rate_": """\
learning_rate_ : float
    Peak learning rate, as resolved by `fit`.""",
    "validation_scores_": """\
validation_scores_ : list of float
    Validation score after each epoch. Empty without early stopping.""",
    "best_validation_score_": """\
best_validation_score_ : float or None
    The highest of `validation_scores_`, that of the weights that are kept. None without
    early stopping.""",
    "device_": """\
device_ : str
    Device used by `fit`. Predictions resolve `device` again, so that an estimator
    fitted on a GPU works on a machine without one.""",
    "dtype_": """\
dtype_ : str
    Data type of matrix products, as resolved by `fit`. Predictions resolve `dtype`
    again.""",
    "peak_memory_": """\
peak_memory_ : int or None
    The most memory, in bytes, that this process had needed when `fit` ended: on a GPU
    what PyTorch had allocated there, otherwise the memory of the process. None where it
    is not known.""",
    "checkpoint_": """\
checkpoint_ : CheckpointRecord
    The checkpoint that training started from: `model`, `revision`, `commit`,
    `source` and the SHA-256 `digests` of its files.""",
}
