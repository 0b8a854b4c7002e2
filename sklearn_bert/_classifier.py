"""Text classification with a fine-tuned encoder."""

from functools import partial
from typing import Any

import numpy as np
from scipy import sparse
from scipy.special import expit, log_expit, log_softmax, softmax
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from torch import nn

from sklearn_bert._config import quote
from sklearn_bert._engine.text.inputs import Texts
from sklearn_bert._engine.training.heads import LinearHead
from sklearn_bert._engine.training.two_classes import merge_rows_of_two_classes
from sklearn_bert._fine_tuning.context import FitContext
from sklearn_bert._fine_tuning.features import FeaturesMixin
from sklearn_bert._fine_tuning.template import BaseFineTuner
from sklearn_bert._params.fine_tuning import FINE_TUNING, TEXT_CLASSIFICATION
from sklearn_bert._params.param import constraints, document
from sklearn_bert._targets.classes import (
    check_same_classes,
    is_same,
    read_classes,
    read_indicators,
)
from sklearn_bert._targets.labels import check_classes, check_labels
from sklearn_bert._targets.target import Target


@document(FINE_TUNING, TEXT_CLASSIFICATION)
class BertClassifier(ClassifierMixin, FeaturesMixin, BaseFineTuner):
    """Classify texts by fine-tuning a pre-trained BERT-family encoder.

    A linear layer with softmax is added on top of the pooled vector of a text, and
    trained together with the encoder. If y is a label indicator matrix, so that a text
    has any number of labels, each label has its own sigmoid.

    The prediction for a text does not depend on the other texts of the call.

    Parameters
    ----------
    %(parameters)s

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The sorted labels. For an indicator matrix, its column indices.

    is_multilabel_ : bool
        Whether y is an indicator matrix.

    class_count_ : ndarray of shape (n_classes,)
        Number of the `n_samples_seen_` texts with each label.

    coef_ : ndarray of shape (n_classes, n_features_out) or (1, n_features_out)
        Weights of the linear layer, applied to the features of `transform`. Two classes
        have one row, which gives the log-odds of the second class.

    intercept_ : ndarray of shape (n_classes,) or (1,)
        Bias of the linear layer.

    %(encoder_, adapter_, n_epochs_, learning_rate_, contrastive_, n_iter_)s

    %(n_samples_seen_, n_tokens_, n_trained_parameters_)s

    loss_curve_ : list of float
        Mean training loss of each epoch.

    %(epoch_times_)s

    %(validation_scores_, best_validation_score_, n_features_in_, feature_names_in_)s

    %(n_truncated_, truncated_share_, max_length_, pooling_, prompt_, device_)s

    %(dtype_, peak_memory_, checkpoint_)s

    See Also
    --------
    BertVectorizer : Features of a frozen encoder.

    Notes
    -----
    The optimizer is AdamW with bias correction [1]_, [2]_. Gradients are clipped to
    norm 1. A row of the word embeddings is only updated in steps whose texts use it. By
    default the linear layer is initialized by a logistic regression on the frozen
    features, and fine-tuning starts from there [3]_. With few texts, half of the loss
    is the supervised contrastive loss [4]_.

    A saved file or a pickle contains the fine-tuned weights. It needs no checkpoint,
    and can be loaded on machines with and without a GPU.

    References
    ----------
    .. [1] Devlin, Chang, Lee and Toutanova, `BERT: Pre-training of Deep Bidirectional
       Transformers for Language Understanding <https://aclanthology.org/N19-1423>`_,
       NAACL 2019.

    .. [2] Mosbach, Andriushchenko and Klakow, `On the Stability of Fine-tuning BERT
       <https://openreview.net/forum?id=nzpLWnVAyah>`_, ICLR 2021.

    .. [3] Kumar, Raghunathan, Jones, Ma and Liang, `Fine-Tuning can Distort Pretrained
       Features and Underperform Out-of-Distribution
       <https://openreview.net/forum?id=UYneFzXSJWh>`_, ICLR 2022.

    .. [4] Gunel, Du, Conneau and Stoyanov, `Supervised Contrastive Learning for
       Pre-trained Language Model Fine-tuning
       <https://openreview.net/forum?id=cu7IUiOhujH>`_, ICLR 2021.

    Examples
    --------
    >>> from sklearn_bert import BertClassifier
    >>> texts = ["a joy to watch", "utterly dull", "charming and funny", "a mess"]
    >>> ratings = ["good", "bad", "good", "bad"]
    >>> classifier = BertClassifier(random_state=0).fit(texts, ratings)
    >>> classifier.predict(["delightful", "tedious"])
    array(['good', 'bad'], dtype='<U4')
    """

    # Pickles name it as users do, wherever it is defined.
    __module__ = "sklearn_bert"

    _parameter_constraints = constraints(FINE_TUNING, TEXT_CLASSIFICATION)

    classes_: np.ndarray
    is_multilabel_: bool

    def __init__(
        self,
        model="sentence-transformers/all-MiniLM-L6-v2",
        *,
        revision=None,
        pooling="auto",
        max_length=None,
        long_text="truncate",
        prompt="auto",
        missing="error",
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
        contrastive="auto",
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
        self.pooling = pooling
        self.max_length = max_length
        self.long_text = long_text
        self.prompt = prompt
        self.missing = missing
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
        self.contrastive = contrastive
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
        X : array-like of str of shape (n_samples,), (n_samples, 1) or (n_samples, 2)
            Texts, or pairs of texts.

        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            One label per text, or a dense or sparse indicator matrix.

        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each text in the loss. Texts of weight 0 are ignored.

        groups : array-like of shape (n_samples,), default=None
            Group of each text, such as its author. With `early_stopping`, no group is
            in both the training and the validation split.

        X_val : array-like of str, default=None
            Texts, or pairs of texts, that early stopping scores in place of a part of
            X. They are not trained on. `groups`, `validation_fraction` and
            `validation_split` are then not used.

        y_val : array-like, default=None
            Their labels in the form of y, all of which occur in y.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        InputError
            If X is not one or two columns of texts.
        ValueError
            If y, the weights or the groups do not match X, or y has only one class.
        CheckpointError
            If the checkpoint is not found or is damaged.
        DeviceError
            If the device or the dtype is not available on this machine.
        DeviceMemoryError
            If the model, or training on a single text, does not fit into memory.
        NonFiniteError
            If the features that the linear probe reads are NaN or infinite.
        DivergenceError
            If a loss, a gradient or an output becomes NaN or infinite. The estimator
            can still be used, with the best weights so far, or without early stopping
            those of the last epoch that ended with finite outputs, or the initial ones.
        """
        return self._fit(X, y, sample_weight, groups=groups, X_val=X_val, y_val=y_val)

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Make one pass over more texts, with a constant learning rate.

        The optimizer state is kept between calls, which triples the size of the
        estimator until the next `fit`.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,), (n_samples, 1) or (n_samples, 2)
            Texts, or pairs of texts.

        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            As in `fit`. It need not contain all classes.

        classes : array-like of shape (n_classes,), default=None
            All labels that occur in any call. Required in the first call, unless `fit`
            was called before.

        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each text in the loss.

        Returns
        -------
        self : object
            The classifier.
        """
        self._validate_params()
        known = getattr(self, "classes_", None)
        if known is None and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        if classes is not None:
            classes = check_classes(classes)
            if known is not None and not is_same(known, classes):
                raise ValueError(
                    f"`classes={quote(classes)}` is not the same as on last call to "
                    f"partial_fit, was: {quote(known)}"
                )
            known = classes
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight 'balanced' is not supported for partial_fit, which does "
                "not see all texts. Give the weights as a dict of label to weight."
            )
        return self._fit(X, y, sample_weight, is_partial=True, classes=known)

    def decision_function(self, X):
        """Return the score of each class.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,), (n_samples, 1) or (n_samples, 2)
            Texts, or pairs of texts.

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
            The logits. With two classes, the difference of the second and the first
            logit, which is the log-odds.
        """
        fitted, texts = self._begin(X)
        outputs = fitted._run(texts)
        if fitted.is_multilabel_ or len(fitted.classes_) > 2:
            return outputs
        return outputs[:, 1] - outputs[:, 0]

    def predict_proba(self, X):
        """Return the probability of each class.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,), (n_samples, 1) or (n_samples, 2)
            Texts, or pairs of texts.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            Rows sum to 1, except for multilabel targets, where each label has its own
            probability.
        """
        fitted, texts = self._begin(X)
        outputs = fitted._run(texts)
        return expit(outputs) if fitted.is_multilabel_ else softmax(outputs, axis=1)

    def predict_log_proba(self, X):
        """Return the logarithm of the probability of each class.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,), (n_samples, 1) or (n_samples, 2)
            Texts, or pairs of texts.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            Finite even where a probability rounds to 0.
        """
        fitted, texts = self._begin(X)
        outputs = fitted._run(texts)
        if fitted.is_multilabel_:
            return log_expit(outputs)
        return log_softmax(outputs, axis=1)

    def predict(self, X):
        """Return the most probable class, or the labels with a probability above 0.5.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,), (n_samples, 1) or (n_samples, 2)
            Texts, or pairs of texts.

        Returns
        -------
        y : ndarray of shape (n_samples,), or indicator matrix (n_samples, n_labels)
            Labels of the type seen by `fit`; a sparse matrix if y was sparse.
        """
        fitted, texts = self._begin(X)
        outputs = fitted._run(texts)
        if not fitted.is_multilabel_:
            return fitted.classes_[outputs.argmax(axis=1)]
        labels = (outputs > 0).astype(int)
        return sparse.csr_matrix(labels) if fitted._has_sparse_y else labels

    def score(self, X, y, sample_weight=None):
        """Return the accuracy of the predictions.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,), (n_samples, 1) or (n_samples, 2)
            Texts, or pairs of texts.

        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            True labels, which are read as in `fit`.

        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each text.

        Returns
        -------
        score : float
            Fraction of correct predictions. For an indicator matrix, the fraction of
            texts with all labels correct.
        """
        read = partial(check_labels, warn=False)
        return self._score(X, y, sample_weight, read, accuracy_score)

    @property
    def _head(self) -> LinearHead:
        head = super()._head
        is_binary = len(self.classes_) == 2 and not self.is_multilabel_
        return head.of_two_outputs() if is_binary else head

    def _set_head(self, layer: nn.Linear, target: Target) -> None:
        super()._set_head(layer, target)
        merge_rows_of_two_classes(self.__dict__)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        merge_rows_of_two_classes(self.__dict__)

    def _check_y(self, inputs: Texts, y: Any) -> np.ndarray | sparse.csr_array:
        return check_labels(y, inputs, self)

    def _read_target(self, y: Any, weights: np.ndarray, fit: FitContext) -> Target:
        if fit.continues and (y.ndim == 2) != self.is_multilabel_:
            raise ValueError(
                "y must be of the same kind as in the previous fit: an indicator "
                f"matrix, or one label per text. Got y of shape {y.shape}. Fit with "
                "warm_start=False to start over."
            )
        known = fit.classes
        if fit.continues and not fit.is_partial:
            known = self.classes_
            check_same_classes(y, known)
        read = read_classes if y.ndim == 1 else read_indicators
        target = read(y, weights, known, self.class_weight, self.label_smoothing)
        self.classes_ = target.classes
        self.is_multilabel_, self._has_sparse_y = y.ndim == 2, sparse.issparse(y)
        return target

    def _describe_outputs(self) -> tuple[str, str, list[Any]]:
        kind = "multi_label" if self.is_multilabel_ else "single_label"
        labels = self.classes_.tolist()
        return "text-classification", f"{kind}_classification", labels

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
