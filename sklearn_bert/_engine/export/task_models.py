"""Encoders with a linear layer as the task models of transformers.

A task model of transformers has a head of its own, which for most families is a hidden
layer with an activation, and a linear layer. The hidden layer is filled so that it
passes its input on. Whether the whole model then computes what the estimator computes,
its pooling included, is not looked up but tried out.
"""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_bert._engine.checkpoints.load import Checkpoint
from sklearn_bert._engine.checkpoints.source import load
from sklearn_bert._engine.encoding.backend_choice import self_test_sequences
from sklearn_bert._engine.encoding.encode import encode_sequences
from sklearn_bert._engine.encoding.encoder import make_encoder
from sklearn_bert._engine.encoding.resolve import ResolvedEncoder
from sklearn_bert._engine.export.contents import EncoderExport, LabeledHead
from sklearn_bert._engine.runtime.quiet import quietly
from sklearn_bert._engine.text.token_sequences import TokenSequences

# Rounding is far below, another pooling or activation far above.
_TOLERANCE = 1e-4
# Multiplied by so small a number, a state is its own hyperbolic tangent: for states up
# to 20 the relative error is at most 2e-6. In half precision it is still large enough.
_SMALL = 2.0**-13
# The key of the configuration that chooses a pooling, in families that have one.
_POOLING = "classifier_pooling"
_POOLINGS = {"modernbert": {"cls": "cls"}, "eurobert": {"cls": "bos"}}
AUTO_CLASSES = {
    "text-classification": "AutoModelForSequenceClassification",
    "token-classification": "AutoModelForTokenClassification",
}
_Fill = Callable[[nn.Linear, nn.Linear, Tensor], bool]


def make_task_model(export: EncoderExport, checkpoint: Checkpoint) -> Any | None:
    """Return the task model with the outputs of an estimator, if its family has one.

    Parameters
    ----------
    export : EncoderExport
        With a head.
    checkpoint : Checkpoint
        Its encoder, which becomes a part of the task model.

    Returns
    -------
    PreTrainedModel or None
    """
    head, resolved = export.head, export.encoder
    assert head is not None
    if not _tokenizes_alike(resolved):
        return None
    whole = _shape(head, describe(checkpoint, head, resolved.pooling))
    if whole is None or (layers := _join(whole, checkpoint)) is None:
        return None
    # The weights of a fit in float64 are of this dtype.
    whole.float()
    *hidden, last = layers
    if len(hidden) > 1 or last.out_features != len(head.labels):
        return None
    sequences = _sequences(checkpoint, is_pooled=resolved.pooling is not None)
    expected = _outputs_of_estimator(export, sequences)
    coef = torch.tensor(head.coef, dtype=torch.float32)
    for fill in (_fill_directly,) if not hidden else (_pass_in_pairs, _pass_scaled):
        if not fill(hidden[0] if hidden else last, last, coef):
            continue
        _set(last, "bias", torch.tensor(head.intercept, dtype=torch.float32))
        if _agrees(_outputs(whole, sequences), expected, head.intercept):
            return whole
    return None


def _tokenizes_alike(resolved: ResolvedEncoder) -> bool:
    """Tell whether transformers makes the same tokens of a text.

    Of a sentence of words it does, unless the sentence is too long.
    """
    if resolved.pooling is None:
        return True
    return not resolved.tokenizing.prompt and (
        resolved.tokenizing.long_text == "truncate"
    )


def describe(
    checkpoint: Checkpoint, head: LabeledHead, pooling: str | None = None
) -> Any:
    """Return the configuration of a checkpoint with the names of the outputs.

    Parameters
    ----------
    checkpoint : Checkpoint
    head : LabeledHead
    pooling : str or None
        Chosen where the configuration has a choice.

    Returns
    -------
    PreTrainedConfig
    """
    model: Any = checkpoint.model
    config = copy.deepcopy(model.config)
    config.id2label = dict(enumerate(head.labels))
    config.label2id = {label: id_ for id_, label in enumerate(head.labels)}
    config.problem_type = head.problem_type
    if hasattr(config, _POOLING) and pooling is not None:
        names = _POOLINGS.get(config.model_type, {})
        setattr(config, _POOLING, names.get(pooling, pooling))
    return config


def _shape(head: LabeledHead, config: Any) -> Any | None:
    """Return the task model of a family without weights, if it has one."""
    import transformers

    kind = getattr(transformers, AUTO_CLASSES[head.task])
    try:
        with quietly(), torch.device("meta"):
            return kind.from_config(config).eval()
    except ValueError:
        return None


