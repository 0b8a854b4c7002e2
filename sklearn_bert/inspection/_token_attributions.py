"""How much each word of a text contributes to what is predicted for it."""

from functools import partial
from numbers import Integral
from typing import Any

import numpy as np
import torch
from sklearn.utils import Bunch

from sklearn_bert._base import warn_if_truncated
from sklearn_bert._classifier import BertClassifier
from sklearn_bert._engine.attribution.methods import Attribution, attribute
from sklearn_bert._engine.attribution.model import EmbeddedModel
from sklearn_bert._engine.checkpoints.source import load
from sklearn_bert._engine.runtime.device import multiply_in, resolve_device
from sklearn_bert._engine.runtime.gpu_turns import take_turn
from sklearn_bert._engine.runtime.memory import OutOfMemoryGuard
from sklearn_bert._engine.text.placing import PlacingTokenizer
from sklearn_bert._regressor import BertRegressor
from sklearn_bert._sklearn_compat import Interval, StrOptions, validate_params
from sklearn_bert._token_classifier import BertTokenClassifier
from sklearn_bert.inspection._explained import Target, read_target
from sklearn_bert.inspection._words import Words, read_words

METHODS = ("integrated_gradients", "gradient_x_input", "occlusion")
_ESTIMATORS = (BertClassifier, BertRegressor, BertTokenClassifier)


