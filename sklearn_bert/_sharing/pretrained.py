"""Folders in the format of Hugging Face."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sklearn_bert._engine.checkpoints.files.names import README
from sklearn_bert._engine.export.contents import (
    EncoderExport,
    Exported,
    TokenizerExport,
)
from sklearn_bert._engine.export.encoder import write_encoder
from sklearn_bert._engine.export.folder import replace_folder
from sklearn_bert._engine.export.transformers_files import write_tokenizer
from sklearn_bert._engine.masked_lm.model import PackedMaskedModel
from sklearn_bert._engine.masked_lm.model_folder import write_masked_model
from sklearn_bert._sharing.card import make_card
from sklearn_bert._sharing.free_folder import check_free_folder
from sklearn_bert._sharing.reading import Export
from sklearn_bert._sharing.scores import check_scores
from sklearn_bert._sharing.usage import Place

# Of estimators and of tokenizers alike.
MARKER = "tokenizer_config.json"


def save_pretrained(estimator: Any, folder: Any, scores: Any) -> None:
    """Write the folder of an estimator, in place of one that was written earlier.

    Parameters
    ----------
    estimator : BaseBert
        Fitted, with validated parameters.
    folder : str or path
    scores : dict of str to float, or None
        For the model card.

    Raises
    ------
    ValueError
        If the folder is a file, or contains files of others, or if the scores are not
        numbers by name.
    SavedFileError
        If the folder cannot be written.
    """
    name = type(estimator).__name__
    path = check_free_folder(folder, "save_pretrained", name, MARKER)
    scores = check_scores(scores)
    # The code of the card opens the folder from the one that contains it.
    place = Place(path.name)
    replace_folder(path, lambda new: write_with_card(estimator, new, place, scores))


def write_with_card(
    estimator: Any, folder: Path, place: Place, scores: dict[str, float]
) -> None:
    """Write a model and its card into an empty folder.

    Parameters
    ----------
    estimator : BaseBert
        Fitted, with validated parameters.
    folder : pathlib.Path
    place : Place
        From where the model will be opened.
    scores : dict of str to float
    """
    export = estimator._export()
    exported = write_pretrained(export, folder)
    card = make_card(estimator, export, exported, place, scores)
    (folder / README).write_text(card, encoding="utf-8")


def write_pretrained(export: Export, folder: Path) -> Exported:
    """Write everything that is shared of an estimator into an empty folder.

    Parameters
    ----------
    export : Export
    folder : pathlib.Path

    Returns
    -------
    Exported
    """
    return _WRITERS[type(export)](export, folder)


def _write_tokenizer(export: TokenizerExport, folder: Path) -> Exported:
    write_tokenizer(export.tokenizer, folder, export.max_length)
    return Exported(None, "AutoTokenizer")


_WRITERS: dict[type[Any], Callable[[Any, Path], Exported]] = {
    EncoderExport: write_encoder,
    TokenizerExport: _write_tokenizer,
    PackedMaskedModel: write_masked_model,
}
