"""Pre-training by masked language modeling."""

import math
from numbers import Integral

import torch

from sklearn_bert._base import BaseBert, unwrap_frozen
from sklearn_bert._engine.checkpoints.record import record_of
from sklearn_bert._engine.checkpoints.source import count_parameters
from sklearn_bert._engine.masked_lm.loaded import (
    FITTED_MASKED_MODELS,
    FittedMaskedModel,
)
from sklearn_bert._engine.masked_lm.masking import Masker
from sklearn_bert._engine.masked_lm.model import PackedMaskedModel
from sklearn_bert._engine.runtime.device import resolve_device
from sklearn_bert._engine.runtime.gpu_turns import run_fit
from sklearn_bert._inputs.streams import check_stream
from sklearn_bert._inputs.texts import check_column
from sklearn_bert._params.param import constraints, document
from sklearn_bert._params.pretraining import PRE_TRAINING
from sklearn_bert._pretraining.fit import pretrain, report
from sklearn_bert._pretraining.predict import fill_gaps, mean_log_likelihood
from sklearn_bert._sklearn_compat import Interval, validate_parameter_constraints
from sklearn_bert._summary import SummaryMixin, Weights

_FILL_MASK = {"top_k": [Interval(Integral, 1, None, closed="left")], "mask": [str]}


