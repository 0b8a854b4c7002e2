"""Text features from a frozen encoder."""

from functools import partial
from numbers import Integral
from os import PathLike
from typing import Any, Self

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted

from sklearn_bert._base import BaseBert, warn_if_truncated
from sklearn_bert._engine.checkpoints.record import (
    CheckpointRecord,
    check_same_source,
    record_of,
)
from sklearn_bert._engine.checkpoints.source import (
    Source,
    check_readable,
    count_parameters,
    tokenizer_of,
)
from sklearn_bert._engine.embedding_cache.cached import CachedEncoder
from sklearn_bert._engine.embedding_cache.open import open_store
from sklearn_bert._engine.encoding.encode import Encoded, EncodingConfig, encode
from sklearn_bert._engine.encoding.resolve import ResolvedEncoder, resolve_encoder
from sklearn_bert._engine.export.contents import EncoderExport
from sklearn_bert._engine.runtime.device import DTYPES, name_of
from sklearn_bert._engine.text.inputs import Texts, count_truncated
from sklearn_bert._params.encoder import ENCODER, SEVERAL_DEVICES
from sklearn_bert._params.param import constraints, document
from sklearn_bert._sharing.onnx import OnnxMixin
from sklearn_bert._sklearn_compat import Interval, StrOptions, output_container
from sklearn_bert._summary import SummaryMixin, Weights
from sklearn_bert._warnings import warn_user
from sklearn_bert.exceptions import CacheWarning