def _join(whole: Any, checkpoint: Checkpoint) -> list[nn.Linear] | None:
    """Put an encoder into a task model, and return the layers that still lack weights.

    None, if they are not all linear layers with a bias.
    """
    encoder: Any = checkpoint.model
    shape = getattr(whole, whole.base_model_prefix)
    if hasattr(shape, "pooler"):
        encoder.pooler = shape.pooler
    setattr(whole, whole.base_model_prefix, encoder)
    lacking = {id(x) for x in whole.parameters() if x.is_meta}
    layers = [
        module
        for module in whole.modules()
        if isinstance(module, nn.Linear) and id(module.weight) in lacking
    ]
    if any(layer.bias is None for layer in layers) or len(lacking) != 2 * len(layers):
        return None
    return layers or None


def _fill_directly(hidden: nn.Linear, last: nn.Linear, coef: Tensor) -> bool:
    if last.weight.shape != coef.shape:
        return False
    _set(last, "weight", coef)
    return True


def _pass_in_pairs(hidden: nn.Linear, last: nn.Linear, coef: Tensor) -> bool:
    """Compute each output and its negative in the hidden layer, and their difference.

    It is the output itself for activations f(z) = z g(z) with g(z) + g(-z) = 1, such as
    ReLU, GELU and SiLU.
    """
    n_outputs, n_in = coef.shape
    if 2 * n_outputs > hidden.out_features or hidden.in_features != n_in:
        return False
    weight = torch.zeros(hidden.out_features, n_in)
    weight[: 2 * n_outputs] = torch.cat([coef, -coef])
    eye = torch.eye(n_outputs)
    difference = torch.zeros(n_outputs, hidden.out_features)
    difference[:, : 2 * n_outputs] = torch.cat([eye, -eye], 1)
    _set(hidden, "weight", weight)
    _set(hidden, "bias", torch.zeros(hidden.out_features))
    _set(last, "weight", difference)
    return True


def _pass_scaled(hidden: nn.Linear, last: nn.Linear, coef: Tensor) -> bool:
    """Scale the input down so far that a hyperbolic tangent does not change it."""
    n_in = coef.shape[1]
    if hidden.weight.shape != (n_in, n_in):
        return False
    _set(hidden, "weight", _SMALL * torch.eye(n_in))
    _set(hidden, "bias", torch.zeros(n_in))
    _set(last, "weight", coef / _SMALL)
    return True


def _set(layer: nn.Linear, name: str, value: Tensor) -> None:
    setattr(layer, name, nn.Parameter(value, requires_grad=False))


def _sequences(checkpoint: Checkpoint, *, is_pooled: bool) -> TokenSequences:
    """Return sequences that are tried out, of which every other token is a word."""
    sequences = self_test_sequences(checkpoint)
    if is_pooled:
        return sequences
    places = [list(range(0, len(ids), 2)) for ids in sequences.ids]
    return replace(sequences, word_positions=places)


def _outputs_of_estimator(
    export: EncoderExport, sequences: TokenSequences
) -> np.ndarray:
    """Return the outputs as `predict` computes them: (n_rows, n_outputs)."""
    resolved, head = export.encoder, export.head
    assert head is not None
    encoder = make_encoder(load(resolved.source), torch.device("cpu"), torch.float32)
    features = encode_sequences(encoder, sequences, resolved.encoding())
    # Weights may have overflowed in training.
    with np.errstate(all="ignore"):
        outputs: np.ndarray = features @ head.coef.T + head.intercept
    return outputs


def _outputs(whole: Any, sequences: TokenSequences) -> np.ndarray:
    """Return the outputs of a task model for a padded batch: (n_rows, n_outputs)."""
    n_columns = max(map(len, sequences.ids))
    # Every token is in the vocabulary, and padding is masked.
    ids = torch.zeros((len(sequences.ids), n_columns), dtype=torch.long)
    mask, segments = torch.zeros_like(ids), torch.zeros_like(ids)
    padding = getattr(whole.config, "pad_token_id", None)
    ids += 0 if padding is None else padding
    for row, sequence in enumerate(sequences.ids):
        ids[row, : len(sequence)] = torch.tensor(sequence)
        mask[row, : len(sequence)] = 1
        if sequences.second_starts is not None:
            segments[row, sequences.second_starts[row] : len(sequence)] = 1
    inputs = {"input_ids": ids, "attention_mask": mask}
    if sequences.second_starts is not None:
        inputs["token_type_ids"] = segments
    with torch.inference_mode():
        outputs = whole(**inputs).logits
    if sequences.word_positions is not None:
        pairs = zip(outputs, sequences.word_positions, strict=True)
        outputs = torch.cat([of_text[places] for of_text, places in pairs])
    found: np.ndarray = outputs.numpy()
    return found


def _agrees(found: np.ndarray, expected: np.ndarray, intercept: np.ndarray) -> bool:
    """Tell whether outputs are equal but for rounding, of what is added to a bias."""
    if not np.isfinite(expected).all():
        return False
    scale = np.abs(expected - intercept).max(0)
    # A large bias has digits that a small product does not have.
    rounding = np.abs(intercept) * 4 * np.finfo(np.float32).eps
    return bool((np.abs(found - expected) <= _TOLERANCE * scale + rounding).all())
