"""Token ids and word piece counts of texts."""

import sys
from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import TransformerMixin

from sklearn_bert._base import BaseBert, warn_if_cut
from sklearn_bert._engine.checkpoints.record import CheckpointRecord, record_of
from sklearn_bert._engine.checkpoints.source import architecture_of, tokenizer_of
from sklearn_bert._engine.encoding.resolve import (
    check_room_for_pairs,
    resolve_max_length,
)
from sklearn_bert._engine.export.contents import TokenizerExport
from sklearn_bert._engine.text.inputs import Texts, TokenizingConfig
from sklearn_bert._engine.text.token_sequences import TokenSequences
from sklearn_bert._engine.text.tokenizer import TextTokenizer
from sklearn_bert._engine.text.vocabulary import learn_vocabulary
from sklearn_bert._inputs.token_arrays import (
    BLOCKS,
    count_tokens,
    name_columns,
    pad_tokens,
    read_counts,
    read_ids,
)
from sklearn_bert._params.encoder import ENCODER, VOCABULARY, VOCABULARY_SIZE
from sklearn_bert._params.param import constraints, document
from sklearn_bert._sklearn_compat import (
    StrOptions,
)
from sklearn_bert.exceptions import CheckpointError

_SHARED = {name: ENCODER[name] for name in ("model", "revision", "missing")}
_NO_LIMIT = sys.maxsize // 64


