"""Columns for tables: out-of-fold predictions of a fine-tuned encoder."""

from numbers import Integral
from typing import Any, Self

import numpy as np
from sklearn.base import TransformerMixin, clone

from sklearn_bert._base import BaseBert, warn_if_truncated
from sklearn_bert._classifier import BertClassifier
from sklearn_bert._fine_tuning.folds import draw_folds
from sklearn_bert._params.param import document
from sklearn_bert._params.random_state import draw_seed, make_generator
from sklearn_bert._regressor import BertRegressor
from sklearn_bert._sklearn_compat import HasMethods, Interval, StrOptions
from sklearn_bert._targets.checks import check_weights
from sklearn_bert._targets.groups import check_groups
from sklearn_bert._targets.labels import check_labels
from sklearn_bert._targets.numbers import check_numbers, has_decimals


def _fit_inner(
    estimator: Any, texts: list[Any], y: Any, weights: Any, groups: np.ndarray | None
) -> Any:
    """Fine-tune one of the estimators of a fit, and return it."""
    # Ctrl-C ends the whole fit, and truncated texts are reported once for all.
    estimator._is_inner = True
    # The last texts are held out whatever their groups, which the folds still respect.
    if estimator.validation_split == "last":
        groups = None
    return estimator.fit(texts, y, weights, groups)


def _is_binary(estimator: Any) -> bool:
    """Return whether one column says all: the probability of the second class."""
    return len(estimator.classes_) == 2 and not estimator.is_multilabel_


