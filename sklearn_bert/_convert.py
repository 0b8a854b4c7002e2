"""Conversion of checkpoints whose weights are pickles."""

from os import PathLike, fspath
from pathlib import Path

from sklearn_bert._engine.checkpoints.files.locate import find_pickles
from sklearn_bert._engine.conversion.convert import convert_folder
from sklearn_bert._sklearn_compat import validate_params


@validate_params(
    {
        "model": [str, PathLike],
        "folder": [str, PathLike],
        "revision": [str, None],
    },
    prefer_skip_nested_validation=True,
)
def convert_checkpoint(
    model: str | PathLike[str],
    folder: str | PathLike[str],
    *,
    revision: str | None = None,
) -> None:
    """Write a copy of a checkpoint whose weights are safetensors instead of pickles.

    Estimators never read ``pytorch_model.bin``, because loading a pickle can run code.
    This function reads it with the restricted unpickler of PyTorch, in a process of its
    own, and accepts nothing but tensors. Still, only convert checkpoints of authors
    that you trust.

    Parameters
    ----------
    model : str or path-like
        A folder, or a model id on the Hugging Face Hub.
    folder : str or path-like
        The new folder, which must not exist or be empty. The configuration, the
        tokenizer and the files of sentence-transformers are copied.
    revision : str, default=None
        A branch, tag or commit of a model on the Hub. It must be `None` for a folder.

    Raises
    ------
    CheckpointNotFoundError
        If the model is not found.
    CheckpointError
        If the model has no pickle of weights, if a pickle is damaged or contains
        anything but weights, which are named arrays of numbers, or if ``folder`` is not
        empty.

    Examples
    --------
    >>> from sklearn_bert import BertVectorizer, convert_checkpoint
    >>> convert_checkpoint("BAAI/bge-m3", "bge-m3")  # doctest: +SKIP
    >>> vectorizer = BertVectorizer("bge-m3")
    """
    convert_folder(
        fspath(model), find_pickles(fspath(model), revision), Path(folder).expanduser()
    )