@document(_SHARED, VOCABULARY)
class BertTokenizer(TransformerMixin, BaseBert):
    """Turn texts into padded sequences of token ids, and back.

    A text becomes [CLS], the ids of its word pieces, and [SEP], padded with [PAD] to a
    common length. The vocabulary is that of a checkpoint, or is learned from the texts
    of `fit`.

    The content of a text is data: "[SEP]" in a text is five ordinary characters, never
    the special token.

    Parameters
    ----------
    %(model)s

    %(revision)s

    vocab_size : int, default=None
        `None` uses the tokenizer of `model`. An int learns a WordPiece vocabulary of at
        most that size from the texts of `fit` instead; `model` and `revision` are then
        ignored.

    %(lowercase)s

    max_length : int, default=None
        Number of columns of the array of ids: tokens per text, including special
        tokens. `None` uses the length of the longest text of `fit`, up to the limit
        that the model declares. Longer texts are truncated with a warning. With
        `output="counts"`, `None` means no limit.

    long_text : {"truncate", "head_tail"}, default="truncate"
        How to handle a text of more than `max_length` tokens:

        - "truncate" keeps its beginning; of a pair, the longer text is truncated first;
        - "head_tail" fills a quarter of `max_length` from its beginning and three
          quarters from its end.

    %(missing)s

    output : {"ids", "counts"}, default="ids"
        "ids" returns an array of token ids. "counts" returns a sparse matrix with the
        count of each token in each text, without special tokens, as
        :class:`~sklearn.feature_extraction.text.CountVectorizer` does for words.

    return_mask : bool, default=False
        Whether to append the attention mask, a block of `max_length` columns that are 1
        for tokens and 0 for padding.

    return_segments : bool, default=False
        Whether to append the segment ids, a block of `max_length` columns that are 1
        for the second text of a pair and 0 elsewhere. Only for models that use them.

    Attributes
    ----------
    vocabulary_ : dict of str to int
        The id of each token, which with `output="counts"` is its column.

    max_length_ : int or None
        Number of columns of the array of ids, as resolved by `fit`; `None` if there is
        no limit.

    %(n_truncated_, n_features_in_, feature_names_in_)s

    checkpoint_ : CheckpointRecord or None
        The checkpoint of the tokenizer; `None` for a learned vocabulary.

    See Also
    --------
    BertVectorizer : Features of texts. It includes the tokenizer.
    sklearn.feature_extraction.text.CountVectorizer : Word counts.

    Notes
    -----
    A saved file or a pickle contains the tokenizer and needs no checkpoint.

    The learned vocabulary does not depend on the order of the texts.

    References
    ----------
    Wu et al., `Google's Neural Machine Translation System
    <https://arxiv.org/abs/1609.08144>`_, 2016, section 4.1 on word pieces.

    Examples
    --------
    >>> from sklearn_bert import BertTokenizer
    >>> texts = ["A joy to watch.", "Unwatchable"]
    >>> tokenizer = BertTokenizer()
    >>> tokenizer.fit_transform(texts)
    array([[  101,  1037,  6569,  2000,  3422,  1012,   102],
           [  101,  4895, 18866,  3085,   102,     0,     0]])
    >>> tokenizer.tokenize(texts)
    [['a', 'joy', 'to', 'watch', '.'], ['un', '##watch', '##able']]
    """

    # Pickles name it as users do, wherever it is defined.
    __module__ = "sklearn_bert"

    _parameter_constraints = {
        **constraints(_SHARED, VOCABULARY),
        "vocab_size": [VOCABULARY_SIZE, None],
        "max_length": ENCODER["max_length"].constraint,
        "long_text": [StrOptions({"truncate", "head_tail"})],
        "output": [StrOptions({"ids", "counts"})],
        "return_mask": ["boolean"],
        "return_segments": ["boolean"],
    }

    def __init__(
        self,
        model="sentence-transformers/all-MiniLM-L6-v2",
        *,
        revision=None,
        vocab_size=None,
        lowercase=True,
        max_length=None,
        long_text="truncate",
        missing="error",
        output="ids",
        return_mask=False,
        return_segments=False,
    ):
        self.model = model
        self.revision = revision
        self.vocab_size = vocab_size
        self.lowercase = lowercase
        self.max_length = max_length
        self.long_text = long_text
        self.missing = missing
        self.output = output
        self.return_mask = return_mask
        self.return_segments = return_segments

    def fit(self, X, y=None):
        """Load the tokenizer of the checkpoint, or learn a vocabulary from X.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,), (n_samples, 1) or (n_samples, 2)
            Texts, or pairs of texts.

        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted tokenizer.
        """
        fitted, _ = self._fit(X)
        self._adopt(fitted)
        return self

    def fit_transform(self, X, y=None):
        """Fit and return the ids or counts of X, reading the texts once.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,), (n_samples, 1) or (n_samples, 2)
            Texts, or pairs of texts.

        y : None
            Ignored.

        Returns
        -------
        X_out : ndarray or sparse matrix of shape (n_samples, n_features_out)
            As returned by :meth:`transform`.
        """
        fitted, sequences = self._fit(X)
        out = fitted._lay_out(sequences)
        self._adopt(fitted)
        return out

    def transform(self, X):
        """Turn texts into ids, or into counts.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,), (n_samples, 1) or (n_samples, 2)
            Texts, or pairs of texts.

        Returns
        -------
        X_out : ndarray or sparse matrix of shape (n_samples, n_features_out)
            The padded ids of each text and the optional blocks, or the counts as a CSR
            matrix; int64.
        """
        fitted, texts = self._begin(X)
        fitted._check_layout()
        sequences = fitted._to_sequences(fitted._tokenizer, texts, fitted.max_length_)
        fitted._warn_if_cut(sequences, texts)
        return fitted._lay_out(sequences)

    def inverse_transform(self, X):
        """Turn ids back into texts, or counts into tokens.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features_out)
            Output of :meth:`transform`.

        Returns
        -------
        X_original : ndarray of str, shape (n_samples,) or (n_samples, 2), or list
            The texts; case, accents, spaces and words outside the vocabulary may be
            lost. For counts, a list of n_samples arrays of tokens, not in the order of
            the text.
        """
        fitted = self._snapshot()
        fitted._check_layout()
        if fitted.output == "counts":
            return read_counts(X, fitted._column_names())
        tokenizer = fitted._tokenizer
        ids = read_ids(X, len(fitted._blocks), fitted.max_length_, tokenizer.largest_id)
        is_pair = fitted.n_features_in_ == 2
        texts = [tokenizer.decode(row, is_pair=is_pair) for row in ids.tolist()]
        return np.array(texts if is_pair else [text for (text,) in texts], dtype=object)

    def tokenize(self, X):
        """Split texts into word pieces.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,), (n_samples, 1) or (n_samples, 2)
            Texts, or pairs of texts.

        Returns
        -------
        tokens : list of length n_samples
            For each text, a list of all of its tokens without special tokens. For each
            pair, a tuple of two such lists.
        """
        fitted, texts = self._begin(X)
        tokenizer = fitted._tokenizer
        first = map(tokenizer.names, tokenizer.split(texts.first))
        if texts.second is None:
            return list(first)
        second = map(tokenizer.names, tokenizer.split(texts.second))
        return list(zip(first, second, strict=True))

    def get_feature_names_out(self, input_features=None):
        """Return the names of the columns.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Not used, but checked against `feature_names_in_` if that is defined.

        Returns
        -------
        feature_names_out : ndarray of str objects
            "id0", "id1", ..., then "mask0", ... and "segment0", ... for the optional
            blocks; the tokens with `output="counts"`.
        """
        fitted = self._snapshot()
        fitted._check_layout()
        fitted._check_input_features(input_features)
        if fitted.output == "counts":
            return fitted._column_names()
        columns = range(fitted.max_length_)
        return np.array(
            [f"{block}{k}" for block in fitted._blocks for k in columns], dtype=object
        )

    @property
    def vocabulary_(self):
        """The id of each token."""
        return self._tokenizer.vocabulary

    # --- fitting -------------------------------------------------------------------

    def _fit(self, X: Any) -> tuple[Self, TokenSequences]:
        """Return a fitted copy, and the sequences of X."""
        self._validate_params()
        self._check_output()
        texts = self._read(X)
        tokenizer, limit, record = self._make_tokenizer(texts)
        sequences = self._to_sequences(tokenizer, texts, limit)
        longest = max(map(len, sequences.ids))
        wants_all = self.output == "counts" and self.max_length is None
        fitted = self._copy()
        fitted._remember_columns(X, texts.n_columns)
        fitted._tokenizer = tokenizer
        fitted.checkpoint_ = record
        fitted.max_length_ = self.max_length
        if self.max_length is None and not wants_all:
            fitted.max_length_ = longest
        fitted.n_truncated_ = len(sequences.truncated)
        self._warn_if_cut(sequences, texts)
        return fitted, sequences

    def _check_output(self) -> None:
        if self.output == "counts" and (self.return_mask or self.return_segments):
            raise ValueError(
                "return_mask and return_segments must be False with output='counts', "
                f"which has no padding. Got return_mask={self.return_mask} and "
                f"return_segments={self.return_segments}. Set output='ids'."
            )

    def _check_layout(self) -> None:
        """Raise an error if parameters set after fit require another fit."""
        self._check_output()
        self._check_ability(self._tokenizer)
        if self.output == "ids" and self.max_length_ is None:
            raise ValueError(
                "output must be 'counts', as in fit, which determined no length for "
                f"ids. Got {self.output!r}. Fit again."
            )

    def _make_tokenizer(
        self, texts: Texts
    ) -> tuple[TextTokenizer, int | None, CheckpointRecord | None]:
        """Return the tokenizer, its maximum length, and its checkpoint."""
        if self.vocab_size is not None:
            check_room_for_pairs(self.max_length, texts.n_columns)
            tokenizer = learn_vocabulary(
                [*texts.first, *(texts.second or ())],
                self.vocab_size,
                lowercase=self.lowercase,
            )
            return tokenizer, self.max_length, None
        source = self._find_source()
        tokenizer = tokenizer_of(source)
        name, architecture = self._model_name(), architecture_of(source)
        limit: int | None = resolve_max_length(
            self.max_length, architecture, name, texts.n_columns
        )
        self._check_ability(tokenizer)
        if self.output == "counts" and self.max_length is None:
            limit = None
        return tokenizer, limit, record_of(source, name, self.revision)

    def _check_ability(self, tokenizer: TextTokenizer) -> None:
        if self.return_segments and not tokenizer.has_segments:
            raise ValueError(
                f"return_segments must be False for model {self._model_name()!r}, "
                "which has no segment ids. Got True. Set return_segments=False, or "
                "choose another model."
            )
        if self.output == "ids" and tokenizer.padding is None:
            raise CheckpointError(
                f"model must have a padding token. Got {self._model_name()!r}, "
                "whose vocabulary has neither [PAD] nor <pad>. Choose another model, "
                "or set output='counts'."
            )

    def _export(self) -> TokenizerExport:
        return TokenizerExport(self._tokenizer, self.max_length_)

    # --- layout -----------------------------------------------------------------------

    def _to_sequences(
        self, tokenizer: TextTokenizer, texts: Texts, max_length: int | None
    ) -> TokenSequences:
        limit = _NO_LIMIT if max_length is None else max_length
        return texts.tokenize(tokenizer, TokenizingConfig(limit, self.long_text))

    def _warn_if_cut(self, sequences: TokenSequences, texts: Texts) -> None:
        warn_if_cut(
            len(sequences.truncated),
            len(texts),
            max(map(len, sequences.ids)),
            "Raise max_length if that matters.",
        )

    @property
    def _blocks(self) -> tuple[str, ...]:
        """Return the names of the blocks of columns."""
        wanted = (True, self.return_mask, self.return_segments)
        return tuple(name for name, is_in in zip(BLOCKS, wanted, strict=True) if is_in)

    def _lay_out(self, sequences: TokenSequences) -> np.ndarray | sparse.csr_matrix:
        """Turn sequences into the output array or matrix."""
        if self.output == "counts":
            n_columns = self._tokenizer.largest_id + 1
            return count_tokens(sequences, self._tokenizer.controls, n_columns)
        # Checked in _check_ability.
        padding = self._tokenizer.padding
        assert padding is not None
        return pad_tokens(sequences, self._blocks, self.max_length_, padding)

    def _column_names(self) -> np.ndarray:
        return name_columns(self.vocabulary_, self._tokenizer.largest_id + 1)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags
