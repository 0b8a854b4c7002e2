"""How the texts of an exported model are read: as in the fit, or as set now."""

from typing import Any

from sklearn_bert._engine.export.contents import EncoderExport, TokenizerExport
from sklearn_bert._engine.masked_lm.model import PackedMaskedModel

Export = EncoderExport | TokenizerExport | PackedMaskedModel


def is_of_vectorizer(export: Export) -> bool:
    """Tell whether the current parameters decide what is exported, not the fit."""
    return isinstance(export, EncoderExport) and export.head is None


def reading_of(estimator: Any, export: Export) -> dict[str, Any]:
    """Return the parameters that say how texts are read, with resolved values.

    Parameters
    ----------
    estimator : object
    export : Export
        What is exported of it.

    Returns
    -------
    dict of str to object
        Always with "max_length". "pooling" is None if each word is read.
    """
    if not isinstance(export, EncoderExport):
        return {"max_length": estimator.max_length_}
    tokenizing = export.encoder.tokenizing
    return {
        "pooling": export.encoder.pooling,
        "max_length": tokenizing.max_length,
        "long_text": tokenizing.long_text,
        "prompt": tokenizing.prompt,
    }


def reading_of_fit(estimator: Any, export: Export) -> dict[str, Any]:
    """Return those parameters that the fit has fixed, whatever was set since."""
    return {} if is_of_vectorizer(export) else reading_of(estimator, export)
