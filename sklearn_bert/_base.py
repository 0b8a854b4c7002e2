"""What all estimators share. Think twice before adding anything to it."""

import os
from collections.abc import Iterable
from dataclasses import replace
from inspect import signature
from typing import Any, Self

import torch
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.source import Source
from sklearn_bert._engine.encoding.encoder import Encoder
from sklearn_bert._engine.encoding.encoder_cache import ENCODERS
from sklearn_bert._engine.export.contents import EncoderExport, TokenizerExport
from sklearn_bert._engine.masked_lm.model import PackedMaskedModel
from sklearn_bert._engine.runtime.device import (
    resolve_devices,
    resolve_encoding_dtype,
)
from sklearn_bert._engine.text.inputs import TokenizingConfig
from sklearn_bert._inputs.columns import check_different_names
from sklearn_bert._inputs.texts import check_texts
from sklearn_bert._inputs.values import call_hiding_values, show
from sklearn_bert._saving.plain import from_plain, to_plain
from sklearn_bert._saving.requests import make_requests
from sklearn_bert._saving.save import save_estimator
from sklearn_bert._sharing.pretrained import save_pretrained
from sklearn_bert._sharing.push import push_to_hub
from sklearn_bert._warnings import warn_of_some
from sklearn_bert.exceptions import (
    CheckpointError,
    InputError,
    ModelNotFittedError,
    TruncationWarning,
)

# X is read by this package, which leaves only the names of the columns.
_NAMES_ONLY = {"skip_check_array": True, "ensure_2d": False}


