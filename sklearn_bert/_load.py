"""Loading of saved estimators."""

import os
import re
from os import PathLike
from pathlib import Path
from typing import Any

from sklearn_bert._classifier import BertClassifier
from sklearn_bert._masked_lm import BertMaskedLM
from sklearn_bert._regressor import BertRegressor
from sklearn_bert._saving.base_model import BaseModels
from sklearn_bert._saving.state import InvalidContentError, read_state
from sklearn_bert._saving.verified import damaged, read_file
from sklearn_bert._sklearn_compat import validate_params
from sklearn_bert._target_encoder import BertTargetEncoder
from sklearn_bert._token_classifier import BertTokenClassifier
from sklearn_bert._tokenizer import BertTokenizer
from sklearn_bert._vectorizer import BertVectorizer
from sklearn_bert.exceptions import SavedFileError

_CLASSES = {
    kind.__name__: kind
    for kind in (
        BertClassifier,
        BertMaskedLM,
        BertRegressor,
        BertTargetEncoder,
        BertTokenClassifier,
        BertTokenizer,
        BertVectorizer,
    )
}
_SHA256 = re.compile("[0-9a-fA-F]{64}")


@validate_params(
    {
        "path": [str, PathLike],
        "expected_sha256": [str, None],
        "model": [str, PathLike, None],
    },
    prefer_skip_nested_validation=True,
)
def load(path, expected_sha256=None, *, model=None):
    """Load an estimator from a file that its method `save` wrote.

    Unlike loading a pickle, loading such a file never runs code from it. Only files of
    this format are read. Every part of the file is verified, and a file that is damaged
    is refused.

    Parameters
    ----------
    path : str or path
        The file.

    expected_sha256 : str, default=None
        The SHA-256 of the file, as returned by `save`. If the file has another one, it
        is refused before anything in it is read. Checksums in the file itself detect
        damage, but not the changes of an attacker.

    model : str or path, default=None
        The folder or the Hub id of the model that an adapter was trained on. Needed
        only for an estimator with ``adapter="lora"``, whose file does not contain this
        model, and only if the model is no longer where `fit` found it. It becomes the
        parameter `model` of the estimator that has the adapter.

    Returns
    -------
    estimator : object
        An estimator with the same class, parameters and fitted attributes. The
        parameters `cache` and `checkpoint_dir`, folders to write to, are `None`.

    Raises
    ------
    SavedFileError
        If the file does not exist, has another SHA-256, is damaged, is of another
        format such as pickle, or was saved by a newer version of this package.
    CheckpointMismatchError
        If the model that an adapter was trained on has changed, or `model` is another
        one.
    CheckpointNotFoundError
        If the model that an adapter was trained on is not found.
    ValueError
        If `expected_sha256` is not a SHA-256, or `model` is given for a file that needs
        none.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from sklearn_bert import BertTokenizer, load
    >>> tokenizer = BertTokenizer(vocab_size=64).fit(["the cat", "the dog"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "tokenizer.safetensors")
    ...     sha256 = tokenizer.save(path)
    ...     load(path, expected_sha256=sha256).tokenize(["the dog"])
    [['the', 'dog']]
    """
    if expected_sha256 is not None and not _SHA256.fullmatch(expected_sha256):
        raise ValueError(
            "expected_sha256 must be a SHA-256, 64 hexadecimal digits. Got "
            f"{expected_sha256!r}. Pass the value that save returned, or that "
            "sha256sum prints."
        )
    if not os.fspath(path):
        raise SavedFileError("path must be the path of a file. Got ''. Pass its name.")
    file = Path(path).expanduser()
    content, tensors = read_file(file, expected_sha256)
    base_models = BaseModels(None if model is None else os.fspath(model))
    try:
        estimator: Any = read_state(content, tensors, _CLASSES, base_models)
    except InvalidContentError as error:
        raise damaged(file, f"has {error}") from error
    if model is not None and not base_models.is_used:
        raise ValueError(
            "model must be None for a file that contains all weights, or whose "
            f"estimator names its model. Got {os.fspath(model)!r}. Leave it out."
        )
    return estimator
