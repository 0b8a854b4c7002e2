"""The loop of ``transform``: from texts to features with a frozen encoder."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import torch
from torch import Tensor

from sklearn_bert._engine.encoding.batch import TOKENS_ON_CPU, Batch, plan_batches
from sklearn_bert._engine.encoding.encoder import Encoder
from sklearn_bert._engine.encoding.readout import Readout
from sklearn_bert._engine.runtime.device import multiply_in
from sklearn_bert._engine.runtime.finite import check_finite
from sklearn_bert._engine.runtime.gpu_turns import take_turn
from sklearn_bert._engine.runtime.memory import OutOfMemoryGuard, run_in_halves
from sklearn_bert._engine.runtime.progress import progress_bar
from sklearn_bert._engine.runtime.streams import count_streams, map_in_streams
from sklearn_bert._engine.runtime.threads import map_in_threads
from sklearn_bert._engine.text.inputs import (
    SAMPLES_PER_CHUNK,
    Inputs,
    TokenizingConfig,
    tokenize_in_chunks,
)
from sklearn_bert._engine.text.repeats import find_repeats
from sklearn_bert._engine.text.token_sequences import TokenSequences

# Tokens per batch, measured.
_TOKENS_ON_GPU = 32768

# A function of the rows of a readout, (n, width).
Head = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class EncodingConfig:
    """What to read from an encoder, and how to run it.

    Attributes
    ----------
    readout : Readout
    layers : tuple of int
        0 is the output of the embeddings, k that of the k-th layer.
    normalize : bool
        Whether to scale the features of each text to unit Euclidean norm.
    batch_size : int or None
        Sequences per batch; None chooses the number of tokens to suit the device.
    label : str or None
        Label of the progress bar; None shows none.
    """

    readout: Readout
    layers: tuple[int, ...]
    normalize: bool = False
    batch_size: int | None = None
    label: str | None = None


@dataclass(frozen=True)
class Encoded:
    """Features, and which texts are truncated.

    Attributes
    ----------
    features : ndarray of shape (n_rows, width)
        One row per text or word: the vectors of all layers, float64 for a float64
        encoder and float32 otherwise, or the output of a head.
    is_truncated : ndarray of shape (n_texts,), bool
    """

    features: np.ndarray
    is_truncated: np.ndarray

    @property
    def n_truncated(self) -> int:
        """Number of truncated texts."""
        return int(self.is_truncated.sum())


def encode(
    encoder: Encoder,
    inputs: Inputs,
    tokenizing: TokenizingConfig,
    config: EncodingConfig,
    head: Head | None = None,
) -> Encoded:
    """Turn texts, or the words of sentences, into features.

    Samples that occur several times are encoded once.

    Parameters
    ----------
    encoder : Encoder
    inputs : Inputs
    tokenizing : TokenizingConfig
    config : EncodingConfig
    head : callable or None
        Applied to the features of each chunk; None keeps them.

    Returns
    -------
    Encoded

    Raises
    ------
    DeviceMemoryError
        If a batch of one text does not fit into the device's memory.
    NonFiniteError
        If a feature, or an output of the head, is NaN or infinite.
    """
    encoded = encode_unchecked(encoder, inputs, tokenizing, config, head)
    check_finite(
        encoded.features,
        "Features of texts" if head is None else "Outputs of the model",
        dtype=encoder.dtype,
        owners=inputs.owners,
    )
    return encoded


def encode_unchecked(
    encoder: Encoder,
    inputs: Inputs,
    tokenizing: TokenizingConfig,
    config: EncodingConfig,
    head: Head | None = None,
) -> Encoded:
    """Do the same as :func:`encode`, but also return NaN and infinite features."""
    repeats = find_repeats(inputs.contents)
    distinct = inputs if repeats is None else inputs.take(repeats.distinct)
    chunks = tokenize_in_chunks(encoder.tokenizer, distinct, tokenizing)
    encoded = _encode_chunks(
        encoder, chunks, config, len(distinct), distinct.n_rows, head
    )
    if repeats is None:
        return encoded
    rows = repeats.rows(distinct.n_rows_each)
    return Encoded(encoded.features[rows], encoded.is_truncated[repeats.index])


def encode_sequences(
    encoder: Encoder, sequences: TokenSequences, config: EncodingConfig
) -> np.ndarray:
    """Turn texts that are already tokenized into features.

    Texts with the same tokens are encoded once.

    Parameters
    ----------
    encoder : Encoder
    sequences : TokenSequences
        Of n texts, each of one sequence or of several windows.
    config : EncodingConfig

    Returns
    -------
    ndarray of shape (n_rows, width)
        One row per text or word.

    Raises
    ------
    DeviceMemoryError
        If a batch of one text does not fit into the device's memory.
    """
    repeats = find_repeats(sequences.contents)
    distinct = sequences if repeats is None else sequences.take(repeats.distinct)
    n_texts, n_rows_each = distinct.n_texts, distinct.n_rows_each
    chunks = (
        distinct.take(range(start, min(start + SAMPLES_PER_CHUNK, n_texts)))
        for start in range(0, n_texts, SAMPLES_PER_CHUNK)
    )
    n_rows = int(n_rows_each.sum())
    features = _encode_chunks(encoder, chunks, config, n_texts, n_rows).features
    return features if repeats is None else features[repeats.rows(n_rows_each)]


def _encode_chunks(
    encoder: Encoder,
    chunks: Iterable[TokenSequences],
    config: EncodingConfig,
    n_texts: int,
    n_rows: int,
    head: Head | None = None,
) -> Encoded:
    """Encode chunk by chunk."""
    what, remedy = f"The encoding of {n_texts} texts", "Pass fewer texts at a time"
    guard = OutOfMemoryGuard(what, encoder.device, remedy)
    devices = [one.device for one in (encoder, *encoder.replicas)]
    with ExitStack() as turns, guard:
        # In the same order in all processes, so that none waits for another forever.
        for device in sorted(devices, key=str):
            turns.enter_context(take_turn(device))
        return _encode_all(encoder, chunks, config, n_texts, n_rows, head)


def _encode_all(
    encoder: Encoder,
    chunks: Iterable[TokenSequences],
    config: EncodingConfig,
    n_texts: int,
    n_rows: int,
    head: Head | None,
) -> Encoded:
    n_vectors = len(config.layers) * config.readout.n_vectors
    width = n_vectors * encoder.architecture.hidden_size
    none = torch.empty((0, width), dtype=_dtype_of(encoder)).numpy()
    none = _finish(encoder, none, config.readout)
    kept = none if head is None else head(none)
    features = np.empty((n_rows, kept.shape[1]), dtype=kept.dtype)
    is_truncated = np.zeros(n_texts, dtype=bool)
    n_done = n_texts_done = 0
    with progress_bar(config.label, total=n_texts, unit="text", leave=False) as bar:
        for sequences in chunks:
            rows = _encode_chunk(encoder, sequences, config)
            rows = config.readout.join_arrays(rows, sequences, len(config.layers))
            rows = _finish(encoder, rows, config.readout)
            rows = rows if head is None else head(rows)
            features[n_done : n_done + len(rows)] = rows
            n_done += len(rows)
            is_truncated[[n_texts_done + text for text in sequences.truncated]] = True
            n_texts_done += sequences.n_texts
            bar.update(sequences.n_texts)
    if config.normalize:
        scale_rows(features)
    return Encoded(features, is_truncated)


def scale_rows(features: np.ndarray) -> None:
    """Scale rows to unit Euclidean norm, in place."""
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    features /= np.where(lengths == 0, 1, lengths)
    # Divided by an infinite length, features would be zeros.
    features[np.isinf(lengths[:, 0])] = np.nan


def _finish(encoder: Encoder, rows: np.ndarray, readout: Readout) -> np.ndarray:
    """Apply the modules after the pooling, and keep the first numbers."""
    if readout.n_modules == 0:
        return rows[:, : readout.n_kept]
    with torch.inference_mode(), multiply_in(encoder.device):
        finished = encoder.finish(torch.from_numpy(rows).to(encoder.device), readout)
        return finished.cpu().numpy()


def _dtype_of(encoder: Encoder) -> torch.dtype:
    """Return the dtype of features: float64 for a float64 encoder, or float32."""
    return torch.promote_types(encoder.dtype, torch.float32)


def _encode_chunk(
    encoder: Encoder, sequences: TokenSequences, config: EncodingConfig
) -> np.ndarray:
    """Return the rows of the sequences, in their order: (n_rows, width)."""
    encoders = (encoder, *encoder.replicas)
    plan = _plan(encoder, [len(ids) for ids in sequences.ids], config)
    # Neighbors in the plan have similar sizes.
    shares = [plan[k :: len(encoders)] for k in range(len(encoders))]

    def run(pair: tuple[Encoder, list[list[int]]]) -> np.ndarray:
        return _encode_batches(*pair, sequences, config)

    pairs = [pair for pair in zip(encoders, shares, strict=True) if pair[1]]
    found = np.concatenate(map_in_threads(run, pairs))
    order = [row for share in shares for rows in share for row in rows]
    starts = [0, *accumulate(config.readout.count(sequences))]
    places = [place for row in order for place in range(starts[row], starts[row + 1])]
    out = np.empty_like(found)
    out[places] = found
    return out


def _encode_batches(
    encoder: Encoder,
    plan: list[list[int]],
    sequences: TokenSequences,
    config: EncodingConfig,
) -> np.ndarray:
    """Return the rows of some batches, one after the other: (n_rows, width)."""
    on_cpu = encoder.device.type == "cpu"

    def run(rows: list[int]) -> Tensor:
        return _forward(encoder, encoder.collate(sequences, rows), config)

    def run_batch(rows: list[int]) -> list[Tensor]:
        # Each thread has contexts of its own.
        with torch.inference_mode(), encoder.autocast():
            return run_in_halves(
                run,
                rows,
                sequences.ids,
                device=encoder.device,
                remedy="Lower max_length",
            )

    # Each thread has a current GPU, too.
    is_gpu = encoder.device.type == "cuda"
    current = torch.cuda.device(encoder.device) if is_gpu else nullcontext()
    # The weights that autocast casts are kept until the outermost context ends.
    with current, torch.inference_mode(), encoder.autocast():
        batches = map_in_streams(run_batch, plan) if on_cpu else map(run_batch, plan)
        parts = [part for batch in batches for part in batch]
        # A single copy, since each copy from a GPU synchronizes.
        return torch.cat(parts).to(_dtype_of(encoder)).cpu().numpy()


def _plan(
    encoder: Encoder, lengths: list[int], config: EncodingConfig
) -> list[list[int]]:
    """Divide the sequences into batches for all streams, or for all GPUs."""
    max_tokens = None
    if config.batch_size is None:
        n_gpus = 1 + len(encoder.replicas)
        if encoder.device.type == "cpu":
            max_tokens = _limit(lengths, TOKENS_ON_CPU, count_streams())
        elif n_gpus > 1:
            max_tokens = _limit(lengths, _TOKENS_ON_GPU, n_gpus)
        else:
            max_tokens = _TOKENS_ON_GPU
    return list(
        plan_batches(lengths, max_tokens=max_tokens, max_rows=config.batch_size)
    )


def _limit(lengths: Sequence[int], most: int, n_streams: int) -> int:
    """Return the limit of a batch, for which all streams get as many batches.

    ``most`` is the number of tokens of a batch that is fast.
    """
    n_tokens = sum(lengths)
    if n_tokens <= most:
        # Smaller batches cost more than a second stream saves.
        return most
    n_batches = n_streams * -(-n_tokens // (n_streams * most))
    # A batch may lack a text to its share. A long text is a batch of its own, and must
    # not make all others large.
    return n_tokens // n_batches + min(max(lengths), most)


def _forward(encoder: Encoder, batch: Batch, config: EncodingConfig) -> Tensor:
    """Return the rows of a batch: (n_rows, width)."""
    batch = batch.to(encoder.device)
    return torch.cat(encoder.read_rows(batch, config.layers, config.readout), dim=1)
