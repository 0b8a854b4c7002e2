"""Parameters to search, with distributions of their values."""

from collections.abc import Callable, Iterator
from typing import Any

from scipy.stats import loguniform
from sklearn.frozen import FrozenEstimator

from sklearn_bert._classifier import BertClassifier
from sklearn_bert._engine.checkpoints.source import architecture_of
from sklearn_bert._fine_tuning.recipe import resolve_learning_rate
from sklearn_bert._inputs.values import show
from sklearn_bert._masked_lm import BertMaskedLM
from sklearn_bert._params.encoder import VOCABULARY_SIZE
from sklearn_bert._pretraining.fit import (
    resolve_learning_rate as resolve_rate_of_pretraining,
)
from sklearn_bert._regressor import BertRegressor
from sklearn_bert._sklearn_compat import StrOptions, validate_params
from sklearn_bert._token_classifier import BertTokenClassifier
from sklearn_bert._tokenizer import BertTokenizer
from sklearn_bert._vectorizer import BertVectorizer

__all__ = ["search_space"]

_Space = dict[str, Any]
_FINE_TUNERS = (BertClassifier, BertRegressor, BertTokenClassifier)


@validate_params(
    {
        # Read below, since it may be a pipeline of anything.
        "estimator": "no_validation",
        "size": [StrOptions({"small", "large"})],
    },
    prefer_skip_nested_validation=True,
)
def search_space(estimator, size="small"):
    """Return distributions of the parameters that are worth searching.

    Parameters
    ----------
    estimator : object
        An estimator of this package, or a :class:`~sklearn.pipeline.Pipeline`,
        :class:`~sklearn.compose.ColumnTransformer` or other meta-estimator that
        contains some. Their parameters have the names that `estimator` gives them.
        The configuration of the checkpoint is read, since the learning rates and the
        layers depend on it; a model that is not on this machine is downloaded.
        `freeze` is left out if it is set, and `pooling` if it is "compare".

    size : {"small", "large"}, default="small"
        "small" has the two or three parameters that matter most, for about ten samples.
        "large" has all that may matter, for fifty or more.

    Returns
    -------
    param_distributions : dict of str to list or distribution
        For :class:`~sklearn.model_selection.RandomizedSearchCV`. Every combination of
        the values is valid. It is a new dict, which may be changed: parameters of the
        other steps can be added, and some of these removed.

    Raises
    ------
    ValueError
        If `estimator` has no parameters to search, or a parameter of it is not valid.
    CheckpointError
        If a checkpoint is not found or is damaged.

    See Also
    --------
    sklearn.model_selection.RandomizedSearchCV : Searches such a space.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_bert import BertVectorizer
    >>> from sklearn_bert.model_selection import search_space
    >>> pipeline = make_pipeline(BertVectorizer(), LogisticRegression())
    >>> for name, values in search_space(pipeline).items():
    ...     print(name, values)
    bertvectorizer__pooling ['auto', 'cls', 'mean']
    bertvectorizer__layers [-1, -2, (-4, -3, -2, -1)]
    bertvectorizer__normalize [False, True]
    """
    space = {
        f"{path}{name}": values
        for path, one in _find(estimator)
        for name, values in _space_of(one, size).items()
    }
    if not space:
        raise ValueError(
            "estimator must be or contain an estimator of sklearn_bert with parameters "
            f"to search. Got {show(estimator)}. For a BertTargetEncoder, "
            "set estimator; for a BertTokenizer, set vocab_size."
        )
    return space


def _find(estimator: Any) -> Iterator[tuple[str, Any]]:
    """Yield each estimator of this package, with the start of its parameters' names."""
    if isinstance(estimator, tuple(_SPACES)):
        yield "", estimator
    is_estimator = hasattr(estimator, "get_params") and not isinstance(estimator, type)
    # What is frozen, or is the fitted model of another estimator, is not fitted again.
    if not is_estimator or isinstance(estimator, FrozenEstimator):
        return
    has_model = isinstance(estimator, tuple(_SPACES))
    # Steps are parameters, but not of Pipeline.__init__.
    for name, value in estimator.get_params(deep=True).items():
        if "__" not in name and not (has_model and name == "model"):
            yield from ((f"{name}__{path}", one) for path, one in _find(value))


