"""The half of pre-training that guesses; the other one is the template of fit."""

import math
from numbers import Integral
from pathlib import Path
from typing import Any

from sklearn.utils.validation import _check_feature_names, check_is_fitted

from sklearn_bert._base import BaseBert
from sklearn_bert._engine.masked_lm.loaded import (
    FITTED_MASKED_MODELS,
    FittedMaskedModel,
)
from sklearn_bert._engine.masked_lm.masking import Masker
from sklearn_bert._engine.masked_lm.model import PackedMaskedModel
from sklearn_bert._engine.masked_lm.model_folder import save_masked_model
from sklearn_bert._engine.masked_lm.predict import predict_masked, sum_log_likelihoods
from sklearn_bert._engine.text.corpus import chunks
from sklearn_bert._engine.text.tokenizer import TextTokenizer
from sklearn_bert._inputs.streams import check_stream
from sklearn_bert._inputs.texts import check_column
from sklearn_bert._params.shared import Interval, validate_parameter_constraints
from sklearn_bert.exceptions import InputError

NO_WORDS = (
    "X must hold at least one word. Got only empty texts. Give texts that have words."
)

_FILL_MASK = {"top_k": [Interval(Integral, 1, None, closed="left")], "mask": [str]}


class BasePretrained(BaseBert):
    """An encoder of its own, and the head that guesses its tokens.

    Subclasses have the parameters of
    :data:`~sklearn_bert._params.pretraining.PRE_TRAINING`.
    """

    _holds_encoder = True
    _masked_model: PackedMaskedModel
    max_length_: int

    def score(self, X, y=None):
        """Return how well hidden tokens of texts are guessed.

        Tokens are hidden as in training. Which ones are hidden depends on each text
        alone, so that models with the same vocabulary can be compared.

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
        fitted = self._snapshot()
        model = fitted._run()
        tokenizer = model.encoder.tokenizer
        masker = fitted._make_masker(tokenizer)
        fitted._check_column(X)
        total, n_hidden = 0.0, 0
        for texts in chunks(check_stream(X)):
            sequences = tokenizer.split_to_length(texts, fitted.max_length_)
            part, n_part = sum_log_likelihoods(model, sequences, masker, seed=0)
            total, n_hidden = total + part, n_hidden + n_part
        if not n_hidden:
            raise InputError(NO_WORDS)
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
        """TokenPrediction what stands in gaps.

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
        validate_parameter_constraints(
            _FILL_MASK,
            {"top_k": top_k, "mask": mask},
            caller_name=f"{type(self).__name__}.fill_mask",
        )
        fitted = self._snapshot()
        model = fitted._run()
        texts = check_column(X)
        fitted._check_column(X)
        tokenizer = model.encoder.tokenizer
        sequences = [fitted._read_gaps(tokenizer, text, mask) for text in texts]
        return [
            [
                [(tokenizer.names([one.id])[0], one.probability) for one in gap]
                for gap in gaps
            ]
            for gaps in predict_masked(model, sequences, top_k)
        ]

    def save_pretrained(self, folder):
        """Write a folder that every estimator, and transformers, takes as a model.

        Parameters
        ----------
        folder : str or path
            Must not exist, or be empty. It is there as a whole or not at all; a folder
            that existed is filled, its config.json last.
        """
        check_is_fitted(self, "encoder_")
        path = Path(folder).expanduser()
        if path.exists() and not (path.is_dir() and not any(path.iterdir())):
            raise ValueError(
                f"folder must not exist, or be empty. Got {str(path)!r}, which is "
                "neither. Remove it, or give another."
            )
        save_masked_model(self._masked_model, path.absolute())

    def _check_column(self, X: Any) -> None:
        if hasattr(self, "feature_names_in_"):
            _check_feature_names(self, X, reset=False)

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

    def _run(self) -> FittedMaskedModel:
        """Return the trained model, ready to run."""
        device, dtype = self._resolve_device()
        return FITTED_MASKED_MODELS.get(self._masked_model, device, dtype, self)
