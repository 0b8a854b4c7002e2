"""Pre-training: an encoder that learns to guess hidden tokens."""

import copy
import math
from collections.abc import Iterable, Iterator
from itertools import islice
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_feature_names, check_is_fitted

from sklearn_bert._base import BaseBert
from sklearn_bert._engine.corpus import SpooledTexts, TokenCorpus
from sklearn_bert._engine.device import (
    resolve_device,
    resolve_encoding_dtype,
    resolve_training_dtypes,
)
from sklearn_bert._engine.forking import prepare_threads
from sklearn_bert._engine.guessing import guess, sum_log_likelihoods
from sklearn_bert._engine.masked_models import (
    MaskedModel,
    load_masked_model,
    make_masked_model,
    pack_masked_model,
    save_masked_model,
)
from sklearn_bert._engine.masking import Masker
from sklearn_bert._engine.pretraining import Pretraining
from sklearn_bert._engine.pretraining_records import PretrainingConfig, PretrainingLog
from sklearn_bert._engine.resuming import SavedTraining, TrainingFile
from sklearn_bert._engine.running import RUNNING_MASKED, RunningMaskedModel
from sklearn_bert._engine.sources import (
    Source,
    architecture_of,
    digests_of,
    tokenizer_of,
)
from sklearn_bert._engine.tokenization import TextTokenizer
from sklearn_bert._engine.trainable import TrainableEncoder, make_trainable
from sklearn_bert._engine.vocabulary import learn_vocabulary
from sklearn_bert._params import (
    ENCODER,
    FINE_TUNING,
    VOCABULARY,
    Interval,
    StrOptions,
    constraints,
    document,
)
from sklearn_bert._validation import check_stream, check_texts
from sklearn_bert._warnings import warn_user
from sklearn_bert.exceptions import (
    CheckpointError,
    InputError,
    InterruptedFitWarning,
    MemoryWarning,
)

_SHARED = {
    "revision": ENCODER["revision"],
    **VOCABULARY,
    **{
        name: FINE_TUNING[name]
        for name in ("schedule", "warmup", "weight_decay", "dropout", "dtype")
    },
    "device": ENCODER["device"],
}
# For a model of one's own, and for one that has learnt already.
_RATE_FROM_SCRATCH, _RATE_CONTINUED = 5e-4, 1e-4
_LENGTH_FROM_SCRATCH = 128
_TEXTS_PER_CHUNK = 1000
# What a fit must have in common with another to go on from its file.
_IDENTITY = (
    "n_layers",
    "hidden_size",
    "n_heads",
    "vocab_size",
    "lowercase",
    "max_length",
    "mask_probability",
    "whole_word_masking",
    "n_epochs",
    "max_steps",
    "max_time",
    "batch_tokens",
    "learning_rate",
    "schedule",
    "warmup",
    "weight_decay",
    "dropout",
    "device",
    "dtype",
)