@document(PRE_TRAINING)
class BertMaskedLM(SummaryMixin, BaseBert):
    """Pre-train an encoder by masked language modeling.

    Some tokens of each text are masked, and the encoder learns to predict them from the
    others. No labels are needed. Training starts from random weights with a vocabulary
    learned from the texts (`model=None`), or continues from a checkpoint, to adapt it
    to the texts of a domain.

    A fitted `BertMaskedLM` is a valid `model` of every other estimator, and so is the
    folder that :meth:`save_pretrained` writes.

    Parameters
    ----------
    %(parameters)s

    Attributes
    ----------
    encoder_ : object
        The pre-trained encoder.

    vocabulary_ : dict of str to int
        The id of each token.

    loss_curve_ : list of float
        Mean training loss per masked token of each epoch, in nats. The last epoch may
        be incomplete.

    %(epoch_times_)s

    n_steps_ : int
        Number of optimizer steps.

    n_tokens_ : int
        Number of tokens read in training, including special tokens.

    max_length_ : int
        Maximum number of tokens per sequence, as resolved by `fit`.

    device_ : str
        Device used by `fit`.

    %(dtype_, peak_memory_)s

    checkpoint_ : CheckpointRecord or None
        The checkpoint that training started from; `None` for a new model.

    n_features_in_ : int
        Always 1, the column of texts.

    feature_names_in_ : ndarray of shape (1,)
        Name of the column seen by `fit`. Defined only if X is a frame whose column
        names are all strings.

    See Also
    --------
    BertClassifier : Fine-tunes an encoder to predict labels.
    BertVectorizer : Features of texts from a frozen encoder.
    BertTokenizer : Token ids and word pieces.

    Notes
    -----
    A saved file or a pickle contains the weights and needs no checkpoint.

    The language modeling head is that of the checkpoint. Checkpoints without one, such
    as those of sentence-transformers, get a new one, which shares the embeddings.

    References
    ----------
    Devlin, Chang, Lee and Toutanova, `BERT: Pre-training of Deep Bidirectional
    Transformers for Language Understanding <https://aclanthology.org/N19-1423>`_,
    NAACL 2019.

    Gururangan et al., `Don't Stop Pretraining
    <https://aclanthology.org/2020.acl-main.740>`_, ACL 2020, on continued pre-training
    on the texts of a domain.

    Examples
    --------
    >>> from sklearn_bert import BertMaskedLM, BertVectorizer
    >>> texts = ["the cat sat on the mat", "the dog sat on the rug"] * 20
    >>> masked_lm = BertMaskedLM(
    ...     n_layers=1, hidden_size=16, n_heads=2, vocab_size=64, random_state=0
    ... )
    >>> BertVectorizer(masked_lm.fit(texts)).transform(["the cat"]).shape
    (1, 16)
    """

    # Pickles name it as users do, wherever it is defined.
    __module__ = "sklearn_bert"

    _parameter_constraints = constraints(PRE_TRAINING)

    _holds_encoder = True
    _masked_model: PackedMaskedModel

    def __init__(
        self,
        model=None,
        *,
        revision=None,
        n_layers=4,
        hidden_size=256,
        n_heads=4,
        vocab_size=8192,
        lowercase=True,
        max_length=None,
        missing="error",
        mask_probability=0.15,
        whole_word_masking=False,
        n_epochs=1,
        max_steps=None,
        max_time=None,
        batch_tokens=4096,
        learning_rate="auto",
        schedule="linear",
        warmup=0.1,
        weight_decay=0.01,
        dropout=0.1,
        checkpoint_dir=None,
        checkpoint_interval=300.0,
        device="auto",
        dtype="auto",
        random_state=None,
        verbose=0,
    ):
        self.model = model
        self.revision = revision
        self.n_layers = n_layers
        self.hidden_size = hidden_size
        self.n_heads = n_heads
        self.vocab_size = vocab_size
        self.lowercase = lowercase
        self.max_length = max_length
        self.missing = missing
        self.mask_probability = mask_probability
        self.whole_word_masking = whole_word_masking
        self.n_epochs = n_epochs
        self.max_steps = max_steps
        self.max_time = max_time
        self.batch_tokens = batch_tokens
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.warmup = warmup
        self.weight_decay = weight_decay
        self.dropout = dropout
        self.checkpoint_dir = checkpoint_dir
        self.checkpoint_interval = checkpoint_interval
        self.device = device
        self.dtype = dtype
        self.random_state = random_state
        self.verbose = verbose

    @property
    def encoder_(self):
        """The pre-trained encoder."""
        return self._masked_model.encoder

    @property
    def vocabulary_(self):
        """The id of each token."""
        return self.encoder_.vocabulary

    # The caller may have disabled gradients, which training needs.
    @torch.inference_mode(False)
    @torch.enable_grad()
    def fit(self, X, y=None):
        """Pre-train on texts.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,) or (n_samples, 1), path or iterable
            Texts; the `pathlib.Path` of a UTF-8 file with one text per line; or an
            iterable of texts, such as a generator, which need not fit into memory.

        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted model.

        Raises
        ------
        InputError
            If X contains values that are not texts, or no words.
        CheckpointError
            If the checkpoint is not found or is damaged, or has no mask token.
        ResumeError
            If `checkpoint_dir` contains a training run with other parameters or texts.
        DivergenceError
            If a loss or a gradient becomes NaN or infinite. The estimator can still be
            used, with the last weights that gave finite values.
        """
        self._validate_params()
        if self.model is None and self.hidden_size % self.n_heads:
            raise ValueError(
                "hidden_size must be a multiple of n_heads. Got "
                f"{self.hidden_size} and {self.n_heads}. Set hidden_size="
                f"{(self.hidden_size // self.n_heads + 1) * self.n_heads}."
            )
        fitted = self._copy()
        fitted._remember_columns(X, 1)
        # A fitted model is read once, since another thread may fit it again.
        packed = getattr(unwrap_frozen(fitted.model), "_masked_model", None)
        source = None if packed is None else packed.encoder
        if source is None and fitted.model is not None:
            source = fitted._find_source()
        fitted.checkpoint_ = None
        if source is not None:
            name, revision = fitted._model_name(), fitted.revision
            fitted.checkpoint_ = record_of(source, name, revision)
        texts = check_stream(X, missing=fitted.missing)
        remedy = "Choose a smaller model"
        device = resolve_device(fitted.device)
        results = run_fit(
            lambda: pretrain(fitted, source, packed, texts), device, remedy
        )
        fitted._masked_model = results.model
        fitted.max_length_ = results.max_length
        fitted.device_, fitted.dtype_ = results.device, results.dtype
        fitted.loss_curve_ = results.log.loss_curve
        fitted.epoch_times_ = results.log.epoch_times
        fitted.n_steps_ = results.log.n_steps
        fitted.n_tokens_ = results.log.n_tokens
        fitted.peak_memory_ = results.peak_memory
        self._adopt(fitted)
        report(fitted, results.log)
        return self

    def score(self, X, y=None):
        """Return the mean log-probability of masked tokens.

        Tokens are masked as in training. The masked tokens of a text depend only on the
        text, so that models with the same vocabulary can be compared.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,) or (n_samples, 1), path or iterable
            Texts, as in :meth:`fit`.

        y : None
            Ignored.

        Returns
        -------
        score : float
            Mean log-probability of the masked tokens. Higher is better; the maximum
            is 0.
        """
        fitted = self._snapshot()
        fitted._check_names(X)
        model = fitted._load_fitted()
        masker = Masker(
            model.encoder.tokenizer,
            fitted.mask_probability,
            whole_words=fitted.whole_word_masking,
        )
        texts = check_stream(X, missing=fitted.missing)
        return mean_log_likelihood(model, texts, masker, fitted.max_length_)

    def perplexity(self, X):
        """Return the perplexity of texts.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,) or (n_samples, 1), path or iterable
            Texts, as in :meth:`fit`.

        Returns
        -------
        perplexity : float
            The exponential of the negative :meth:`score`. Lower is better; the minimum
            is 1.
        """
        return math.exp(-self.score(X))

    def fill_mask(self, X, top_k=5, *, mask="[MASK]"):
        """Predict masked tokens.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,) or (n_samples, 1)
            Texts with at least one mask.

        top_k : int, default=5
            Number of predictions for each mask.

        mask : str, default="[MASK]"
            The characters that mark a masked token.

        Returns
        -------
        predictions : list of length n_samples
            For each text a list of its masks; for each mask a list of `top_k` tuples of
            a token and its probability, the most probable first.
        """
        validate_parameter_constraints(
            _FILL_MASK,
            {"top_k": top_k, "mask": mask},
            caller_name=f"{type(self).__name__}.fill_mask",
        )
        if not mask:
            raise ValueError(
                "mask must contain at least one character. Got ''. Pass the characters "
                "that mark a masked token in X, such as '[MASK]'."
            )
        fitted = self._snapshot()
        texts = check_column(X, missing=fitted.missing)
        fitted._check_names(X)
        model = fitted._load_fitted()
        return fill_gaps(model, texts, mask, int(top_k), fitted.max_length_)

    def _export(self) -> PackedMaskedModel:
        return self._masked_model

    def _count_weights(self) -> Weights:
        encoder, head = self._masked_model.encoder, self._masked_model.head
        # Modules after the pooling are not a part of a masked language model.
        n_values = count_parameters(encoder, n_modules=0)
        n_values += sum(array.size for array in head.values())
        return Weights(n_values, n_values, encoder.itemsize)

    def _load_fitted(self) -> FittedMaskedModel:
        """Return the fitted model, ready to run."""
        (device,), dtype = self._resolve_devices()
        return FITTED_MASKED_MODELS.get(self._masked_model, device, dtype, self)
