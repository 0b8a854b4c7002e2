"""Sequence tagging with a fine-tuned encoder."""

from dataclasses import replace
from typing import Any

import numpy as np
from scipy.special import softmax
from sklearn.metrics import accuracy_score

from sklearn_bert._engine.export.contents import EncoderExport
from sklearn_bert._engine.text.inputs import Sentences
from sklearn_bert._fine_tuning.context import FitContext
from sklearn_bert._fine_tuning.template import BaseFineTuner
from sklearn_bert._inputs.sentences import check_sentences
from sklearn_bert._inputs.values import call_hiding_values
from sklearn_bert._params.fine_tuning import TAGGING
from sklearn_bert._params.param import constraints, document
from sklearn_bert._targets.bio import BioRules, check_bio
from sklearn_bert._targets.checks import as_objects, check_weights
from sklearn_bert._targets.classes import check_same_classes
from sklearn_bert._targets.tags import (
    TagTarget,
    check_tags,
    flat_tags,
    read_tags,
)


@document(TAGGING)
class BertTokenClassifier(BaseFineTuner):
    """Tag every word of a sentence by fine-tuning a BERT-family encoder.

    Use it for named entities, parts of speech or chunks. A linear layer with softmax is
    added on top of the vector of the first token of each word, and trained together
    with the encoder. Every word gets exactly one tag, regardless of the length of the
    word or sentence, including empty and unknown words.

    The tags of a sentence do not depend on the other sentences of the call.

    Parameters
    ----------
    %(parameters)s

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The sorted tags.

    class_count_ : ndarray of shape (n_classes,)
        Number of words with each tag, in the `n_samples_seen_` sentences.

    coef_ : ndarray of shape (n_classes, hidden_size)
        Weights of the linear layer.

    intercept_ : ndarray of shape (n_classes,)
        Bias of the linear layer.

    %(encoder_, adapter_, n_epochs_, learning_rate_, n_iter_, n_samples_seen_)s

    %(n_tokens_, n_trained_parameters_)s

    loss_curve_ : list of float
        Mean training loss per word of each epoch.

    %(epoch_times_)s

    %(validation_scores_, best_validation_score_)s

    n_features_in_ : int
        Always 1, the column of sentences.

    feature_names_in_ : ndarray of shape (1,)
        Name of the column seen by `fit`. Defined only if X is a frame whose column
        names are all strings.

    n_truncated_ : int
        Always 0, since sentences are not truncated.

    truncated_share_ : float
        Always 0.

    max_length_ : int
        Maximum number of tokens per sequence, as resolved by `fit`.

    %(device_, dtype_, peak_memory_, checkpoint_)s

    See Also
    --------
    BertClassifier : Predicts classes of texts.
    sklearn_bert.metrics.entity_f1_score : F1 score of entities instead of words.

    Notes
    -----
    A frame or an array of one column is read as that column: `np.array([["a text"]])`
    contains one text, which is split into words, not a sentence of one word.

    The loss is the mean over the words. A sentence of weight 2 counts as two sentences.

    In scikit-learn's terms this is not a classifier, since y is a list of lists:
    cross-validation does not stratify, and scorers for class labels such as "f1_macro"
    do not apply. Use `score` or the scorers of :mod:`sklearn_bert.metrics`.

    By default the linear layer is initialized by a logistic regression on the frozen
    vectors of the words, and fine-tuning starts from there [2]_.

    References
    ----------
    .. [1] Devlin, Chang, Lee and Toutanova, `BERT: Pre-training of Deep Bidirectional
       Transformers for Language Understanding <https://aclanthology.org/N19-1423>`_,
       NAACL 2019.

    .. [2] Kumar, Raghunathan, Jones, Ma and Liang, `Fine-Tuning can Distort Pretrained
       Features and Underperform Out-of-Distribution
       <https://openreview.net/forum?id=UYneFzXSJWh>`_, ICLR 2022.

    Examples
    --------
    >>> from sklearn_bert import BertTokenClassifier
    >>> sentences = [["Ann", "left", "Rome"], ["Bob", "likes", "Ann"]]
    >>> tags = [["person", "other", "place"], ["person", "other", "person"]]
    >>> tagger = BertTokenClassifier(n_epochs=10, random_state=0).fit(sentences, tags)
    >>> [len(tags) for tags in tagger.predict([["Eve", "saw", "Paris", "."], []])]
    [4, 0]
    """

    # Pickles name it as users do, wherever it is defined.
    __module__ = "sklearn_bert"

    _parameter_constraints = constraints(TAGGING)

    classes_: np.ndarray
    # No parameters of this estimator: words are not pooled, and no sentence is cut.
    pooling, long_text = None, "window"

    def __init__(
        self,
        model="sentence-transformers/all-MiniLM-L6-v2",
        *,
        revision=None,
        max_length=None,
        missing="error",
        word_tokenizer=None,
        constrain_tags=None,
        n_epochs="auto",
        batch_size=32,
        learning_rate="auto",
        schedule="linear",
        warmup=0.1,
        weight_decay=0.01,
        dropout=0.1,
        freeze=None,
        adapter=None,
        lora_rank=8,
        layer_decay=0.8,
        gradient_checkpointing=False,
        init="probe",
        class_weight=None,
        label_smoothing=0.0,
        early_stopping=False,
        validation_fraction=0.1,
        validation_split="random",
        n_iter_no_change=2,
        scoring=None,
        warm_start=False,
        callbacks=None,
        device="auto",
        dtype="auto",
        random_state=None,
        verbose=0,
    ):
        self.model = model
        self.revision = revision
        self.max_length = max_length
        self.missing = missing
        self.word_tokenizer = word_tokenizer
        self.constrain_tags = constrain_tags
        self.n_epochs = n_epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.warmup = warmup
        self.weight_decay = weight_decay
        self.dropout = dropout
        self.freeze = freeze
        self.adapter = adapter
        self.lora_rank = lora_rank
        self.layer_decay = layer_decay
        self.gradient_checkpointing = gradient_checkpointing
        self.init = init
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.validation_split = validation_split
        self.n_iter_no_change = n_iter_no_change
        self.scoring = scoring
        self.warm_start = warm_start
        self.callbacks = callbacks
        self.device = device
        self.dtype = dtype
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y, sample_weight=None, groups=None, *, X_val=None, y_val=None):
        """Fine-tune the encoder.

        Parameters
        ----------
        X : array-like of shape (n_samples,), of lists of str, or of str
            Sentences as lists of words, or as texts that `word_tokenizer` splits.

        y : array-like of shape (n_samples,), of lists
            One tag, a str or an int, for each word of each sentence. -100 is refused,
            which marks tokens without a label in Hugging Face data: give the tags of
            words, as they were before they were aligned with tokens.

        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sentence in the loss. Sentences of weight 0 are ignored.

        groups : array-like of shape (n_samples,), default=None
            Group of each sentence, such as its document. With `early_stopping`, no
            group is in both the training and the validation split.

        X_val : array-like, default=None
            Sentences that early stopping scores in place of a part of X. They are not
            trained on. `groups`, `validation_fraction` and `validation_split` are then
            not used.

        y_val : array-like, default=None
            Their tags in the form of y, all of which occur in y.

        Returns
        -------
        self : object
            The fitted tagger.

        Raises
        ------
        InputError
            If X contains neither lists of words nor texts.
        ValueError
            If y, the weights or the groups do not match X, if y has only one tag, or if
            its tags are not valid BIO with `constrain_tags="bio"`.
        CheckpointError
            If the checkpoint is not found or is damaged.
        DeviceError
            If the device or the dtype is not available on this machine.
        DeviceMemoryError
            If training on a single sentence does not fit into memory.
        NonFiniteError
            If the features that the linear probe reads are NaN or infinite.
        DivergenceError
            If a loss, a gradient or an output becomes NaN or infinite. The estimator
            can still be used, with the best weights so far, or without early stopping
            those of the last epoch that ended with finite outputs, or the initial ones.
        """
        return self._fit(X, y, sample_weight, groups=groups, X_val=X_val, y_val=y_val)

    def split_words(self, X):
        """Return the words that are tagged.

        Parameters
        ----------
        X : array-like of shape (n_samples,), of lists of str, or of str
            Sentences as lists of words, or as texts that `word_tokenizer` splits.

        Returns
        -------
        words : list of list of str
            The words of each sentence, one for each tag that `predict` returns.
        """
        tagger = self._copy()
        tagger._validate_params()
        return tagger._read(X).words

    def decision_function(self, X):
        """Return the score of each tag for each word.

        Parameters
        ----------
        X : array-like of shape (n_samples,), of lists of str, or of str
            Sentences as lists of words, or as texts that `word_tokenizer` splits.

        Returns
        -------
        scores : list of ndarray of shape (n_words, n_classes)
            The logits, one array for each sentence.
        """
        fitted, sentences = self._begin(X)
        return fitted._scores_of(sentences)

    def predict_proba(self, X):
        """Return the probability of each tag for each word.

        Parameters
        ----------
        X : array-like of shape (n_samples,), of lists of str, or of str
            Sentences as lists of words, or as texts that `word_tokenizer` splits.

        Returns
        -------
        probabilities : list of ndarray of shape (n_words, n_classes)
            One array for each sentence, whose rows sum to 1. `constrain_tags` does not
            change the probabilities.
        """
        return [softmax(scores, axis=1) for scores in self.decision_function(X)]

    def predict(self, X):
        """Return the most probable tags.

        Parameters
        ----------
        X : array-like of shape (n_samples,), of lists of str, or of str
            Sentences as lists of words, or as texts that `word_tokenizer` splits.

        Returns
        -------
        y : ndarray of shape (n_samples,), dtype object
            A list of tags for each sentence, one tag for each word. It is an array
            because `cross_val_predict` only concatenates arrays.
        """
        fitted, sentences = self._begin(X)
        return as_objects(fitted._tags_of(sentences))

    def score(self, X, y, sample_weight=None):
        """Return the accuracy of the tags over all words.

        Parameters
        ----------
        X : array-like of shape (n_samples,), of lists of str, or of str
            Sentences as lists of words, or as texts that `word_tokenizer` splits.

        y : array-like of shape (n_samples,), of lists
            True tag of each word of each sentence.

        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sentence, which applies to all of its words.

        Returns
        -------
        score : float
            Accuracy over the words of all sentences.
        """
        fitted, sentences = self._begin(X)
        tags = check_tags(y, sentences, self)
        weights = check_weights(sample_weight, len(sentences))
        return call_hiding_values(
            accuracy_score,
            flat_tags(tags),
            flat_tags(fitted._tags_of(sentences)),
            sample_weight=np.repeat(weights, sentences.lengths),
        )

    def _scores_of(self, sentences: Sentences) -> list[np.ndarray]:
        """Return the result of :meth:`decision_function` for parsed sentences."""
        stops = np.cumsum(sentences.lengths)
        return np.split(self._run(sentences), stops[:-1])

    def _tags_of(self, sentences: Sentences) -> list[list]:
        """Return the result of :meth:`predict` for parsed sentences, as lists."""
        return self._best_tags(self._scores_of(sentences))

    def _best_tags(self, scores: list[np.ndarray]) -> list[list]:
        """Return the tags of each sentence with the best scores."""
        if self.constrain_tags == "bio":
            rules = BioRules.of(self.classes_)
            codes = [rules.best_path(of_words) for of_words in scores]
        else:
            codes = [of_words.argmax(axis=1) for of_words in scores]
        return [self.classes_[of_words].tolist() for of_words in codes]

    def _read(self, X: Any) -> Sentences:
        return check_sentences(X, self.word_tokenizer, missing=self.missing)

    def _check_y(self, inputs: Sentences, y: Any) -> np.ndarray:
        tags = check_tags(y, inputs, self)
        if self.constrain_tags == "bio":
            check_bio(tags)
        return tags

    def _read_target(
        self, y: np.ndarray, weights: np.ndarray, fit: FitContext
    ) -> TagTarget:
        known = None
        if fit.continues:
            known = self.classes_
            check_same_classes(flat_tags(y), known)
        target = read_tags(y, weights, known, self.class_weight, self.label_smoothing)
        self.classes_ = target.classes
        return target

    def _describe_outputs(self) -> tuple[str, str, list[Any]]:
        labels = self.classes_.tolist()
        return "token-classification", "single_label_classification", labels

    def _export(self) -> EncoderExport:
        export = super()._export()
        if self.constrain_tags is None:
            return export
        return replace(export, constraint=f"constrain_tags={self.constrain_tags!r}")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags
