"""The comparison of an ONNX graph with the estimator that it was made of."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sklearn_bert._engine.checkpoints.load import Checkpoint
from sklearn_bert._engine.encoding.backend_choice import self_test_sequences
from sklearn_bert._engine.encoding.encode import encode_sequences
from sklearn_bert._engine.encoding.encoder import Encoder, make_encoder
from sklearn_bert._engine.export.contents import EncoderExport
from sklearn_bert._engine.export.onnx.libraries import import_onnx
from sklearn_bert._engine.text.token_sequences import TokenSequences
from sklearn_bert.exceptions import CheckpointError

# Relative to the largest output, or to 1.
_TOLERANCE = 1e-4
# A longer sequence would take seconds, and gigabytes.
_LONGEST = 512
# Errors and worse: warnings are about nodes that are computed on another device.
_ERRORS = 3


def check_outputs(
    path: Path, checkpoint: Checkpoint, export: EncoderExport, n_prompt: int
) -> None:
    """Run a graph, and raise an error if its outputs are not those of the estimator.

    Parameters
    ----------
    path : pathlib.Path
        The ONNX file.
    checkpoint : Checkpoint
        In float32. Its module is taken over.
    export : EncoderExport
    n_prompt : int
        Number of tokens of the prompt at the beginning of each sequence.

    Raises
    ------
    CheckpointError
    """
    _, onnxruntime = import_onnx()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ERRORS
    session = onnxruntime.InferenceSession(
        str(path), options, providers=["CPUExecutionProvider"]
    )
    max_length = export.encoder.tokenizing.max_length
    padding = checkpoint.tokenizer.padding or 0
    reads_tokens = export.encoder.pooling is None
    examples = _examples(checkpoint, max_length, n_prompt)
    encoder = make_encoder(checkpoint, torch.device("cpu"), torch.float32)
    for sequences in examples:
        found = _run(session, sequences, padding, reads_tokens=reads_tokens)
        expected = _expected(encoder, sequences, export)
        size = max(1.0, float(np.abs(expected).max()))
        difference = float(np.abs(found - expected).max())
        # Not "greater", so that NaN is refused.
        if not difference <= _TOLERANCE * size:
            model: Any = checkpoint.model
            raise CheckpointError(
                "model must be an encoder whose ONNX graph gives the same outputs. Got "
                f"a {model.config.model_type!r} model, whose graph differs by "
                f"{difference:.1e} from outputs of up to {size:.1e}. Choose another "
                "encoder such as BERT, RoBERTa or MiniLM, or use save."
            )


def _examples(
    checkpoint: Checkpoint, max_length: int, n_prompt: int
) -> list[TokenSequences]:
    """Return a batch of short sequences, and a batch of one long sequence."""
    short = replace(self_test_sequences(checkpoint), n_prompt=n_prompt)
    ids = [one[:max_length] for one in short.ids]
    n_tokens = min(max_length, _LONGEST)
    long = replace(
        short,
        ids=[(ids[0] * n_tokens)[:n_tokens]],
        second_starts=short.second_starts and short.second_starts[:1],
        text_index=[0],
    )
    return [replace(short, ids=ids), long]


def _expected(
    encoder: Encoder, sequences: TokenSequences, export: EncoderExport
) -> np.ndarray:
    """Return the first output of the estimator: (n_texts or n_tokens, width)."""
    config = export.encoder.encoding(normalize=export.normalize)
    if export.encoder.pooling is None:
        every_token = [list(range(len(ids))) for ids in sequences.ids]
        sequences = replace(sequences, word_positions=every_token)
    rows = encode_sequences(encoder, sequences, config)
    if export.head is None:
        return rows
    outputs: np.ndarray = rows @ export.head.coef.T + export.head.intercept
    return outputs


def _run(
    session: Any, sequences: TokenSequences, padding: int, *, reads_tokens: bool
) -> np.ndarray:
    """Return the first output of the graph: (n_texts or n_tokens, width)."""
    lengths = np.array([len(one) for one in sequences.ids])
    places = np.arange(lengths.max())
    mask = places < lengths[:, None]
    ids = np.full(mask.shape, padding)
    ids[mask] = np.concatenate(sequences.ids)
    segments = np.zeros_like(mask)
    if sequences.second_starts is not None:
        segments = mask & (places >= np.array(sequences.second_starts)[:, None])
    inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": segments}
    names = [one.name for one in session.get_inputs()]
    outputs = session.run(None, {name: inputs[name].astype(np.int64) for name in names})
    found: np.ndarray = outputs[0]
    return found[mask] if reads_tokens else found