def _space_of(estimator: Any, size: str) -> _Space:
    estimator._validate_params()
    kind = next(kind for kind in _SPACES if isinstance(estimator, kind))
    small, more = _SPACES[kind](estimator)
    return {**small, **more} if size == "large" else small


def _around(rate: float) -> Any:
    return loguniform(rate / 4, rate * 4)


def _of_vectorizer(vectorizer: Any) -> tuple[_Space, _Space]:
    small: _Space = {}
    more: _Space = {"long_text": ["truncate", "head_tail", "window"]}
    # The first features of other vectors than the declared ones mean nothing.
    if vectorizer.truncate_dim is None:
        n_layers = architecture_of(vectorizer._find_source()).n_layers
        last = tuple(range(-min(4, n_layers), 0))
        if vectorizer.pooling != "compare":
            small["pooling"] = ["auto", "cls", "mean"]
            more["pooling"] = ["auto", "cls", "mean", "max", "cls+mean"]
        small["layers"] = [-1, -2, last]
        more["layers"] = [-1, -2, last[:1], last[-2:], last]
    small["normalize"] = [False, True]
    return small, more


def _of_fine_tuner(estimator: Any) -> tuple[_Space, _Space]:
    architecture = architecture_of(estimator._find_source())
    adapter = estimator.adapter
    rate = resolve_learning_rate(estimator.learning_rate, architecture, adapter)
    small = {"learning_rate": _around(rate), "n_epochs": [2, 4, 8, 16]}
    more: _Space = {
        "batch_size": [8, 16, 32, 64],
        "dropout": [0.0, 0.1, 0.2],
        "schedule": ["linear", "cosine"],
        "warmup": [0.0, 0.1, 0.2],
    }
    if adapter is not None:
        more["lora_rank"] = [4, 8, 16, 32]
    elif estimator.freeze is None:
        more["freeze"] = [None, "embeddings"]
    # Without a layer to train they change nothing.
    if estimator.freeze not in ("encoder", architecture.n_layers):
        more["layer_decay"] = [0.65, 0.8, 0.9, 1.0]
        if isinstance(estimator, BertClassifier):
            # A number is not valid for an indicator matrix.
            more["contrastive"] = ["auto", 0.0]
    if not isinstance(estimator, BertTokenClassifier) and (
        estimator.pooling != "compare"
    ):
        more["pooling"] = ["auto", "cls", "mean"]
    if isinstance(estimator, BertRegressor):
        more["loss"] = ["squared_error", "absolute_error", "huber"]
    return small, more


def _of_masked_lm(masked_lm: Any) -> tuple[_Space, _Space]:
    is_new = masked_lm.model is None
    rate = resolve_rate_of_pretraining(masked_lm.learning_rate, is_new)
    small = {"learning_rate": _around(rate), "n_epochs": [1, 2, 4]}
    more = {
        "batch_tokens": [2048, 4096, 8192],
        "mask_probability": [0.15, 0.2, 0.3, 0.4],
        "whole_word_masking": [False, True],
        "dropout": [0.0, 0.1],
    }
    return small, more


def _of_tokenizer(tokenizer: Any) -> tuple[_Space, _Space]:
    if tokenizer.vocab_size is None:
        return {}, {}
    sizes = [tokenizer.vocab_size * factor // 2 for factor in (1, 2, 4)]
    valid = [size for size in sizes if VOCABULARY_SIZE.is_satisfied_by(size)]
    return {"vocab_size": valid}, {"lowercase": [False, True]}


# What each estimator has in a small space, and in addition in a large one.
_SPACES: dict[type[Any], Callable[[Any], tuple[_Space, _Space]]] = {
    BertVectorizer: _of_vectorizer,
    **dict.fromkeys(_FINE_TUNERS, _of_fine_tuner),
    BertMaskedLM: _of_masked_lm,
    BertTokenizer: _of_tokenizer,
}
