"""Words to tags, with an encoder that is fine-tuned."""

from typing import Any

import numpy as np
from scipy.special import softmax
from sklearn.metrics import accuracy_score

from sklearn_bert._engine.text.inputs import Sentences
from sklearn_bert._fine_tuning.context import FitContext
from sklearn_bert._fine_tuning.template import BaseFineTuner
from sklearn_bert._inputs.sentences import check_sentences
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

    For named entities, parts of speech, chunks: a linear layer with softmax stands on
    the encoder's vector of each word's first token, and both are trained together.
    Exactly one tag comes back for every word, however long the word or the sentence,
    and also for words that are empty or that the model does not know.

    A sentence's tags do not depend on the other sentences of the call.

    Parameters
    ----------
    %(parameters)s

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The tags, sorted.

    coef_ : ndarray of shape (n_classes, hidden_size)
        Weights of the linear layer.

    intercept_ : ndarray of shape (n_classes,)
        The linear layer's constants.

    %(encoder_, n_iter_)s

    loss_curve_ : list of float
        Mean training loss of the words in each epoch.

    %(validation_scores_)s

    n_features_in_ : int
        1, the column of sentences.

    feature_names_in_ : ndarray of shape (1,)
        Name of the column that `fit` saw. Only there if X was a frame whose column
        names are all strings.

    n_truncated_ : int
        0, since no sentence is cut.

    max_length_ : int
        Longest sequence in tokens, as `fit` resolved it.

    %(device_, checkpoint_)s

    See Also
    --------
    BertClassifier : Classes of whole texts.
    sklearn_bert.metrics.entity_f1_score : F1 of whole entities rather than of words.

    Notes
    -----
    A frame or an array of one column is that column: `np.array([["a text"]])` holds one
    text, which is split, and not a sentence of one word.

    The loss is the mean over the words. A sentence of weight 2 counts as if it came
    twice.

    To scikit-learn this is no classifier, since y is a list of lists: cross-validation
    does not stratify, and scorers of labels such as "f1_macro" do not apply. `score`
    and the scorers of :mod:`sklearn_bert.metrics` do.

    By default the linear layer starts as a logistic regression on the frozen encoder's
    vectors of the words, which then are fine-tuned from there [2]_.

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
        word_tokenizer=None,
        constrain_tags=None,
        n_epochs=4,
        batch_size=32,
        learning_rate=2e-4,
        schedule="linear",
        warmup=0.1,
        weight_decay=0.01,
        dropout=0.1,
        freeze=None,
        layer_decay=0.8,
        init="probe",
        class_weight=None,
        label_smoothing=0.0,
        early_stopping=False,
        validation_fraction=0.1,
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
        self.layer_decay = layer_decay
        self.init = init
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.scoring = scoring
        self.warm_start = warm_start
        self.callbacks = callbacks
        self.device = device
        self.dtype = dtype
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y, sample_weight=None):
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
            Weight of each sentence in the loss. One of weight 0 is left out.

        Returns
        -------
        self : object
            The fitted tagger.

        Raises
        ------
        InputError
            If X holds neither lists of words nor texts.
        ValueError
            If y or the weights do not fit X, if y has one tag only, or if it is not BIO
            and should be.
        CheckpointError
            If the checkpoint is not found or damaged.
        DeviceError
            If this machine lacks the device or the dtype.
        DeviceMemoryError
            If training on a single sentence does not fit into memory.
        DivergenceError
            If a loss, a gradient or an output is no finite number. The estimator can
            be used then: it holds the best weights so far, or without early stopping
            those of the last epoch that ended with finite outputs, or those that
            training started from.
        """
        return self._fit(X, y, sample_weight)

    def split_words(self, X):
        """Return the words that are tagged.

        Parameters
        ----------
        X : array-like of shape (n_samples,), of lists of str, or of str
            Sentences as lists of words, or as texts that `word_tokenizer` splits.

        Returns
        -------
        words : list of list of str
            As many words for each sentence as `predict` gives tags.
        """
        self._validate_params()
        return self._read(X).words

    def decision_function(self, X):
        """Return the score of each tag for each word.

        Parameters
        ----------
        X : array-like of shape (n_samples,), of lists of str, or of str
            Sentences as lists of words, or as texts that `word_tokenizer` splits.

        Returns
        -------
        scores : list of ndarray of shape (n_words, n_classes)
            The linear layer's outputs, one array for each sentence.
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
            One array for each sentence, whose rows sum to 1. `constrain_tags` changes
            what is predicted, not the probabilities.
        """
        return [softmax(scores, axis=1) for scores in self.decision_function(X)]

    def predict(self, X):
        """Return the most probable tag of each word, or sequence of tags.

        Parameters
        ----------
        X : array-like of shape (n_samples,), of lists of str, or of str
            Sentences as lists of words, or as texts that `word_tokenizer` splits.

        Returns
        -------
        y : ndarray of shape (n_samples,), dtype object
            A list of tags for each sentence, one tag for each word. An array, since
            scikit-learn's `cross_val_predict` joins arrays only.
        """
        fitted, sentences = self._begin(X)
        return as_objects(fitted._tags_of(sentences))

    def score(self, X, y, sample_weight=None):
        """Return the share of the words that are tagged right.

        Parameters
        ----------
        X : array-like of shape (n_samples,), of lists of str, or of str
            Sentences as lists of words, or as texts that `word_tokenizer` splits.

        y : array-like of shape (n_samples,), of lists
            The right tag of each word of each sentence.

        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sentence, which all of its words have.

        Returns
        -------
        score : float
            Accuracy over the words of all sentences.
        """
        fitted, sentences = self._begin(X)
        tags = check_tags(y, sentences, self)
        weights = check_weights(sample_weight, len(sentences))
        return accuracy_score(
            flat_tags(tags),
            flat_tags(fitted._tags_of(sentences)),
            sample_weight=np.repeat(weights, sentences.lengths),
        )

    def _scores_of(self, sentences: Sentences) -> list[np.ndarray]:
        """Return what :meth:`decision_function` does, of sentences already read."""
        stops = np.cumsum(sentences.lengths)
        return np.split(self._run(sentences), stops[:-1])

    def _tags_of(self, sentences: Sentences) -> list[list]:
        """Return what :meth:`predict` does, of sentences already read."""
        scores = self._scores_of(sentences)
        if self.constrain_tags == "bio":
            rules = BioRules.of(self.classes_)
            codes = [rules.best_path(of_words) for of_words in scores]
        else:
            codes = [of_words.argmax(axis=1) for of_words in scores]
        return [self.classes_[of_words].tolist() for of_words in codes]

    def _read(self, X: Any) -> Sentences:
        return check_sentences(X, self.word_tokenizer)

    def _read_target(
        self, inputs: Sentences, y: Any, weights: np.ndarray, fit: FitContext
    ) -> TagTarget:
        tags = check_tags(y, inputs, self)
        if self.constrain_tags == "bio":
            check_bio(tags)
        known = None
        if fit.continues:
            known = self.classes_
            check_same_classes(flat_tags(tags), known)
        target = read_tags(
            tags, weights, known, self.class_weight, self.label_smoothing
        )
        self.classes_ = target.classes
        return target

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags
