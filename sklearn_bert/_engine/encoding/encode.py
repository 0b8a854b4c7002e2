"""Texts to features with a frozen encoder: the loop behind ``transform``."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from sklearn_bert._engine.encoding.batch import Batch, collate, plan_batches
from sklearn_bert._engine.encoding.encoder import Encoder
from sklearn_bert._engine.encoding.readout import Readout
from sklearn_bert._engine.runtime.memory import device_memory_error, release_memory
from sklearn_bert._engine.runtime.prefetch import prefetch
from sklearn_bert._engine.text.tokenizer import TokenSequences, text_boundaries
from sklearn_bert._engine.text.words import tokenize_words

# Texts tokenised and sorted at a time: enough to find many of equal length, few
# enough that the memory does not grow with the number of texts.
_TEXTS_PER_CHUNK = 4096
_CHARACTERS_PER_CHUNK = 4_000_000
# Tokens per batch, measured: on a CPU the activations stay in the caches.
_TOKENS_ON_CPU = 1024
_TOKENS_ON_GPU = 32768

# From the rows of a readout, (n, width), to what is kept of them.
Head = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class EncodingConfig:
    """What to do with each text.

    Attributes
    ----------
    readout : Readout
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

    readout: Readout
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
    features : ndarray of shape (n_rows, width)
        A row for each text, or for each word: the vectors of all layers, float64 from a
        float64 encoder and float32 from any other, or what a head made of them.
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
    head: Head | None = None,
) -> Encoded:
    """Turn texts, or pairs of texts, into features, in the order given.

    Parameters
    ----------
    encoder : Encoder
    first : sequence of str
    second : sequence of str or None
        The second halves of the pairs.
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
    """
    chunks = _tokenize_texts(encoder, first, second, config)
    return _encode_chunks(encoder, chunks, config, len(first), len(first), head)


def encode_words(
    encoder: Encoder,
    sentences: Sequence[Sequence[str]],
    config: EncodingConfig,
    head: Head | None = None,
) -> Encoded:
    """Turn the words of sentences into features, in the order given.

    Parameters and errors are those of :func:`encode`; no sentence is truncated.
    """

    def tokenize(rows: slice) -> TokenSequences:
        return tokenize_words(
            encoder.tokenizer, sentences[rows], max_length=config.max_length
        )

    chunks = _in_chunks(tokenize, [sum(map(len, words)) for words in sentences])
    n_words = sum(map(len, sentences))
    return _encode_chunks(encoder, chunks, config, len(sentences), n_words, head)


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
    ndarray of shape (n_rows, width)
        What the readout of ``config`` reads: a row for each text, or for each word.

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
    n_rows = n_texts
    if sequences.word_positions is not None:
        n_rows = sum(map(len, sequences.word_positions))
    return _encode_chunks(encoder, chunks, config, n_texts, n_rows).features


def _encode_chunks(
    encoder: Encoder,
    chunks: Iterable[tuple[slice, TokenSequences]],
    config: EncodingConfig,
    n_texts: int,
    n_rows: int,
    head: Head | None = None,
) -> Encoded:
    """Encode chunk by chunk; each comes with the texts that it is made of."""
    n_vectors = len(config.layers) * config.readout.n_vectors
    width = n_vectors * encoder.architecture.hidden_size
    none = np.empty((0, width), np.float64 if encoder.dtype == torch.float64 else "f4")
    kept = none if head is None else head(none)
    features = np.empty((n_rows, kept.shape[1]), dtype=kept.dtype)
    n_truncated = n_done = 0
    with tqdm(
        total=n_texts, unit="text", disable=not config.show_progress, leave=False
    ) as bar:
        for texts, sequences in chunks:
            rows = _encode_chunk(encoder, sequences, config, none.dtype)
            rows = config.readout.join_arrays(rows, sequences)
            rows = rows if head is None else head(rows)
            features[n_done : n_done + len(rows)] = rows
            n_done += len(rows)
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
    chunks = _tokenize_texts(encoder, first, second, config)
    return sum(sequences.n_truncated for _, sequences in chunks)


