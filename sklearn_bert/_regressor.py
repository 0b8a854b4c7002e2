"""Text regression with a fine-tuned encoder."""

from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score

from sklearn_bert._engine.text.inputs import Texts
from sklearn_bert._fine_tuning.context import FitContext
from sklearn_bert._fine_tuning.features import FeaturesMixin
from sklearn_bert._fine_tuning.template import BaseFineTuner
from sklearn_bert._params.fine_tuning import FINE_TUNING, REGRESSION
from sklearn_bert._params.param import constraints, document
from sklearn_bert._targets.numbers import check_numbers, read_numbers
from sklearn_bert._targets.target import Target
from sklearn_bert._warnings import warn_user
from sklearn_bert.exceptions import ConstantTargetWarning


@document(FINE_TUNING, REGRESSION)
class BertRegressor(RegressorMixin, FeaturesMixin, BaseFineTuner):
    """Predict numbers from texts by fine-tuning a pre-trained BERT-family encoder.

    A linear layer is added on top of the pooled vector of a text, and trained together
    with the encoder. There may be one or several targets. For training, targets are
    scaled to mean 0 and standard deviation 1, so that the defaults suit any units;
    predictions are in the units of y.

    The prediction for a text does not depend on the other texts of the call.

    Parameters
    ----------
    %(parameters)s

    Attributes
    ----------
    n_outputs_ : int
        Number of targets.

    coef_ : ndarray of shape (n_outputs, n_features_out)
        Weights of the linear layer, applied to the features of `transform`, in the
        units of y.

    intercept_ : ndarray of shape (n_outputs,)
        Bias of the linear layer, in the units of y.

    target_mean_ : ndarray of shape (n_outputs,)
        Weighted mean of each target, which is subtracted for training.

    target_scale_ : ndarray of shape (n_outputs,)
        Weighted standard deviation of each target, by which it is divided for
        training; 1 for a constant target.

    %(encoder_, adapter_, n_epochs_, learning_rate_, n_iter_, n_samples_seen_)s

    %(n_tokens_, n_trained_parameters_)s

    loss_curve_ : list of float
        Mean training loss of each epoch, on the scaled targets.

    %(epoch_times_)s

    %(validation_scores_, best_validation_score_, n_features_in_, feature_names_in_)s

    %(n_truncated_, truncated_share_, max_length_, pooling_, prompt_, device_)s

    %(dtype_, peak_memory_, checkpoint_)s

    See Also
    --------
    BertClassifier : Predicts classes.
    BertVectorizer : Features of a frozen encoder.

    Notes
    -----
    By default the linear layer is initialized by a ridge regression on the frozen
    features, and fine-tuning starts from there [1]_. The penalty of the ridge
    regression is the total variance of the features.

    References
    ----------
    .. [1] Kumar, Raghunathan, Jones, Ma and Liang, `Fine-Tuning can Distort Pretrained
       Features and Underperform Out-of-Distribution
       <https://openreview.net/forum?id=UYneFzXSJWh>`_, ICLR 2022.

    Examples
    --------
    >>> from sklearn_bert import BertRegressor
    >>> texts = ["a joy to watch", "utterly dull", "charming and funny", "a mess"]
    >>> stars = [5.0, 1.5, 4.5, 1.0]
    >>> regressor = BertRegressor(random_state=0).fit(texts, stars)
    >>> good, bad = regressor.predict(["delightful", "tedious"])
    >>> bool(good > bad)
    True
    """

    # Pickles name it as users do, wherever it is defined.
    __module__ = "sklearn_bert"

    _parameter_constraints = constraints(FINE_TUNING, REGRESSION)

    n_outputs_: int
    target_mean_: np.ndarray
    target_scale_: np.ndarray

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
        loss="squared_error",
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
        self.loss = loss
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

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            One or several numbers per text.

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
            Their numbers in the form of y. A single target may be a column or not.

        Returns
        -------
        self : object
            The fitted regressor.

        Raises
        ------
        InputError
            If X is not one or two columns of texts.
        ValueError
            If y, the weights or the groups do not match X, or y has values that are not
            finite numbers.
        CheckpointError
            If the checkpoint is not found or is damaged.
        DeviceError
            If the device or the dtype is not available on this machine.
        DeviceMemoryError
            If training on a single text does not fit into memory.
        NonFiniteError
            If the features that the linear probe reads are NaN or infinite.
        DivergenceError
            If a loss, a gradient or an output becomes NaN or infinite. The estimator
            can still be used, with the best weights so far, or without early stopping
            those of the last epoch that ended with finite outputs, or the initial ones.
        """
        return self._fit(X, y, sample_weight, groups=groups, X_val=X_val, y_val=y_val)

    def partial_fit(self, X, y, sample_weight=None):
        """Make one pass over more texts, with a constant learning rate.

        The first call, or the preceding `fit`, determines the scaling of the targets. A
        first call with a constant target cannot scale it, and warns. The optimizer
        state is kept between calls, which triples the size of the estimator until the
        next `fit`.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,), (n_samples, 1) or (n_samples, 2)
            Texts, or pairs of texts.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            As in `fit`.

        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each text in the loss.

        Returns
        -------
        self : object
            The regressor.
        """
        is_first = not hasattr(self, "encoder_")
        self._fit(X, y, sample_weight, is_partial=True)
        if is_first and self._is_constant.any():
            warn_user(
                f"{self._is_constant.sum()} of {self.n_outputs_} targets are constant "
                "in the first call of partial_fit, which determines their scaling, so "
                "they will not be scaled. Start over with different values in the "
                "first call.",
                ConstantTargetWarning,
            )
        return self

    def predict(self, X):
        """Predict the targets of texts.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,), (n_samples, 1) or (n_samples, 2)
            Texts, or pairs of texts.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions in the units of y, with the number of dimensions of y.
        """
        fitted, texts = self._begin(X)
        outputs = fitted._run(texts)
        return outputs[:, 0] if fitted._y_ndim == 1 else outputs

    def score(self, X, y, sample_weight=None):
        """Return the coefficient of determination, R², of the predictions.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,), (n_samples, 1) or (n_samples, 2)
            Texts, or pairs of texts.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            True numbers, which are read as in `fit`.

        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each text.

        Returns
        -------
        score : float
            The mean over the targets. 1 is best; the mean of y as a constant
            prediction gets 0.
        """
        return self._score(X, y, sample_weight, check_numbers, r2_score)

    def _check_y(self, inputs: Texts, y: Any) -> np.ndarray:
        return check_numbers(y, inputs, self)

    def _read_target(
        self, y: np.ndarray, weights: np.ndarray, fit: FitContext
    ) -> Target:
        if fit.continues and y.size != len(y) * self.n_outputs_:
            raise ValueError(
                f"y must have {self.n_outputs_} targets, as in the previous fit. Got y "
                f"of shape {y.shape}. Fit with warm_start=False to start over."
            )
        known = None
        if fit.continues and fit.is_partial:
            known = self.target_mean_, self.target_scale_
        target = read_numbers(y, weights, known, self.loss)
        self.n_outputs_, self._y_ndim = target.n_outputs, y.ndim
        self.target_mean_, self.target_scale_ = target.mean, target.scale
        self._is_constant = target.is_constant
        return target

    def _describe_outputs(self) -> tuple[str, str, list[Any]]:
        names = ["target"]
        if self.n_outputs_ > 1:
            names = [f"target{k}" for k in range(self.n_outputs_)]
        return "text-classification", "regression", names

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