@document(_SHARED)
class BertMaskedLM(BaseBert):
    """Pre-train an encoder by masked language modelling.

    Some tokens of each text are hidden, and the encoder learns to guess them from the
    others. No labels are needed. It starts from random weights and learns its own
    vocabulary of word pieces (`model=None`), or goes on with a checkpoint, to get it
    used to the texts of a field.

    A fitted `BertMaskedLM` is a valid `model` of every other estimator, and so is the
    folder that :meth:`save_pretrained` writes.

    Parameters
    ----------
    model : str, path, estimator or None, default=None
        What to go on with: a folder, a Hugging Face id, or another fitted
        `BertMaskedLM`. `None` makes a BERT with random weights.

    %(revision)s

    n_layers : int, default=4
        Layers of a new model.

    hidden_size : int, default=256
        Features of each token in a new model; a multiple of `n_heads`.

    n_heads : int, default=4
        Attention heads of a new model.

    vocab_size : int, default=8192
        Word pieces that a new model learns from the texts, at most.

    %(lowercase)s

    max_length : int, default=None
        Longest sequence in tokens, special tokens included. Longer texts are cut into
        several sequences, so that nothing is left out. `None` takes 128 for a new
        model, and for a checkpoint the limit that it declares.

    mask_probability : float, default=0.15
        Expected share of the tokens to be guessed. Of these, 80 % are replaced by
        [MASK], 10 % by a random token, and 10 % stay. They are drawn anew each time
        that a text is read.

    whole_word_masking : bool, default=False
        Whether the pieces of a word are hidden together.

    n_epochs : int, default=1
        How often training goes over the texts.

    max_steps : int, default=None
        Ends training after so many steps of the optimiser.

    max_time : float, default=None
        Ends training after so many seconds. Weights then depend on the speed of the
        machine.

    batch_tokens : int, default=4096
        Tokens per step of the optimiser. Batches are filled up to it, without padding.

    learning_rate : float or "auto", default="auto"
        The highest learning rate, see `schedule`. "auto" is 0.0005 for a new model and
        0.0001 for a checkpoint.

    %(schedule)s

    %(warmup)s

    %(weight_decay)s

    %(dropout)s

    checkpoint_dir : str or path, default=None
        A folder in which the training is kept, so that a `fit` with the same
        parameters and texts goes on where one was killed, to the same weights. `None`
        keeps nothing.

    checkpoint_every : float, default=300.0
        Seconds between two savings to `checkpoint_dir`.

    %(device)s

    %(dtype)s

    random_state : int, RandomState instance or None, default=None
        Seed of the weights of a new model, the order of the texts, the masks and
        dropout. With an int, two fits on one machine give the same weights, unless
        `max_time` ends them. The global generators of NumPy and torch are neither read
        nor changed.

    verbose : int, default=0
        1 shows a progress bar with the loss; 2 or more prints a line per epoch.

    Attributes
    ----------
    encoder_ : object
        The encoder, which other estimators take as `model`.

    vocabulary_ : dict of str to int
        The id of each token.

    loss_curve_ : list of float
        Mean training loss per hidden token, in nats, of each epoch; the last may have
        been ended early.

    n_steps_ : int
        Steps of the optimiser.

    n_tokens_ : int
        Tokens read in training, special tokens included.

    max_length_ : int
        Longest sequence in tokens, as `fit` resolved it.

    device_ : str
        The device on which `fit` ran.

    checkpoint_ : CheckpointRecord or None
        What training went on with; `None` for a new model.

    n_features_in_ : int
        1, the column of texts.

    feature_names_in_ : ndarray of shape (1,)
        Name of the column that `fit` saw. Only there if X was a frame whose column
        names are all strings.

    See Also
    --------
    BertClassifier : Fine-tunes an encoder to predict labels.
    BertVectorizer : Features of texts from a frozen encoder.
    BertTokenizer : The word pieces alone.

    Notes
    -----
    Pickles hold the weights, and need no checkpoint.

    The head that guesses is that of the checkpoint's family. Checkpoints without one,
    such as those of sentence-transformers, get a new one, which shares the embeddings.

    References
    ----------
    Devlin, Chang, Lee and Toutanova, `BERT: Pre-training of Deep Bidirectional
    Transformers for Language Understanding <https://aclanthology.org/N19-1423>`_,
    NAACL 2019.

    Gururangan et al., `Don't Stop Pretraining
    <https://aclanthology.org/2020.acl-main.740>`_, ACL 2020, on going on with the
    texts of a field.

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

    _parameter_constraints = {
        **constraints(_SHARED),
        "model": [*ENCODER["model"].constraint, None],
        "n_layers": [Interval(Integral, 1, None, closed="left")],
        "hidden_size": [Interval(Integral, 1, None, closed="left")],
        "n_heads": [Interval(Integral, 1, None, closed="left")],
        "vocab_size": [Interval(Integral, 8, None, closed="left")],
        "max_length": ENCODER["max_length"].constraint,
        "mask_probability": [Interval(Real, 0, 1, closed="neither")],
        "whole_word_masking": ["boolean"],
        "n_epochs": FINE_TUNING["n_epochs"].constraint,
        "max_steps": [Interval(Integral, 1, None, closed="left"), None],
        "max_time": [Interval(Real, 0, None, closed="neither"), None],
        "batch_tokens": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [
            *FINE_TUNING["learning_rate"].constraint,
            StrOptions({"auto"}),
        ],
        "checkpoint_dir": [str, PathLike, None],
        "checkpoint_every": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

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
        checkpoint_every=300.0,
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
        self.checkpoint_every = checkpoint_every
        self.device = device
        self.dtype = dtype
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y=None):
        """Pre-train on texts.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,) or (n_samples, 1), path or iterable
            Texts; the path of a file in UTF-8 with a text on each line; or an iterable
            of texts, such as a generator, which need not fit into memory.

        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted model.

        Raises
        ------
        InputError
            If X holds anything but texts, or no words.
        CheckpointError
            If the checkpoint is not found or damaged, or has no token for hiding.
        ResumeError
            If `checkpoint_dir` holds the training of other parameters or texts.
        DivergenceError
            If a loss or a gradient was not a finite number. The weights of the step
            before are kept.
        """
        self._validate_params()
        self._check_sizes()
        prepare_threads()
        # The fitted estimator is made apart, and taken over when all has gone well.
        fitted = copy.copy(self)
        fitted._remember_column(X)
        source = None if self.model is None else self._find_source()
        tokenizer, texts = self._start_tokenizer(source, check_stream(X))
        fitted.max_length_ = self._longest(source)
        corpus = self._make_corpus(texts, tokenizer, fitted.max_length_)
        file, saved = self._open_file(source, corpus)
        seed = self._draw_seed() if saved is None else saved.progress["seed"]
        model = self._start_model(source, tokenizer, fitted.max_length_, seed)
        fitted.checkpoint_ = None if source is None else self._record(source)
        trainable = fitted._make_trainable(model, seed)
        masker = self._make_masker(tokenizer)
        config = self._training_config(source, fitted.max_length_, seed)
        training = Pretraining(
            trainable, model.head, corpus, masker, config, file, saved
        )
        log = training.run()
        fitted._take_results(log, model)
        self.__dict__ = fitted.__dict__
        self._report(log)
        return self

    def score(self, X, y=None):
        """Return how well hidden tokens of texts are guessed.

        Tokens are hidden as in training. Which ones, depends on each text alone, so
        that models of one vocabulary can be compared.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,) or (n_samples, 1), path or iterable
            Texts, as in :meth:`fit`.

        y : None
            Ignored.

        Returns
        -------
        score : float
            Mean logarithm of the probability given to a hidden token. Higher is
            better; 0 is the highest.
        """
        running = self._run()
        masker = self._make_masker(running.encoder.tokenizer)
        self._check_column(X)
        total, n_hidden = 0.0, 0
        for texts in _chunks(check_stream(X)):
            sequences = running.encoder.tokenizer.cut_up(texts, self.max_length_)
            part, n_part = sum_log_likelihoods(running, sequences, masker, seed=0)
            total, n_hidden = total + part, n_hidden + n_part
        if not n_hidden:
            raise InputError(_NO_WORDS)
        return total / n_hidden

    def perplexity(self, X):
        """Return among how many tokens the model hesitates, on average.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,) or (n_samples, 1), path or iterable
            Texts, as in :meth:`fit`.

        Returns
        -------
        perplexity : float
            The exponential of the negative :meth:`score`. Lower is better; 1 is the
            lowest.
        """
        return math.exp(-self.score(X))

    def fill_mask(self, X, top_k=5, *, mask="[MASK]"):
        """Guess what stands in gaps.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,) or (n_samples, 1)
            Texts with one gap or more.

        top_k : int, default=5
            Number of guesses for each gap.

        mask : str, default="[MASK]"
            What marks a gap in the texts.

        Returns
        -------
        guesses : list of length n_samples
            For each text a list of its gaps; for each gap a list of `top_k` tuples of
            a token and its probability, the likeliest first.
        """
        running = self._run()
        texts = check_texts(X).first
        tokenizer = running.encoder.tokenizer
        sequences = [self._read_gaps(tokenizer, text, mask) for text in texts]
        return [
            [
                [(tokenizer.names([one.id])[0], one.probability) for one in gap]
                for gap in gaps
            ]
            for gaps in guess(running, sequences, top_k)
        ]

    def save_pretrained(self, folder):
        """Write a folder that every estimator, and transformers, takes as a model.

        Parameters
        ----------
        folder : str or path
            Must not exist, or be empty. It is there as a whole or not at all.
        """
        check_is_fitted(self, "encoder_")
        path = Path(folder)
        if path.exists() and not (path.is_dir() and not any(path.iterdir())):
            raise ValueError(
                f"folder must not exist, or be empty. Got {str(path)!r}, which is "
                "neither. Remove it, or give another."
            )
        save_masked_model(self._masked_model, path.absolute())

    # --- reading -------------------------------------------------------------------

    def _check_sizes(self) -> None:
        if self.model is None and self.hidden_size % self.n_heads:
            raise ValueError(
                "hidden_size must be a multiple of n_heads. Got "
                f"{self.hidden_size} and {self.n_heads}. Set "
                f"hidden_size={self.hidden_size // self.n_heads + 1} * {self.n_heads}."
            )

    def _remember_column(self, X: Any) -> None:
        _check_feature_names(self, X, reset=True)
        self.n_features_in_ = 1

    def _check_column(self, X: Any) -> None:
        if hasattr(self, "feature_names_in_"):
            _check_feature_names(self, X, reset=False)

    def _start_tokenizer(
        self, source: Source | None, texts: Iterable[str]
    ) -> tuple[TextTokenizer, Iterable[str]]:
        """Return a tokenizer with a mask token, and texts that can still be read."""
        if source is None:
            if getattr(texts, "is_used_up_by_reading", False):
                texts = SpooledTexts(texts)
            return learn_vocabulary(
                texts, self.vocab_size, lowercase=self.lowercase
            ), texts
        tokenizer = tokenizer_of(source)
        if tokenizer.mask is None:
            raise CheckpointError(
                "model must have a token for hiding. Got "
                f"{self._model_name()!r}, whose vocabulary has neither [MASK] nor "
                "<mask>. Choose another model."
            )
        return tokenizer, texts

    def _longest(self, source: Source | None) -> int:
        if source is None:
            return self.max_length or _LENGTH_FROM_SCRATCH
        return self._resolve_max_length(architecture_of(source), 1)

    def _make_corpus(
        self, texts: Iterable[str], tokenizer: TextTokenizer, max_length: int
    ) -> TokenCorpus:
        corpus = TokenCorpus(texts, tokenizer, max_length)
        if not len(corpus):
            raise InputError(_NO_WORDS)
        return corpus

    def _read_gaps(self, tokenizer: TextTokenizer, text: str, mask: str) -> list[int]:
        """Return the ids of a text with the mask token in its gaps."""
        first, *others = text.split(mask) if mask else [text]
        if not others:
            raise InputError(
                f"Each text must hold the gap {mask!r}. Got {text[:40]!r}. Put it "
                "where a token is to be guessed, or say by mask= what marks a gap."
            )
        # Spaces before a gap belong to the token in it.
        heads = [part.rstrip() for part in [first, *others[:-1]]]
        inside: list[Any] = []
        for part in tokenizer.split([*heads, others[-1]]):
            inside += [*part, tokenizer.mask]
        ids = tokenizer.surround(inside[:-1])
        if len(ids) > self.max_length_:
            raise InputError(
                f"A text with gaps must have at most {self.max_length_} tokens. Got "
                f"{len(ids)} in {text[:40]!r}. Shorten it."
            )
        return ids

    def _make_masker(self, tokenizer: TextTokenizer) -> Masker:
        return Masker(
            tokenizer, self.mask_probability, whole_words=self.whole_word_masking
        )

    # --- training ------------------------------------------------------------------

    def _draw_seed(self) -> int:
        # Without a seed, fresh entropy: the global generator is not ours to advance.
        random = (
            np.random.RandomState()
            if self.random_state is None
            else check_random_state(self.random_state)
        )
        return int(random.randint(2**31 - 1))

    def _open_file(
        self, source: Source | None, corpus: TokenCorpus
    ) -> tuple[TrainingFile | None, SavedTraining | None]:
        """Return where to keep the training, and what is kept there."""
        if self.checkpoint_dir is None:
            return None, None
        is_seeded = isinstance(self.random_state, Integral)
        identity = {
            **{name: getattr(self, name) for name in _IDENTITY},
            "model": None if source is None else digests_of(source),
            "random_state": int(self.random_state) if is_seeded else None,
            "texts": corpus.digest,
        }
        identity = {
            name: value.item() if isinstance(value, np.generic) else value
            for name, value in identity.items()
        }
        file = TrainingFile(Path(self.checkpoint_dir), identity)
        return file, file.load()

    def _start_model(
        self,
        source: Source | None,
        tokenizer: TextTokenizer,
        max_length: int,
        seed: int,
    ) -> MaskedModel:
        if source is not None:
            return load_masked_model(source, seed)
        return make_masked_model(
            tokenizer,
            n_layers=self.n_layers,
            hidden_size=self.hidden_size,
            n_heads=self.n_heads,
            max_length=max_length,
            seed=seed,
        )

    def _make_trainable(self, model: MaskedModel, seed: int) -> TrainableEncoder:
        device = resolve_device(self.device)
        dtype, autocast_dtype = resolve_training_dtypes(self.dtype, device)
        self.device_ = str(device)
        trainable = make_trainable(
            model.checkpoint,
            device,
            dtype,
            autocast_dtype=autocast_dtype,
            n_frozen=0,
            dropout=self.dropout,
            seed=seed,
            trains_all_words=True,
        )
        model.head.to(device, dtype)
        return trainable

    def _training_config(
        self, source: Source | None, max_length: int, seed: int
    ) -> PretrainingConfig:
        rate = self.learning_rate
        if rate == "auto":
            rate = _RATE_FROM_SCRATCH if source is None else _RATE_CONTINUED
        return PretrainingConfig(
            n_epochs=self.n_epochs,
            max_steps=self.max_steps,
            max_time=self.max_time,
            batch_tokens=max(self.batch_tokens, max_length),
            learning_rate=rate,
            weight_decay=self.weight_decay,
            warmup=self.warmup,
            schedule=self.schedule,
            seed=seed,
            save_every=self.checkpoint_every,
            verbose=self.verbose,
        )

    def _take_results(self, log: PretrainingLog, model: MaskedModel) -> None:
        self._masked_model = pack_masked_model(model)
        self.encoder_ = self._masked_model.encoder
        self.vocabulary_ = model.checkpoint.tokenizer.vocabulary
        self.loss_curve_ = log.loss_curve
        self.n_steps_ = log.n_steps
        self.n_tokens_ = log.n_tokens

    def _report(self, log: PretrainingLog) -> None:
        """Say what went otherwise than asked for."""
        if log.n_memory_errors:
            warn_user(
                f"Batches of batch_tokens={self.batch_tokens} tokens do not fit into "
                f"the memory of device {self.device_!r}: they were trained in parts of "
                f"{log.part_tokens}, with the same result. Lower max_length for speed.",
                MemoryWarning,
            )
        if log.was_interrupted:
            warn_user(
                f"The fit was interrupted after {log.n_steps} steps. The weights so "
                "far are kept, and the estimator can be used.",
                InterruptedFitWarning,
            )
        if log.error is not None:
            raise log.error.with_traceback(None)

    def _run(self) -> RunningMaskedModel:
        """Return the trained model, ready to run."""
        check_is_fitted(self, "encoder_")
        device = resolve_device(self.device)
        dtype = resolve_encoding_dtype(self.dtype, device)
        return RUNNING_MASKED.run(self._masked_model, device, dtype)


_NO_WORDS = (
    "X must hold at least one word. Got only empty texts. Give texts that have words."
)


def _chunks(texts: Iterable[str]) -> Iterator[list[str]]:
    texts = iter(texts)
    while chunk := list(islice(texts, _TEXTS_PER_CHUNK)):
        yield chunk