@document()
class BertTargetEncoder(TransformerMixin, BaseBert):
    """Turn texts into what a fine-tuned encoder predicts from them, for tables.

    The features are the probabilities of the classes, or the predicted numbers: few
    columns that a model of a whole table, such as
    :class:`~sklearn.ensemble.HistGradientBoostingClassifier`, reads next to the others.

    An encoder is overconfident on the texts that it was fine-tuned on, so that its
    predictions for them would reveal their targets. `fit_transform` therefore uses
    :term:`cross fitting`: the features of each training text come from an encoder that
    was fine-tuned on the other folds. `transform`, for new texts, uses one that was
    fine-tuned on all of them.

    .. note::
        `fit(X, y).transform(X)` does not equal `fit_transform(X, y)`. Use
        `fit_transform` for the training texts, as
        :class:`~sklearn.pipeline.Pipeline` and
        :class:`~sklearn.compose.ColumnTransformer` do.

    Parameters
    ----------
    estimator : BertClassifier or BertRegressor, default=None
        The estimator to fine-tune, which is cloned and never modified. `None` is a
        :class:`~sklearn_bert.BertRegressor` with its defaults if y has numbers with
        decimals, and else a :class:`~sklearn_bert.BertClassifier`. For integers that
        are quantities, pass a regressor.

    method : {"auto", "predict_proba", "decision_function"}, default="auto"
        The method whose output becomes the features if y contains classes:

        - "auto" is "predict_proba", and for numbers the prediction;
        - "predict_proba" gives probabilities, which are comparable across folds;
        - "decision_function" gives logits, which suit linear models.

    cv : int or cross-validation splitter, default=5
        Number of folds of `fit_transform`, for which as many encoders are fine-tuned,
        and one more on all texts. The folds are shuffled, stratified by class, and keep
        the `groups` of `fit_transform` together. A splitter, such as
        :class:`~sklearn.model_selection.KFold`, must hold out each text exactly once,
        train on none that it holds out, and keep groups together. :meth:`save` leaves
        splitters out, so that a loaded encoder has the default.

    random_state : int, RandomState instance or None, default=None
        Seed of the folds, and of the fits if `estimator.random_state` is `None`.

    Attributes
    ----------
    estimator_ : BertClassifier or BertRegressor
        The encoder that was fine-tuned on all texts, which `transform` uses.

    method_ : {"predict_proba", "decision_function", "predict"}
        The method of `estimator_` that gives the features.

    %(n_features_in_, feature_names_in_)s

    See Also
    --------
    BertVectorizer : Features that do not depend on y.
    sklearn.preprocessing.TargetEncoder : The same idea for categories.

    Notes
    -----
    Two classes give one column, the probability of the second. Features of hidden
    layers are not offered: the encoder of each fold has axes of its own, so that one
    column would mean something else in each fold.

    In cross-validation, all of this happens within each training set. `fit_transform`
    takes about `cv` times as long as a fit of `estimator`, plus the predictions. With
    ``BertClassifier(freeze="encoder")`` only the linear layer on top is trained, which
    takes a small part of the time.

    Ctrl-C ends the whole fit with a `KeyboardInterrupt`, and leaves the encoder as it
    was before.

    :meth:`save_pretrained` and :meth:`push_to_hub` share `estimator_`.

    References
    ----------
    Wolpert, `Stacked Generalization
    <https://doi.org/10.1016/S0893-6080(05)80023-1>`_, Neural Networks 1992.

    Examples
    --------
    >>> from sklearn_bert import BertTargetEncoder
    >>> texts = ["a joy to watch", "utterly dull", "charming and funny", "a mess"]
    >>> ratings = ["good", "bad", "good", "bad"]
    >>> encoder = BertTargetEncoder(cv=2, random_state=0)
    >>> encoder.fit_transform(texts, ratings).shape
    (4, 1)
    >>> encoder.get_feature_names_out()
    array(['berttargetencoder_good'], dtype=object)
    >>> good, bad = encoder.transform(["delightful", "tedious"])
    >>> bool(good > bad)
    True
    """

    # Pickles name it as users do, wherever it is defined.
    __module__ = "sklearn_bert"

    _parameter_constraints = {
        "estimator": [BertClassifier, BertRegressor, None],
        "method": [StrOptions({"auto", "predict_proba", "decision_function"})],
        "cv": [
            Interval(Integral, 2, None, closed="left"),
            HasMethods(["split", "get_n_splits"]),
        ],
        "random_state": ["random_state"],
    }

    estimator_: BertClassifier | BertRegressor

    def __init__(self, estimator=None, *, method="auto", cv=5, random_state=None):
        self.estimator = estimator
        self.method = method
        self.cv = cv
        self.random_state = random_state

    def fit(self, X, y, sample_weight=None, groups=None):
        """Fine-tune an encoder on all texts.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,), (n_samples, 1) or (n_samples, 2)
            Texts, or pairs of texts.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            One label or number per text, several numbers, or an indicator matrix.

        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each text in the loss. Texts of weight 0 are ignored.

        groups : array-like of shape (n_samples,), default=None
            Group of each text, for the early stopping of `estimator`. It ignores them
            if it holds out the last texts: `validation_split="last"`.

        Returns
        -------
        self : object
            The fitted transformer.

        Raises
        ------
        InputError
            If X is not one or two columns of texts.
        ValueError
            If y, the weights or the groups do not match X, y has only one class, or
            `method` does not suit y.
        """
        fitted, default, texts, y, groups = self._prepare(X, y, groups)
        start, _ = fitted._start(default)
        fitted._fit_on_all(start, texts, y, sample_weight, groups)
        self._adopt(fitted)
        return self

    def fit_transform(self, X, y, sample_weight=None, groups=None):
        """Fine-tune encoders and return out-of-fold features of the texts.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,), (n_samples, 1) or (n_samples, 2)
            Texts, or pairs of texts.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            One label or number per text, several numbers, or an indicator matrix.

        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each text in the loss. Texts of weight 0 have features, but no
            encoder learns from them.

        groups : array-like of shape (n_samples,), default=None
            Group of each text, such as its author. The features of a text come from an
            encoder that has not seen its group. Early stopping uses them as in `fit`.

        Returns
        -------
        X_out : ndarray of shape (n_samples, n_features_out)
            The features in the order of X.

        Raises
        ------
        InputError
            If X is not one or two columns of texts.
        ValueError
            If y, the weights or the groups do not match X, the training set of a fold
            has only one class or no weight, a fold trains on texts or groups that it
            holds out, or `method` or `cv` does not suit y.
        """
        fitted, default, texts, y, groups = self._prepare(X, y, groups)
        weights = check_weights(sample_weight, len(texts))
        start, seed = fitted._start(default)
        is_stratified = isinstance(start, BertClassifier) and y.ndim == 1
        folds = draw_folds(
            self.cv, y, weights, groups, seed, is_stratified=is_stratified
        )
        parts = []
        for number, (train, test) in enumerate(folds, 1):
            # Weights of 0 keep the classes, and so the columns, of all folds the same.
            of_fold = np.zeros(len(texts))
            of_fold[train] = weights[train]
            try:
                one = _fit_inner(clone(start), texts, y, of_fold, groups)
                parts.append(fitted._encode(one, [texts[row] for row in test]))
            # Any error keeps its type, and names its fold.
            except Exception as error:
                error.add_note(f"In fold {number} of {len(folds)} of cv={self.cv!r}.")
                raise
        fitted._fit_on_all(start, texts, y, sample_weight, groups)
        self._adopt(fitted)
        place = np.argsort(np.concatenate([test for _, test in folds]))
        return np.concatenate(parts)[place]

    def transform(self, X):
        """Return features of new texts, from the encoder that has seen all texts.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,), (n_samples, 1) or (n_samples, 2)
            Texts, or pairs of texts.

        Returns
        -------
        X_out : ndarray of shape (n_samples, n_features_out)
            The features in the order of X.
        """
        fitted, texts = self._begin(X)
        return fitted._encode(fitted.estimator_, texts.to_list())

    def get_feature_names_out(self, input_features=None):
        """Return the names of the features.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Not used, but checked against `feature_names_in_` if that is defined.

        Returns
        -------
        feature_names_out : ndarray of str objects
            "berttargetencoder_" and the class, of two classes the second one, or the
            column index of a label. For numbers "berttargetencoder0" and so on.
        """
        fitted = self._snapshot()
        fitted._check_input_features(input_features)
        prefix, inner = type(self).__name__.lower(), fitted.estimator_
        if isinstance(inner, BertRegressor):
            names = [f"{prefix}{k}" for k in range(inner.n_outputs_)]
        else:
            labels = inner.classes_.tolist()
            if _is_binary(inner):
                labels = labels[1:]
            names = [f"{prefix}_{label}" for label in labels]
        return np.array(names, dtype=object)

    def _prepare(
        self, X: Any, y: Any, groups: Any
    ) -> tuple[Self, Any, list[Any], Any, Any]:
        """Return a copy to fit, the default estimator, and the validated data."""
        fitted = self._copy()
        fitted._validate_params()
        texts = fitted._read(X)
        groups = check_groups(groups, len(texts))
        is_numbers = isinstance(self.estimator, BertRegressor) or (
            self.estimator is None and has_decimals(y)
        )
        y = (check_numbers if is_numbers else check_labels)(y, texts, self)
        fitted._choose_method(is_numbers)
        fitted._remember_columns(X, texts.n_columns)
        default = BertRegressor() if is_numbers else BertClassifier()
        return fitted, default, texts.to_list(), y, groups

    def _choose_method(self, is_numbers: bool) -> str:
        """Return the method that gives the columns, by the current parameter."""
        if not is_numbers:
            return "predict_proba" if self.method == "auto" else self.method
        if self.method != "auto":
            raise ValueError(
                "method must be 'auto' for numbers, which have predictions only. Got "
                f"method={self.method!r}. Leave method at its default, or pass "
                "estimator=BertClassifier() if the numbers are classes."
            )
        return "predict"

    def _start(self, default: Any) -> tuple[Any, int]:
        """Return an estimator to fine-tune, and the seed of the folds."""
        generator = make_generator(self.random_state)
        seed = draw_seed(generator)
        estimator = default if self.estimator is None else clone(self.estimator)
        if estimator.random_state is None:
            estimator.set_params(random_state=draw_seed(generator))
        return estimator, seed

    def _fit_on_all(
        self, start: Any, texts: list[Any], y: Any, weights: Any, groups: Any
    ) -> None:
        """Fine-tune `estimator_`, and warn about truncated texts."""
        self.estimator_ = _fit_inner(start, texts, y, weights, groups)
        del self.estimator_._is_inner
        encoder = self.estimator_
        warn_if_truncated(encoder.n_truncated_, len(texts), encoder._tokenizing)

    def _encode(self, estimator: Any, texts: list[Any]) -> np.ndarray:
        """Return the columns of texts: (n_texts, n_features_out)."""
        method = self._choose_method(isinstance(estimator, BertRegressor))
        outputs = getattr(estimator, method)(texts)
        if method == "predict_proba" and _is_binary(estimator):
            outputs = outputs[:, 1:]
        return outputs.reshape(len(texts), -1)

    @property
    def method_(self) -> str:
        """The method of the fitted estimator that gives the features."""
        return self._choose_method(isinstance(self.estimator_, BertRegressor))

    def _shared_model(self) -> BaseBert:
        return self.estimator_._snapshot()

    @property
    def missing(self) -> str:
        """How missing values are read, which is a parameter of the estimator."""
        return getattr(self.estimator, "missing", "error")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        tags.transformer_tags.preserves_dtype = []
        return tags