class BaseBert(BaseEstimator):
    """An estimator that reads texts with an encoder.

    Subclasses have parameters of :data:`~sklearn_bert._params.encoder.ENCODER`. Frozen
    encoders are never held in attributes: they come from the process-wide cache.
    """

    # Whether a fit leaves an encoder of the estimator's own in encoder_.
    _holds_encoder = False
    # Of estimators that do not have this parameter.
    prompt: str | None = None

    def save(self, path, *, dtype=None):
        """Save the estimator to a file that :func:`sklearn_bert.load` reads.

        The file is in the safetensors format. It contains the parameters and fitted
        attributes as text and arrays, and no code: unlike a pickle, a file of somebody
        else can be loaded safely. The parameters `cache` and `checkpoint_dir`, folders
        to write to, are left out, and `cv` if it is a splitter, so that the loaded
        estimator has their defaults. A vectorizer is saved without the weights of its
        checkpoint, unless its `model` is an estimator. An estimator with
        ``adapter="lora"`` is saved with the adapter and without the model that it was
        trained on, which :func:`sklearn_bert.load` finds as `fit` did.

        Parameters
        ----------
        path : str or path
            The file. An existing file is replaced atomically: if saving fails or the
            process is killed, the previous file remains.

        dtype : {"bfloat16"}, default=None
            "bfloat16" rounds the weights of the encoder to bfloat16. The file has half
            the size, and predictions change slightly. It is refused if the file
            contains no weights of an encoder. `None` keeps all weights exactly.

        Returns
        -------
        sha256 : str
            SHA-256 of the file, for the parameter `expected_sha256` of
            :func:`sklearn_bert.load`.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted and needs to be.
        SavedFileError
            If a parameter is a function, the file cannot be written, `dtype` rounds
            nothing, or the model that an adapter was trained on is not found.
        """
        return save_estimator(self._snapshot(), path, dtype)

    def save_pretrained(self, folder, *, scores=None):
        """Save the estimator to a folder that other programs can open.

        The folder is in the format of Hugging Face. It contains the weights, the
        configuration and the tokenizer, which transformers opens, and the pooling and
        the prompts, which sentence-transformers opens. A model card, README.md, says
        what the model does, what it was trained from, and how it is used; it contains
        no texts, and of a path only the name of the folder. The folder is a valid
        `model` of every estimator of this package, which then starts from its encoder.
        To keep the estimator itself, use :meth:`save`.

        Parameters
        ----------
        folder : str or path
            Must not exist, be empty, or contain only what an earlier call has written,
            which is then replaced. A new folder is created atomically and, where the
            system allows it, replaced atomically: if the process is killed, the
            previous folder remains. What a killed call has left is removed by the next.
            Of calls with one folder at the same time, one writes after the other,
            except on Windows. An atomically replaced folder is a new one with the same
            name, which other programs whose working directory it is have to enter
            again. The working directory itself is kept and filled, not atomically.

        scores : dict of str to float, default=None
            Scores by the name of the metric, such as `{"accuracy": 0.9}`, which the
            model card reports.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted and needs to be.
        ValueError
            If the folder contains other files.
        SavedFileError
            If the folder cannot be written.
        """
        save_pretrained(self._snapshot()._shared_model(), folder, scores)

    def push_to_hub(
        self,
        repo_id,
        *,
        private=None,
        token=None,
        revision=None,
        commit_message=None,
        scores=None,
    ):
        """Upload the folder of :meth:`save_pretrained` to the Hugging Face Hub.

        The repository is created if it does not exist, and everything is uploaded in
        one commit, so that a failed or interrupted upload changes no file. Files of an
        earlier model that the new one does not have are removed; other files remain.

        Parameters
        ----------
        repo_id : str
            Name of the repository: "owner/name", or "name" for one of your own.

        private : bool, default=None
            Whether the repository is private. By default a new one is public, unless
            its organization has another default. `True` is refused for an existing
            public repository. An existing private repository remains private.

        token : str, default=None
            Access token with write permission. By default that of the environment
            variable `HF_TOKEN`, or of the login with `hf auth login`.

        revision : str, default=None
            Branch. It is created from the main branch if it does not exist. By default
            the main branch.

        commit_message : str, default=None
            Message of the commit. By default it names the estimator.

        scores : dict of str to float, default=None
            Scores for the model card, as in :meth:`save_pretrained`.

        Returns
        -------
        commit : str
            Hash of the commit. `BertVectorizer(repo_id, revision=commit)` reads the
            model of this call even after later ones.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted and needs to be.
        HubError
            If there is no token, the Hub cannot be reached, or it refuses the upload.
        ValueError
            If a name or a score is not valid.
        """
        return push_to_hub(
            self._snapshot()._shared_model(),
            repo_id,
            private=private,
            token=token,
            revision=revision,
            commit_message=commit_message,
            scores=scores,
        )

    def _shared_model(self) -> "BaseBert":
        """Return the snapshot that :meth:`save_pretrained` writes."""
        return self

    def _export(self) -> EncoderExport | TokenizerExport | PackedMaskedModel:
        """Return what :meth:`save_pretrained` writes."""
        raise NotImplementedError

    def _read(self, X: Any) -> Any:
        """Validate X without comparing it with that of fit; return its Inputs."""
        return check_texts(X, missing=self.missing)

    def _check_texts(self, X: Any) -> Any:
        """Validate X, and raise an error if its columns differ from those of fit."""
        texts = self._read(X)
        if texts.n_columns != getattr(self, "n_features_in_", texts.n_columns):
            raise InputError(
                f"X has {texts.n_columns} features, but {type(self).__name__} is "
                f"expecting {self.n_features_in_} features as input: one column is "
                "texts, two columns are pairs. Pass the same columns as to fit."
            )
        self._check_names(X)
        return texts

    def _check_names(self, X: Any) -> None:
        """Refuse other names of columns than those of the fit."""
        if hasattr(self, "feature_names_in_"):
            check_different_names(X)
            call_hiding_values(validate_data, self, X, reset=False, **_NAMES_ONLY)

    def _check_input_features(self, input_features: Any) -> None:
        """Refuse other names of columns than those of the fit, given as such."""
        if input_features is None:
            return
        if isinstance(input_features, str) or not isinstance(input_features, Iterable):
            raise ValueError(
                "input_features must be a list of names, or None. Got "
                f"{show(input_features)}. Pass the names of the columns of X."
            )
        names = list(input_features)
        n_names = len(names)
        if list(getattr(self, "feature_names_in_", names)) != names:
            raise ValueError("input_features is not equal to feature_names_in_")
        if n_names != getattr(self, "n_features_in_", n_names):
            raise ValueError(
                "input_features should have length equal to number of features "
                f"({self.n_features_in_}), got {n_names}"
            )

    def _remember_columns(self, X: Any, n_columns: int) -> None:
        """Set the attributes that :meth:`_check_texts` compares with."""
        check_different_names(X)
        call_hiding_values(validate_data, self, X, reset=True, **_NAMES_ONLY)
        self.n_features_in_ = n_columns

    def __getstate__(self) -> dict[str, Any]:
        return {name: to_plain(value) for name, value in super().__getstate__().items()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Older pickles lack newer parameters, whose defaults are what was done before,
        # except that prompts were not read. A subclass may have fewer parameters than
        # the class that it extends.
        newer = {
            one.name: one.default
            for kind in reversed(type(self).__mro__)
            if issubclass(kind, BaseBert) and "__init__" in vars(kind)
            for one in signature(kind).parameters.values()
            if one.name not in state and one.default is not one.empty
        }
        if "prompt" in newer:
            newer["prompt"] = None
        # Earlier versions pickled what are properties now.
        state = {
            name: from_plain(value)
            for name, value in state.items()
            if not isinstance(getattr(type(self), name, None), property)
        }
        requests = state.pop("_metadata_request", None)
        super().__setstate__({**state, **newer})
        if requests is not None:
            # Those in older pickles are scikit-learn's objects.
            is_plain = isinstance(requests, dict)
            made = make_requests(self, requests) if is_plain else requests
            self._metadata_request = made

    def __copy__(self) -> Self:
        # Records would be made again from what is pickled, and encoders of them.
        return self._copy()

    def _copy(self) -> Self:
        """Return a shallow copy, whatever a subclass does to be pickled."""
        copied = object.__new__(type(self))
        copied.__dict__.update(vars(self))
        return copied

    def _snapshot(self) -> Self:
        """Return a copy of a fitted estimator, with validated parameters.

        Every public method that does not fit starts with it: parameters can be set
        after a fit, and a fit in another thread replaces all results at once.
        """
        snapshot = self._copy()
        # Unlike encoder_, it is there when early stopping scores a copy.
        check_is_fitted(snapshot, "checkpoint_" if self._holds_encoder else None)
        snapshot._validate_params()
        return snapshot

    def _begin(self, X: Any) -> tuple[Self, Any]:
        """Return a snapshot, and the validated X."""
        snapshot = self._snapshot()
        return snapshot, snapshot._check_texts(X)

    def _adopt(self, fitted: Self) -> None:
        """Take over the fitted attributes of a copy.

        Other attributes are kept, since a callback may have set parameters during the
        fit. All attributes change at once, so that other threads never see a mixture,
        and stale fitted attributes disappear.
        """
        own = {k: v for k, v in vars(self).items() if not k.endswith("_")}
        results = {k: v for k, v in vars(fitted).items() if k[0] == "_" or k[-1] == "_"}
        self.__dict__ = {**own, **results}

    def _model_name(self) -> str:
        """Return the name of the model in messages."""
        if isinstance(self.model, str | os.PathLike):
            return os.fspath(self.model)
        return type(unwrap_frozen(self.model)).__name__

    def _find_source(self, *, may_download: bool = True) -> Source:
        """Find the files or the fitted estimator of the encoder."""
        if isinstance(self.model, str | os.PathLike):
            model = os.fspath(self.model)
            return locate(model, self.revision, may_download=may_download)
        owner = unwrap_frozen(self.model)
        if isinstance(owner, type):
            raise CheckpointError(
                "An estimator that is passed as model must be a fitted instance. Got "
                f"the class {owner.__name__}. Pass an instance of it that is fitted."
            )
        source = getattr(owner, "encoder_", None)
        if source is None:
            raise ModelNotFittedError(
                "An estimator that is passed as model must be fitted. Got a "
                f"{self._model_name()} that is not fitted. Fit it first, and wrap it "
                "in sklearn.frozen.FrozenEstimator if it is cloned, as in "
                "cross-validation and GridSearchCV."
            )
        return source

    def _resolve_devices(self) -> tuple[tuple[torch.device, ...], torch.dtype]:
        """Return the devices and the dtype of a frozen encoder."""
        devices = resolve_devices(self.device)
        dtypes = {resolve_encoding_dtype(self.dtype, device) for device in devices}
        # "auto" is not the same for old and new GPUs, but features must be.
        return devices, dtypes.pop() if len(dtypes) == 1 else torch.float32

    def _encoder(
        self, source: Source, user: Any, identity: tuple[Any, ...] | None = None
    ) -> Encoder:
        """Return the shared frozen encoder, which is kept as long as its user."""
        devices, dtype = self._resolve_devices()
        first, *others = (
            ENCODERS.get(source, device, dtype, user, identity, is_replica=number > 0)
            for number, device in enumerate(devices)
        )
        return replace(first, replicas=tuple(others)) if others else first

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.input_tags.allow_nan = self.missing == "empty"
        return tags


def unwrap_frozen(model: Any) -> Any:
    """Return the estimator inside a FrozenEstimator, or the estimator itself."""
    return model.estimator if isinstance(model, FrozenEstimator) else model


def warn_if_truncated(n_truncated: int, n_texts: int, config: TokenizingConfig) -> None:
    """Warn once per call about truncated texts."""
    remedy = (
        "Raise max_length if the model allows it, or shorten the shorter text of each "
        "pair, which is not read in windows."
        if config.long_text == "window"
        else "Set long_text='window' to read all of them, or raise max_length if the "
        "model allows it."
    )
    warn_if_cut(n_truncated, n_texts, config.max_length, remedy)


def warn_if_cut(n_truncated: int, n_texts: int, max_length: int, remedy: str) -> None:
    """Warn about truncated texts, if there are any."""
    warn_of_some(
        n_truncated,
        n_texts,
        "{n} of {n_all} texts ({share:.0%}) are longer than "
        f"max_length={max_length} tokens and were truncated. {remedy}",
        TruncationWarning,
    )
