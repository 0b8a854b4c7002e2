"""Texts to features with a frozen encoder: the loop behind ``transform``."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from sklearn_bert._engine.batching import Batch, collate, plan_batches
from sklearn_bert._engine.encoders import Encoder
from sklearn_bert._engine.memory import release_memory
from sklearn_bert._engine.pooling import pool
from sklearn_bert._engine.tokenization import TokenSequences, text_boundaries
from sklearn_bert.exceptions import DeviceMemoryError

# Texts tokenised and sorted at a time: enough to find many of equal length, few
# enough that the memory does not grow with the number of texts.
_TEXTS_PER_CHUNK = 4096
_CHARACTERS_PER_CHUNK = 4_000_000
# Tokens per batch, measured: on a CPU the activations stay in the caches.
_TOKENS_ON_CPU = 1024
_TOKENS_ON_GPU = 32768


@dataclass(frozen=True)
class EncodingConfig:
    """What to do with each text.

    Attributes
    ----------
    pooling : {"cls", "mean", "max"}
    layers : tuple of int
        0 is the embeddings' output, k that of the k-th layer.
    normalize : bool
        Whether to scale each text's features to Euclidean length 1.
    max_length : int
        Tokens per sequence, special tokens included.
    long_text : {"truncate", "head_tail", "window"}
    batch_size : int or None
        Sequences per batch; None for as many tokens as suit the device.
    show_progress : bool
    """

    pooling: str
    layers: tuple[int, ...]
    normalize: bool
    max_length: int
    long_text: str
    batch_size: int | None
    show_progress: bool


@dataclass(frozen=True)
class Encoded:
    """Features and how they came about.

    Attributes
    ----------
    features : ndarray of shape (n_texts, n_layers * hidden_size)
        float64 from a float64 encoder, float32 from any other.
    n_truncated : int
        Number of texts of which some tokens were left out.
    """

    features: np.ndarray
    n_truncated: int


def encode(
    encoder: Encoder,
    first: Sequence[str],
    second: Sequence[str] | None,
    config: EncodingConfig,
) -> Encoded:
    """Turn texts, or pairs of texts, into features, in the order given.

    Parameters
    ----------
    encoder : Encoder
    first : sequence of str
    second : sequence of str or None
        The second halves of the pairs.
    config : EncodingConfig

    Returns
    -------
    Encoded

    Raises
    ------
    DeviceMemoryError
        If a batch of one text does not fit into the device's memory.
    """
    chunks = _tokenize_ahead(encoder, first, second, config)
    return _encode_chunks(encoder, chunks, len(first), config)


def encode_sequences(
    encoder: Encoder, sequences: TokenSequences, config: EncodingConfig
) -> np.ndarray:
    """Turn texts that are tokenised already into features.

    Parameters
    ----------
    encoder : Encoder
    sequences : TokenSequences
        Of n texts, each of one sequence or of several windows.
    config : EncodingConfig

    Returns
    -------
    ndarray of shape (n, width)
        As :func:`encode` gives them.

    Raises
    ------
    DeviceMemoryError
        If a batch of one text does not fit into the device's memory.
    """
    n_texts = len(text_boundaries(sequences))
    slices = (
        slice(start, min(start + _TEXTS_PER_CHUNK, n_texts))
        for start in range(0, n_texts, _TEXTS_PER_CHUNK)
    )
    chunks = ((one, sequences.take(range(one.start, one.stop))) for one in slices)
    return _encode_chunks(encoder, chunks, n_texts, config).features


def _encode_chunks(
    encoder: Encoder,
    chunks: Iterable[tuple[slice, TokenSequences]],
    n_texts: int,
    config: EncodingConfig,
) -> Encoded:
    """Encode chunk by chunk; each comes with the texts that it is made of."""
    width = len(config.layers) * encoder.architecture.hidden_size
    dtype = np.float64 if encoder.dtype == torch.float64 else np.float32
    features = np.empty((n_texts, width), dtype=dtype)
    n_truncated = 0
    with tqdm(
        total=n_texts, unit="text", disable=not config.show_progress, leave=False
    ) as bar:
        for texts, sequences in chunks:
            pooled = _encode_chunk(encoder, sequences, config, features.dtype)
            features[texts] = _join_windows(pooled, sequences, config.pooling)
            n_truncated += sequences.n_truncated
            bar.update(texts.stop - texts.start)
    if config.normalize:
        lengths = np.linalg.norm(features, axis=1, keepdims=True)
        features /= np.where(lengths == 0, 1, lengths)
    return Encoded(features, n_truncated)


def count_truncated(
    encoder: Encoder,
    first: Sequence[str],
    second: Sequence[str] | None,
    config: EncodingConfig,
) -> int:
    """Return of how many texts :func:`encode` would leave tokens out."""
    if config.long_text == "window" and second is None:
        return 0
    if config.long_text == "head_tail":
        # As many are cut as by truncation, which need not read to the end.
        config = replace(config, long_text="truncate")
    chunks = _tokenize_ahead(encoder, first, second, config)
    return sum(sequences.n_truncated for _, sequences in chunks)


def _tokenize_ahead(
    encoder: Encoder,
    first: Sequence[str],
    second: Sequence[str] | None,
    config: EncodingConfig,
) -> Iterator[tuple[slice, TokenSequences]]:
    """Yield tokenised chunks; the next one is made while the last one is used."""

    def tokenize(texts: slice) -> TokenSequences:
        return encoder.tokenizer(
            first[texts],
            None if second is None else second[texts],
            max_length=config.max_length,
            long_text=config.long_text,
        )

    chunks = _chunks(first, second)
    if len(chunks) == 1:
        yield chunks[0], tokenize(chunks[0])
        return
    with ThreadPoolExecutor(max_workers=1) as pool_of_one:
        upcoming = pool_of_one.submit(tokenize, chunks[0])
        for chunk, following in zip(chunks, [*chunks[1:], None], strict=True):
            sequences = upcoming.result()
            if following is not None:
                upcoming = pool_of_one.submit(tokenize, following)
            yield chunk, sequences


def _chunks(first: Sequence[str], second: Sequence[str] | None) -> list[slice]:
    """Cut the texts into slices of a bounded number of texts and of characters."""
    chunks, start, n_characters = [], 0, 0
    for row, text in enumerate(first):
        size = len(text) + (0 if second is None else len(second[row]))
        is_full = row - start >= _TEXTS_PER_CHUNK or (
            n_characters + size > _CHARACTERS_PER_CHUNK
        )
        if is_full and row > start:
            chunks.append(slice(start, row))
            start, n_characters = row, 0
        n_characters += size
    return [*chunks, slice(start, len(first))]


def _encode_chunk(
    encoder: Encoder,
    sequences: TokenSequences,
    config: EncodingConfig,
    dtype: np.dtype,
) -> np.ndarray:
    """Return the pooled vector of each sequence: (m, width)."""
    max_tokens = None
    if config.batch_size is None:
        on_cpu = encoder.device.type == "cpu"
        max_tokens = _TOKENS_ON_CPU if on_cpu else _TOKENS_ON_GPU
    rows: list[int] = []
    pooled: list[Tensor] = []
    plan = plan_batches(
        [len(ids) for ids in sequences.ids],
        max_tokens=max_tokens,
        max_rows=config.batch_size,
    )
    with torch.inference_mode():
        for batch_rows in plan:
            rows += batch_rows
            pooled += _encode_batch(encoder, sequences, batch_rows, config)
        # One copy for all: each copy from a GPU would wait for what runs there.
        together = torch.cat(pooled).to(torch.from_numpy(np.empty(0, dtype)).dtype)
    out = np.empty(tuple(together.shape), dtype=dtype)
    out[rows] = together.cpu().numpy()
    return out


def _encode_batch(
    encoder: Encoder,
    sequences: TokenSequences,
    rows: list[int],
    config: EncodingConfig,
) -> list[Tensor]:
    """Return the pooled vectors of some rows, in parts if memory is short."""
    try:
        return [_forward(encoder, collate(sequences, rows), config)]
    except torch.OutOfMemoryError as error:
        # Only the message leaves this block: the traceback holds the tensors.
        reason = str(error).splitlines()[0]
    release_memory(encoder.device)
    if len(rows) == 1:
        raise DeviceMemoryError(
            f"A single text of {len(sequences.ids[rows[0]])} tokens does not fit into "
            f"the memory of device {str(encoder.device)!r} ({reason}). Lower "
            "max_length, free the device's memory, or set device='cpu'."
        )
    half = len(rows) // 2
    return [
        part
        for some_rows in (rows[:half], rows[half:])
        for part in _encode_batch(encoder, sequences, some_rows, config)
    ]


def _forward(encoder: Encoder, batch: Batch, config: EncodingConfig) -> Tensor:
    """Return the pooled vectors of a batch: (n, width)."""
    batch = batch.to(encoder.device)
    only_first = config.pooling == "cls"
    states = encoder.path.hidden_states(batch, config.layers, only_first=only_first)
    if only_first:
        return torch.cat(states, dim=1)
    return torch.cat([pool(state, batch, config.pooling) for state in states], dim=1)


def _join_windows(
    pooled: np.ndarray, sequences: TokenSequences, pooling: str
) -> np.ndarray:
    """Pool the windows of each text: (m, width) to (n_texts, width)."""
    starts = text_boundaries(sequences)
    if len(starts) == len(pooled):
        return pooled
    if pooling == "max":
        return np.maximum.reduceat(pooled, starts)
    # The mean over all tokens weighs a window by its tokens; [CLS] counts once.
    weights = np.ones(len(pooled), dtype=pooled.dtype)
    if pooling == "mean":
        weights[:] = [len(ids) for ids in sequences.ids]
    totals = np.add.reduceat(pooled * weights[:, None], starts)
    return totals / np.add.reduceat(weights, starts)[:, None]
