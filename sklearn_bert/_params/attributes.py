"""Each fitted attribute that estimators share, once: its paragraph.

A class names one as it names a parameter, by a line ``%(name)s`` in its docstring.
"""

FITTED = {
    "n_features_in_": """\
n_features_in_ : int
    1 if `fit` saw texts, 2 if it saw pairs.""",
    "feature_names_in_": """\
feature_names_in_ : ndarray of shape (`n_features_in_`,)
    Names of the columns that `fit` saw. Only there if X was a frame whose column
    names are all strings.""",
    "n_truncated_": """\
n_truncated_ : int
    Number of the texts seen by `fit` of which some tokens were left out.""",
    "max_length_": """\
max_length_ : int
    Longest text in tokens, as `fit` resolved it.""",
    "pooling_": """\
pooling_ : {"cls", "mean", "max", "compare"}
    As `fit` resolved it.""",
    "encoder_": """\
encoder_ : object
    The fine-tuned encoder as text and arrays: `config`, `tokenizer`, `weights`.""",
    "n_iter_": """\
n_iter_ : int
    Number of epochs that were finished.""",
    "validation_scores_": """\
validation_scores_ : list of float
    Score after each epoch. Empty without early stopping.""",
    "device_": """\
device_ : str
    The device on which `fit` ran. Predictions resolve `device` anew, so that an
    estimator fitted on a GPU works where there is none.""",
    "checkpoint_": """\
checkpoint_ : CheckpointRecord
    Which checkpoint the fit started from: `model`, `revision`, `commit`, `source`
    and the SHA-256 `digests` of its files.""",
}