@document(ENCODER, SEVERAL_DEVICES)
class BertVectorizer(OnnxMixin, SummaryMixin, TransformerMixin, BaseBert):
    """Turn texts into features with a pre-trained BERT-family encoder.

    Each text becomes one vector: that of the [CLS] token, or the mean or maximum over
    the tokens. A pair of texts also becomes one vector, or a comparison of its two
    texts. The encoder is frozen and nothing is learned from the data, so `transform`
    works without `fit`, as in
    :class:`~sklearn.feature_extraction.text.HashingVectorizer`. All vectorizers of a
    process share one copy of the encoder.

    The features of a text do not depend on the other texts of the call. After
    `set_params`, `transform` uses the current parameters, while `pooling_`, `prompt_`
    and the other fitted attributes are those of the last `fit`.

    Parameters
    ----------
    %(model, revision, pooling)s

    layers : int, or list or tuple of int, default=-1
        The layers whose hidden states are pooled: 0 is the embeddings, 1 the first
        layer, -1 the last. The features of several layers are concatenated.

    normalize : bool or "auto", default=False
        Whether to scale the features of each text to unit Euclidean norm. "auto" does
        so if the checkpoint declares it, with a Normalize module at its end. It does
        nothing for pairs, another `pooling` than the declared one, or other `layers`
        than the last. A fitted classifier or regressor as `model` does not declare it.
        A Normalize module that is followed by another module, such as Dense, does not
        depend on this parameter.

    truncate_dim : int, default=None
        Keep only the first features of each text, as models trained with `Matryoshka
        representation learning <https://arxiv.org/abs/2205.13147>`_ allow. `None`
        keeps all, or as many as the checkpoint declares. With `normalize=True` they are
        scaled afterwards, with `normalize="auto"` before, as in sentence-transformers.
        Not available if the features of several layers, or of "compare", are
        concatenated.

    %(max_length, long_text, prompt, missing)s

    cache : "memory", str or path, default=None
        Where the features of texts are kept, so that each text is encoded once, also in
        the folds and settings of a search:

        - "memory" keeps them in this process, up to 1 GiB, for all vectorizers;
        - a folder keeps them on disk, up to 16 GiB, for all processes of this machine.
          It contains no texts, but a digest of each. Its oldest features are removed
          when it is full. Use a local disk, not a network file system.

        Features are found if everything that shapes them is the same: the text, the
        contents of the checkpoint and the other parameters. The poolings "cls", "mean"
        and "max" of every layer in `layers` are kept, each apart, whichever of them is
        the value of `pooling`: a search over poolings encodes each text once, and so
        does one over layers after a call with all of them, such as `layers=[-2, -1]`.
        With the default model a text takes 5 KB per layer. :meth:`save` leaves this
        parameter out. See :func:`cache_info` and :func:`clear_cache`.

    %(batch_size, device, dtype, verbose)s

    Attributes
    ----------
    %(n_features_in_, feature_names_in_, n_truncated_, max_length_, pooling_)s

    %(truncated_share_, prompt_)s

    device_ : str
        Device used by `fit`, or several joined by ", ". `transform` resolves `device`
        again, so that an estimator fitted on a GPU works on a machine without one.

    dtype_ : str
        Data type of the computation, as resolved by `fit`. `transform` resolves `dtype`
        again.

    checkpoint_ : CheckpointRecord
        The checkpoint: `model`, `revision`, `commit`, `source` and the SHA-256
        `digests` of its files. A fitted vectorizer, also after unpickling, raises an
        error if the checkpoint has changed.

    See Also
    --------
    sklearn.feature_extraction.text.TfidfVectorizer : Weighted word counts.

    Notes
    -----
    A saved file or a pickle contains parameters and checksums of the checkpoint, a few
    kilobytes, but no weights: the unchanged checkpoint must be available where it is
    loaded. Only if `model` is a fitted estimator, it contains the weights of the model.

    With `n_jobs` each worker process loads a copy of the encoder. On one machine
    `n_jobs=1` is usually as fast, because the encoder itself uses all cores.

    References
    ----------
    Devlin, Chang, Lee and Toutanova, `BERT: Pre-training of Deep Bidirectional
    Transformers for Language Understanding <https://aclanthology.org/N19-1423>`_,
    NAACL 2019.

    Reimers and Gurevych, `Sentence-BERT: Sentence Embeddings using Siamese
    BERT-Networks <https://aclanthology.org/D19-1410>`_, EMNLP 2019.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_bert import BertVectorizer
    >>> texts = ["a joy to watch", "utterly dull", "charming and funny", "a mess"]
    >>> ratings = ["good", "bad", "good", "bad"]
    >>> pipeline = make_pipeline(BertVectorizer(), LogisticRegression())
    >>> pipeline.fit(texts, ratings).predict(["delightful", "tedious"])
    array(['good', 'bad'], dtype='<U4')
    """

    # Pickles name it as users do, wherever it is defined.
    __module__ = "sklearn_bert"

    _parameter_constraints = {
        **constraints(ENCODER, SEVERAL_DEVICES),
        "layers": [Integral, list, tuple],
        "normalize": ["boolean", StrOptions({"auto"})],
        "truncate_dim": [Interval(Integral, 1, None, closed="left"), None],
        "cache": [str, PathLike, None],
    }

    def __init__(
        self,
        model="sentence-transformers/all-MiniLM-L6-v2",
        *,
        revision=None,
        pooling="auto",
        layers=-1,
        normalize=False,
        truncate_dim=None,
        max_length=None,
        long_text="truncate",
        prompt="auto",
        missing="error",
        cache=None,
        batch_size="auto",
        device="auto",
        dtype="auto",
        verbose=0,
    ):
        self.model = model
        self.revision = revision
        self.pooling = pooling
        self.layers = layers
        self.normalize = normalize
        self.truncate_dim = truncate_dim
        self.max_length = max_length
        self.long_text = long_text
        self.prompt = prompt
        self.missing = missing
        self.cache = cache
        self.batch_size = batch_size
        self.device = device
        self.dtype = dtype
        self.verbose = verbose

    def fit(self, X, y=None):
        """Locate the checkpoint and count the texts that are too long.

        Nothing is learned from X, and no weights are loaded.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,), (n_samples, 1) or (n_samples, 2)
            Texts, or pairs of texts.

        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted vectorizer.

        Raises
        ------
        InputError
            If X is not one or two columns of texts.
        CheckpointError
            If a file of the checkpoint is missing or cannot be read. Missing, NaN or
            infinite weights are only detected by `transform`.
        DeviceError
            If the device or the dtype is not available on this machine.
        """
        fitted, texts, resolved = self._prepare_fit(X)
        check_readable(resolved.source)
        tokenizer = tokenizer_of(resolved.source)
        n_truncated = count_truncated(tokenizer, texts, resolved.tokenizing)
        fitted._note_truncated(n_truncated, texts)
        warn_if_truncated(n_truncated, len(texts), resolved.tokenizing)
        self._adopt(fitted)
        return self

    def fit_transform(self, X, y=None):
        """Fit and return the features of X, reading the texts once.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,), (n_samples, 1) or (n_samples, 2)
            Texts, or pairs of texts.

        y : None
            Ignored.

        Returns
        -------
        X_out : ndarray of shape (n_samples, n_features_out)
            The features, as returned by :meth:`transform`.
        """
        fitted, texts, resolved = self._prepare_fit(X)
        encoded = fitted._encode(texts, resolved, user=self)
        fitted._note_truncated(encoded.n_truncated, texts)
        self._adopt(fitted)
        return encoded.features

    def transform(self, X):
        """Turn texts into features.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,), (n_samples, 1) or (n_samples, 2)
            Texts, or pairs of texts.

        Returns
        -------
        X_out : ndarray of shape (n_samples, n_features_out)
            The features in the order of X: float32, or float64 with
            `dtype="float64"`.

        Raises
        ------
        InputError
            If X is not one or two columns of texts.
        CheckpointError
            If the checkpoint is not found, is damaged, or differs from that of `fit`.
        DeviceError
            If the device or the dtype is not available on this machine.
        NonFiniteError
            If a feature is NaN or infinite.
        """
        fitted, texts = self._begin(X)
        resolved = fitted._resolve(fitted._find_fitted_source(), texts.n_columns)
        fitted._check_names_are_known(resolved)
        return fitted._encode(texts, resolved, user=self).features

    def get_feature_names_out(self, input_features=None):
        """Return the names of the features: "bertvectorizer0", "bertvectorizer1", ...

        Nothing is downloaded; the checkpoint must be available locally.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Not used, but checked against `feature_names_in_` if that is defined.

        Returns
        -------
        feature_names_out : ndarray of str objects
            One name for each column of the output of `transform`. Before `fit`, these
            are the names for texts, not for pairs.
        """
        fitted = self._snapshot()
        fitted._check_input_features(input_features)
        # Displaying an estimator calls this, which must not download a model.
        source = fitted._find_fitted_source(may_download=False)
        n_features = fitted._count_named_features(source)
        prefix = type(self).__name__.lower()
        return np.array([f"{prefix}{k}" for k in range(n_features)], dtype=object)

    def _prepare_fit(self, X: Any) -> tuple[Self, Texts, ResolvedEncoder]:
        """Do what `fit` and `fit_transform` have in common, on a copy."""
        fitted = self._copy()
        fitted._validate_params()
        texts = self._read(X)
        resolved = fitted._note(fitted._find_source(), texts.n_columns)
        fitted._remember_columns(X, texts.n_columns)
        return fitted, texts, resolved

    def _note(self, source: Source, n_columns: int) -> ResolvedEncoder:
        """Set the attributes with the values of parameters that may be "auto"."""
        resolved = self._resolve(source, n_columns)
        devices, dtype = self._resolve_devices()
        self.pooling_ = resolved.pooling
        self.prompt_ = resolved.tokenizing.prompt
        self.max_length_ = resolved.tokenizing.max_length
        self.device_ = ", ".join(map(str, devices))
        self.dtype_ = name_of(dtype)
        self.checkpoint_ = record_of(source, self._model_name(), self.revision)
        return resolved

    def _note_truncated(self, n_truncated: int, texts: Texts) -> None:
        self.n_truncated_ = n_truncated
        self.truncated_share_ = n_truncated / len(texts)

    def _count_weights(self) -> Weights:
        # Before fit, and after set_params, it tells what transform would do.
        source = self._find_fitted_source(may_download=False)
        resolved = self._note(source, getattr(self, "n_features_in_", 1))
        n_values = count_parameters(source, resolved.n_modules)
        return Weights(n_values, 0, DTYPES[self.dtype_].itemsize)

    def _resolve(self, source: Source, n_columns: int) -> ResolvedEncoder:
        return resolve_encoder(
            source,
            self._model_name(),
            n_columns,
            pooling=self.pooling,
            max_length=self.max_length,
            long_text=self.long_text,
            prompt=self.prompt,
            layers=self.layers,
            with_normalize=isinstance(self.normalize, str),
            truncate_dim=self.truncate_dim,
        )

    def _find_fitted_source(self, *, may_download: bool = True) -> Source:
        """Find the encoder, and refuse one that has changed since the fit."""
        source = self._find_source(may_download=may_download)
        record: CheckpointRecord | None = getattr(self, "checkpoint_", None)
        asked = (self._model_name(), self.revision)
        if record is not None and asked == (record.model, record.revision):
            check_same_source(source, record)
        return source

    def _encode(
        self, texts: Texts, resolved: ResolvedEncoder, *, user: Self
    ) -> Encoded:
        config = resolved.encoding(
            normalize=self._normalizes,
            batch_size=None if self.batch_size == "auto" else self.batch_size,
            label=f"{type(self).__name__}, encoding" if self.verbose > 0 else None,
        )
        if self.cache is None:
            encoder = self._encoder(resolved.source, user)
            encoded = encode(encoder, texts, resolved.tokenizing, config)
        else:
            encoded = self._encode_cached(texts, resolved, config, user)
        warn_if_truncated(encoded.n_truncated, len(texts), resolved.tokenizing)
        return encoded

    def _encode_cached(
        self,
        texts: Texts,
        resolved: ResolvedEncoder,
        config: EncodingConfig,
        user: Self,
    ) -> Encoded:
        cached = CachedEncoder(
            open_store(self.cache),
            resolved,
            self._resolve_devices()[1],
            partial(self._encoder, resolved.source, user),
        )
        encoded = cached.encode(texts, config)
        if cached.problems:
            warn_user(
                "The cache must be a folder that this process can read and write. Got "
                f"{str(self.cache)!r}, {cached.problems[0]}. The features were "
                "computed without it; choose another folder, or delete this one.",
                CacheWarning,
            )
        return encoded

    def _export(self) -> EncoderExport:
        n_columns = getattr(self, "n_features_in_", 1)
        resolved = self._resolve(self._find_fitted_source(), n_columns)
        return EncoderExport(resolved, normalize=self._normalizes)

    @property
    def _normalizes(self) -> bool:
        """Whether the features are scaled, in addition to what is declared."""
        return not isinstance(self.normalize, str) and bool(self.normalize)

    def _count_named_features(self, source: Source) -> int:
        """Return the number of features that have names: before fit, of texts."""
        n_columns = getattr(self, "n_features_in_", 1)
        if self.pooling == "compare":
            n_columns = 2
        return self._resolve(source, n_columns).n_features

    def _check_names_are_known(self, resolved: ResolvedEncoder) -> None:
        """Raise an error if pairs would get the names of texts, of another number."""
        container = output_container(self)
        if container == "default":
            return
        if self._count_named_features(resolved.source) != resolved.n_features:
            check_is_fitted(
                self,
                "n_features_in_",
                msg="%(name)s must be fitted to pairs before it can name their "
                f"features. Got pairs and set_output(transform={container!r}) without "
                "fit. Call fit or fit_transform.",
            )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.transformer_tags.preserves_dtype = []
        return tags
