"""From estimators to the content of a file, and back."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from sklearn.frozen import FrozenEstimator
from sklearn.utils.metadata_routing import MetadataRequest

from sklearn_bert._config import quote, shows_values
from sklearn_bert._engine.checkpoints.adapter import UnmergedEncoder
from sklearn_bert._engine.runtime.memory import raise_if_out_of_memory
from sklearn_bert._engine.runtime.versions import version_of
from sklearn_bert._engine.text.tokenizer import is_panic
from sklearn_bert._engine.training.two_classes import merge_rows_of_two_classes
from sklearn_bert._saving.base_model import BaseModels, without_base
from sklearn_bert._saving.checks import check_parts, check_tokenizer
from sklearn_bert._saving.file import StoredTensor
from sklearn_bert._saving.hints import has_type
from sklearn_bert._saving.reading import Reader
from sklearn_bert._saving.requests import METHODS, make_requests, plain_requests
from sklearn_bert._saving.schema import FORMAT, KINDS, LOCAL, OPTIONAL, is_local
from sklearn_bert._saving.writing import UnwritableError, Writer
from sklearn_bert.exceptions import (
    CheckpointMismatchError,
    CheckpointNotFoundError,
    SavedFileError,
)

_PACKAGE = "sklearn_bert"
# They are only written, to find out where a difference comes from.
_PACKAGES = ("sklearn-bert", "scikit-learn", "numpy", "torch", "transformers")
_KEYS = {"format", "versions", "estimator"}
_KEYS_OF_ESTIMATOR = {"class", "parameters", "attributes", "requests"}
_Content = dict[str, Any]


class InvalidContentError(ValueError):
    """The content of a file is not valid; the message completes "It has"."""


def write_state(
    estimator: Any, *, in_bfloat16: bool
) -> tuple[_Content, dict[str, StoredTensor]]:
    """Return the content of a file, and its tensors.

    Raises
    ------
    SavedFileError
        If a parameter or an attribute cannot be written.
    """
    writer = Writer(_write_value, in_bfloat16=in_bfloat16)
    written = _write_estimator(estimator, "", writer)
    versions = {name: version_of(name) for name in _PACKAGES}
    content = {"format": FORMAT, "versions": versions, "estimator": written}
    return content, writer.tensors


def _write_value(value: Any, place: str, writer: Writer) -> _Content:
    """Write an estimator that is the value of a parameter."""
    if isinstance(value, FrozenEstimator):
        return {"frozen": writer.write(value.estimator, place)}
    if type(value).__name__ in KINDS and hasattr(value, "get_params"):
        return {"estimator": _write_estimator(value, f"{place}.", writer)}
    raise UnwritableError(quote(value))


def _write_estimator(estimator: Any, place: str, writer: Writer) -> _Content:
    types = _types_of(estimator)
    name = type(estimator).__name__
    parameters = estimator.get_params(deep=False)
    attributes = {
        key: value
        for key, value in vars(estimator).items()
        if key not in {*parameters, "_metadata_request"}
    }
    try:
        _check_attributes(name, types, attributes)
        attributes = without_base(estimator, attributes)
        check_parts(attributes)
    except SavedFileError:
        raise
    except ValueError as error:
        raise SavedFileError(
            "Only the parameters and the attributes that fit sets can be saved. Got a "
            f"{name} with {error}. Delete attributes that you added, or fit again."
        ) from error
    return {
        "class": name,
        "parameters": {
            key: _write_parameter(key, value, place, writer)
            for key, value in parameters.items()
            if not is_local(key, value)
        },
        "attributes": {
            key: writer.write(value, f"{place}{key}")
            for key, value in attributes.items()
        },
        "requests": _requests_of(estimator),
    }


def _types_of(estimator: Any) -> dict[str, Any]:
    kind = type(estimator)
    if kind.__module__ != _PACKAGE or kind.__name__ not in KINDS:
        raise SavedFileError(
            "Only the estimators of sklearn_bert itself can be saved, since a file "
            f"contains no code. Got a {kind.__name__} of {kind.__module__}. Save it "
            "with joblib."
        )
    return KINDS[kind.__name__]


def _write_parameter(name: str, value: Any, place: str, writer: Writer) -> Any:
    try:
        return writer.write(value, f"{place}{name}")
    except UnwritableError as error:
        remedy = (
            f"Call set_params({name}=None) before, and set it again after loading."
            if callable(value) or name == "callbacks"
            else "Pass a number, a text, a path, a list, a dict or None."
        )
        raise SavedFileError(
            "The parameters of a saved estimator must be values without code. Got "
            f"{name}={quote(value)}, which contains {error}. {remedy}"
        ) from error


def _requests_of(estimator: Any) -> dict[str, Any] | None:
    """Return the requests of metadata that the user set, by method and parameter."""
    requests: MetadataRequest | None = vars(estimator).get("_metadata_request")
    return None if requests is None else plain_requests(requests)


def read_state(
    content: _Content,
    tensors: Mapping[str, StoredTensor],
    classes: Mapping[str, type[Any]],
    base_models: BaseModels | None = None,
) -> Any:
    """Return the estimator of a file.

    Parameters
    ----------
    content : dict
    tensors : mapping of str to StoredTensor
    classes : mapping of str to type
        The classes of estimators, by name.
    base_models : BaseModels or None
        Finds what a file with an adapter does not contain. None searches where fit
        found it.

    Raises
    ------
    CheckpointError
        If the base model of an adapter is not found, or has changed.
    InvalidContentError
        If a part is missing, unknown, of the wrong type, or does not fit the others.
    SavedFileError
        If the file has a newer format.
    """
    try:
        if type(content["format"]) is not int or content["format"] != FORMAT:
            raise SavedFileError(
                "A saved file must have a format that this version of sklearn_bert "
                f"reads: {FORMAT}. Got format {content['format']!r}. Upgrade "
                "sklearn_bert."
            )
        if {*content} != _KEYS:
            raise InvalidContentError("other keys than its format has")

        read = partial(_read_estimator, classes, base_models or BaseModels(None))
        readers: dict[str, Callable[[Reader, Any], Any]] = {
            "estimator": read,
            "frozen": _read_frozen,
        }
        reader = Reader(tensors, readers, check_tokenizer)
        estimator = read(reader, content["estimator"])
        reader.check_that_all_is_read()
    except (
        InvalidContentError,
        SavedFileError,
        CheckpointMismatchError,
        CheckpointNotFoundError,
    ):
        raise
    # Everything can be wrong in a file of somebody else, and tokenizers may panic.
    except BaseException as error:
        if not isinstance(error, Exception) and not is_panic(error):
            raise
        raise_if_out_of_memory(error)
        why = type(error).__name__
        # The message may quote a label, or a word of the vocabulary.
        if shows_values():
            raise InvalidContentError(
                f"content that cannot be read ({why}: {error})"
            ) from error
    else:
        return estimator
    raise InvalidContentError(f"content that cannot be read ({why})")


def _read_frozen(reader: Reader, node: Any) -> FrozenEstimator:
    return FrozenEstimator(reader.read(node))


def _read_estimator(
    classes: Mapping[str, type[Any]], base_models: BaseModels, reader: Reader, node: Any
) -> Any:
    if {*node} != _KEYS_OF_ESTIMATOR:
        raise InvalidContentError("an estimator with other keys than its format has")
    name = node["class"]
    if name not in KINDS:
        raise InvalidContentError(f"an unknown class {name!r}")
    types = KINDS[name]
    parameters = reader.read_all(node["parameters"])
    for local in LOCAL:
        parameters.pop(local, None)
    estimator = classes[name](**parameters)
    estimator._validate_params()
    attributes = reader.read_all(node["attributes"])
    encoder = attributes.get("encoder_")
    if isinstance(encoder, UnmergedEncoder):
        base_models.restore(estimator, attributes)
    _check_attributes(name, types, attributes)
    merge_rows_of_two_classes(attributes)
    check_parts(attributes)
    if isinstance(encoder, UnmergedEncoder):
        # The last digits of a sum depend on the processor. It is still the same model.
        merged = attributes["encoder_"]
        attributes["encoder_"] = replace(merged, digest=encoder.digest)
    vars(estimator).update(attributes)
    if node["requests"] is not None:
        estimator._metadata_request = _read_requests(estimator, node["requests"])
    return estimator


def _check_attributes(
    name: str, types: dict[str, Any], attributes: Mapping[str, Any]
) -> None:
    """Refuse attributes that the estimator cannot have; it may be not fitted."""
    known = {**types, **OPTIONAL}
    for key, value in attributes.items():
        if key not in known:
            raise InvalidContentError(f"an attribute {key!r} that a {name} cannot have")
        if not has_type(value, known[key]):
            raise InvalidContentError(f"an attribute {key!r} of the wrong type")
    missing = sorted({*types} - {*attributes})
    if missing and len(missing) < len(types):
        raise InvalidContentError(f"no attribute {missing[0]!r}")


def _read_requests(estimator: Any, node: Any) -> MetadataRequest:
    for method in node:
        if method not in METHODS:
            raise InvalidContentError(f"requests of metadata of {method!r}")
    return make_requests(estimator, node)