@validate_params(
    {
        # Read below, since scikit-learn's errors would quote them.
        "estimator": "no_validation",
        "X": "no_validation",
        "target": "no_validation",
        "method": [StrOptions(set(METHODS))],
        "n_steps": [Interval(Integral, 1, None, closed="left")],
        "position": [Interval(Integral, 0, None, closed="left"), None],
    },
    prefer_skip_nested_validation=True,
)
def token_attributions(
    estimator,
    X,
    target=None,
    method="integrated_gradients",
    *,
    n_steps=32,
    position=None,
):
    """Return how much each word contributes to a prediction.

    The score of a class, as in `decision_function`, or a predicted number is divided
    among the words of the text. A positive value speaks for the target, a negative one
    against it. Words are what white space separates, with their punctuation; in scripts
    without spaces they are tokens. Sentences of a tagger keep their words.

    Parameters
    ----------
    estimator : BertClassifier, BertRegressor or BertTokenClassifier
        A fitted estimator, which is not changed.

    X : array-like
        Texts, pairs of texts, or sentences, as for `predict`. Each is explained on its
        own.

    target : object, default=None
        What is explained.

        - Of a classifier, one of `classes_` (of multilabel targets, the position of a
          label), or an array-like of one for each text. `None` takes the class with
          the highest score for each text. With two classes, the score is the log-odds
          of the target.
        - Of a regressor, the position of one of its targets. `None` if it has only one.
        - Of a tagger, one of `classes_`. `None` takes the tag that is predicted for
          each word.

    method : str, default="integrated_gradients"
        Words are compared with the mask token [MASK], or with [PAD] if the model has
        none.

        - "integrated_gradients" integrates the gradient from a text of mask tokens to
          the text [1]_. The contributions sum to the difference of their outputs.
        - "gradient_x_input" multiplies the gradient at the text by the difference of
          its embeddings and those of mask tokens. It takes the time of two predictions,
          but says little about a prediction that is certain.
        - "occlusion" replaces each word alone by mask tokens, and takes the difference
          that this makes. It takes the time of one prediction for each word.

    n_steps : int, default=32
        Number of gradients of "integrated_gradients". The time is proportional to it.

    position : int, default=None
        Of a tagger, the position of the only word in each sentence whose tag is
        explained. `None` explains the tags of all words, each of which takes the time
        of a text.

    Returns
    -------
    attributions : list of :class:`~sklearn.utils.Bunch`
        One for each text, pair or sentence, with the following attributes.

        words : list of str
            The words, of a pair those of both texts.
        contributions : ndarray of shape (n_words,)
            One for each word, NaN for words beyond `max_length`, which the model does
            not see. Of a tagger, (n_explained, n_words), with a row for each tag.
        target : object
            What is explained: a class, the position of a target, or an array of tags.
        output : float or ndarray of shape (n_explained,)
            The explained output for the text.
        baseline_output : float or ndarray of shape (n_explained,)
            The same for the text with all its words replaced.
        error : float or ndarray of shape (n_explained,)
            The sum of the contributions minus the difference of the two outputs.
        columns : ndarray of shape (n_words,)
            The column of X of each word: 0, or 1 in the second texts of pairs.
        spans : ndarray of shape (n_words, 2)
            Start and stop of each word in its text. Not of a tagger.
        positions : ndarray of shape (n_explained,)
            Of a tagger, the words whose tags are explained.

    Raises
    ------
    NotFittedError
        If `estimator` is not fitted.
    InputError
        If X is not as for `predict`.
    ValueError
        If `target` is not one of those of `estimator`.
    CheckpointError
        If the model does not read its tokens from a table of embeddings alone.

    See Also
    --------
    TokenAttributionDisplay : Shows the contributions.
    sklearn.inspection.permutation_importance : For the columns of a table.

    Notes
    -----
    Weights and products have the dtype float64 if that is the `dtype` of the estimator,
    and float32 otherwise, so that outputs may differ from those of `decision_function`
    in bfloat16 by rounding. Special tokens and prompts are kept, and contribute
    nothing.

    References
    ----------
    .. [1] Sundararajan, Taly and Yan, `Axiomatic Attribution for Deep Networks
       <https://proceedings.mlr.press/v70/sundararajan17a.html>`_, ICML 2017.

    Examples
    --------
    >>> from sklearn_bert import BertClassifier
    >>> from sklearn_bert.inspection import token_attributions
    >>> texts = ["a joy to watch", "utterly dull", "charming and funny", "a mess"]
    >>> labels = ["good", "bad", "good", "bad"]
    >>> classifier = BertClassifier(n_epochs=10, random_state=0).fit(texts, labels)
    >>> (one,) = token_attributions(classifier, ["a dull story"])
    >>> print(one.target, one.words[one.contributions.argmax()])
    bad dull
    """
    if not isinstance(estimator, _ESTIMATORS):
        raise ValueError(
            "estimator must be a BertClassifier, BertRegressor or BertTokenClassifier. "
            f"Got a {type(estimator).__name__}. Of a pipeline, pass the last step. "
            "For others, leave out one word at a time and compare the predictions."
        )
    fitted, inputs = estimator._begin(X)
    goal = read_target(fitted, target, position, len(inputs))
    device = resolve_device(fitted.device)
    guard = OutOfMemoryGuard("The gradient of a text", device, "Lower max_length")
    found, n_truncated = [], 0
    # The caller may have disabled gradients, or be in an autocast context.
    with take_turn(device), guard, torch.inference_mode(False), multiply_in(device):
        model = _make_model(fitted, device)
        tokenizer = PlacingTokenizer(model.encoder.tokenizer)
        for row in range(len(inputs)):
            words = read_words(inputs.take([row]), tokenizer, fitted._tokenizing)
            attribution = attribute(
                model,
                words.sample,
                len(words.words),
                partial(goal.choose, row),
                method,
                n_steps,
                row=row,
            )
            found.append(_describe(words, attribution, goal))
            n_truncated += words.is_truncated
    warn_if_truncated(n_truncated, len(inputs), fitted._tokenizing)
    return found


def _make_model(fitted: Any, device: torch.device) -> EmbeddedModel:
    dtype = torch.float64 if fitted.dtype == "float64" else torch.float32
    checkpoint = load(fitted.encoder_)
    return EmbeddedModel(checkpoint, fitted._readout, fitted._head, device, dtype)


def _describe(words: Words, attribution: Attribution, goal: Target) -> Bunch:
    """Return what a user gets."""
    values, outputs = attribution.values, attribution.outputs
    error = np.nansum(values, axis=1) - (outputs - attribution.baselines)
    described = {
        # A Bunch is a dict, which has a method of the name values.
        "contributions": values,
        "target": goal.name(attribution.explained),
        "output": outputs,
        "baseline_output": attribution.baselines,
        "error": error,
    }
    if words.spans is None:
        return Bunch(
            words=words.words,
            **described,
            columns=words.columns,
            positions=attribution.explained.rows,
        )
    of_text = {name: value[0] for name, value in described.items()}
    return Bunch(words=words.words, **of_text, columns=words.columns, spans=words.spans)