def _tokenize_texts(
    encoder: Encoder,
    first: Sequence[str],
    second: Sequence[str] | None,
    config: EncodingConfig,
) -> Iterator[tuple[slice, TokenSequences]]:
    def tokenize(rows: slice) -> TokenSequences:
        return encoder.tokenizer(
            first[rows],
            None if second is None else second[rows],
            max_length=config.max_length,
            long_text=config.long_text,
        )

    sizes = [len(text) for text in first]
    if second is not None:
        sizes = [a + len(text) for a, text in zip(sizes, second, strict=True)]
    return _in_chunks(tokenize, sizes)


def _in_chunks(
    tokenize: Callable[[slice], TokenSequences], sizes: list[int]
) -> Iterator[tuple[slice, TokenSequences]]:
    """Yield tokenised chunks; the next one is made while the last one is used."""
    chunks = _chunks(sizes)
    if len(chunks) == 1:
        yield chunks[0], tokenize(chunks[0])
        return
    yield from zip(chunks, prefetch(tokenize, chunks), strict=True)


def _chunks(sizes: list[int]) -> list[slice]:
    """Cut texts into slices of a bounded number of texts and of characters."""
    chunks, start, n_characters = [], 0, 0
    for row, size in enumerate(sizes):
        is_full = row - start >= _TEXTS_PER_CHUNK or (
            n_characters + size > _CHARACTERS_PER_CHUNK
        )
        if is_full and row > start:
            chunks.append(slice(start, row))
            start, n_characters = row, 0
        n_characters += size
    return [*chunks, slice(start, len(sizes))]


def _encode_chunk(
    encoder: Encoder,
    sequences: TokenSequences,
    config: EncodingConfig,
    dtype: np.dtype,
) -> np.ndarray:
    """Return the rows of the sequences, in their order: (n_rows, width)."""
    max_tokens = None
    if config.batch_size is None:
        on_cpu = encoder.device.type == "cpu"
        max_tokens = _TOKENS_ON_CPU if on_cpu else _TOKENS_ON_GPU
    order: list[int] = []
    rows: list[Tensor] = []
    plan = plan_batches(
        [len(ids) for ids in sequences.ids],
        max_tokens=max_tokens,
        max_rows=config.batch_size,
    )
    with torch.inference_mode(), encoder.autocast():
        for batch_rows in plan:
            order += batch_rows
            rows += _encode_batch(encoder, sequences, batch_rows, config)
        # One copy for all: each copy from a GPU would wait for what runs there.
        together = torch.cat(rows).to(torch.from_numpy(np.empty(0, dtype)).dtype)
    out = np.empty(tuple(together.shape), dtype=dtype)
    starts = [0, *accumulate(config.readout.count(sequences))]
    places = [place for row in order for place in range(starts[row], starts[row + 1])]
    out[places] = together.cpu().numpy()
    return out


def _encode_batch(
    encoder: Encoder,
    sequences: TokenSequences,
    rows: list[int],
    config: EncodingConfig,
) -> list[Tensor]:
    """Return what some sequences give, in parts if memory is short."""
    try:
        return [_forward(encoder, collate(sequences, rows), config)]
    except torch.OutOfMemoryError as error:
        # Only the message leaves this block: the traceback holds the tensors.
        reason = str(error).splitlines()[0]
    release_memory(encoder.device)
    if len(rows) == 1:
        raise device_memory_error(
            f"A single text of {len(sequences.ids[rows[0]])} tokens",
            encoder.device,
            reason,
            "Lower max_length",
        )
    half = len(rows) // 2
    return [
        part
        for some_rows in (rows[:half], rows[half:])
        for part in _encode_batch(encoder, sequences, some_rows, config)
    ]


def _forward(encoder: Encoder, batch: Batch, config: EncodingConfig) -> Tensor:
    """Return the rows of a batch: (n_rows, width)."""
    batch = batch.to(encoder.device)
    states = encoder.backend.hidden_states(
        batch, config.layers, only_first=config.readout.only_first
    )
    return torch.cat([config.readout.read(state, batch) for state in states], dim=1)
