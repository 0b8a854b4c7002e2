"""Three ways to divide an output among the words of a text."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sklearn_bert._engine.attribution.model import EmbeddedModel, Sample
from sklearn_bert._engine.runtime.finite import check_finite
from sklearn_bert._engine.text.tokenizer import TextTokenizer

# Tokens of all copies of a text that are computed at a time.
_TOKENS = 4096


@dataclass(frozen=True)
class Explained:
    """The numbers that are explained: weighted sums of the outputs of some rows.

    Attributes
    ----------
    rows : ndarray of shape (n_explained,), int64
        The row of each number: 0 for texts, or a word.
    weights : ndarray of shape (n_explained, n_outputs)
        The weights of the outputs of this row.
    """

    rows: np.ndarray
    weights: np.ndarray

    def read(self, outputs: Tensor) -> Tensor:
        """Return the numbers: (n, n_rows, n_outputs) to (n, n_explained)."""
        rows = torch.as_tensor(self.rows, device=outputs.device)
        weights = torch.as_tensor(self.weights, dtype=outputs.dtype).to(outputs.device)
        return (outputs[:, rows] * weights).sum(2)


@dataclass(frozen=True)
class Attribution:
    """The contributions of the words of a text.

    Attributes
    ----------
    explained : Explained
    values : ndarray of shape (n_explained, n_words)
        NaN for words that the model does not see.
    outputs, baselines : ndarray of shape (n_explained,)
        The explained numbers for the text, and for the text whose words are replaced.
    """

    explained: Explained
    values: np.ndarray
    outputs: np.ndarray
    baselines: np.ndarray


# From the outputs of a text, (n_rows, n_outputs), to what of them is explained.
Choose = Callable[[np.ndarray], Explained]


def attribute(
    model: EmbeddedModel,
    sample: Sample,
    n_words: int,
    choose: Choose,
    method: str,
    n_steps: int,
    *,
    row: int,
) -> Attribution:
    """Divide outputs for a text among its words.

    Parameters
    ----------
    model : EmbeddedModel
    sample : Sample
    n_words : int
    choose : callable
    method : {"integrated_gradients", "gradient_x_input", "occlusion"}
    n_steps : int
        The number of points of the integral.
    row : int
        The row of X of the text, for the message of an error.

    Returns
    -------
    Attribution

    Raises
    ------
    NonFiniteError
        If an output is NaN or infinite.
    """
    text = _Text.embed(model, sample, n_words)
    with torch.no_grad():
        outputs = model(sample, torch.stack([text.real, text.blank]))
    of_text = outputs[0].cpu().numpy()
    check_finite(
        of_text,
        "Outputs of the model",
        dtype=model.encoder.dtype,
        owners=lambda: np.full(len(of_text), row),
    )
    explained = choose(of_text)
    numbers = explained.read(outputs)
    if len(text.seen) == 0:
        values = numbers.new_zeros((len(explained.rows), n_words))
    elif method == "occlusion":
        values = _occlude(model, text, explained, numbers[0])
    else:
        is_path = method == "integrated_gradients"
        path = _path(text, n_steps) if is_path else iter([text.real[None].clone()])
        gradients = _mean_gradients(model, text, path, explained)
        # Times the embeddings alone it would hardly change an output, since a norm
        # follows them that divides by their length.
        values = text.sum_by_word((gradients * (text.real - text.blank)).sum(2))
    is_seen = np.isin(np.arange(n_words), text.seen.cpu().numpy())
    shares = np.where(is_seen, values.cpu().numpy(), np.nan)
    return Attribution(explained, shares, *numbers.cpu().numpy())


@dataclass(frozen=True)
class _Text:
    """A sample as embeddings.

    Attributes
    ----------
    sample : Sample
    words : Tensor of shape (n_tokens,), int64
        The word of each token; negative for tokens of no word.
    n_words : int
    real, blank : Tensor of shape (n_tokens, size)
        The embeddings of the tokens, and those in which all words are replaced.
    """

    sample: Sample
    words: Tensor
    n_words: int
    real: Tensor
    blank: Tensor

    @classmethod
    def embed(cls, model: EmbeddedModel, sample: Sample, n_words: int) -> "_Text":
        words = torch.tensor([word for one in sample.words for word in one])
        words = words.to(model.encoder.device)
        real = model.embed([id_ for one in sample.sequences.ids for id_ in one])
        neutral = model.embed([neutral_id(model.encoder.tokenizer)])
        blank = torch.where((words >= 0)[:, None], neutral, real)
        return cls(sample, words, n_words, real, blank)

    @property
    def n_copies(self) -> int:
        """How many copies are computed at a time."""
        return max(_TOKENS // self.sample.n_tokens, 1)

    @property
    def seen(self) -> Tensor:
        """The words that have tokens, in their order."""
        return self.words[self.words >= 0].unique()

    def sum_by_word(self, values: Tensor) -> Tensor:
        """Sum over the tokens of words: (n, n_tokens) to (n, n_words)."""
        sums, is_word = values.new_zeros((len(values), self.n_words)), self.words >= 0
        return sums.index_add(1, self.words[is_word], values[:, is_word])


def neutral_id(tokenizer: TextTokenizer) -> int:
    """Return the token that words are replaced with: [MASK], or else [PAD]."""
    for id_ in (tokenizer.mask, tokenizer.padding):
        if id_ is not None:
            return id_
    return tokenizer.word_ids([""])[0][0]


def _path(text: _Text, n_steps: int) -> Iterator[Tensor]:
    """Yield the midpoints of equal parts of the line between two texts, in batches."""
    real, blank = text.real, text.blank
    places = torch.arange(n_steps, dtype=real.dtype, device=real.device) + 0.5
    for some in (places / n_steps).split(text.n_copies):
        yield torch.lerp(blank, real, some[:, None, None])


def _mean_gradients(
    model: EmbeddedModel, text: _Text, path: Iterator[Tensor], explained: Explained
) -> Tensor:
    """Return the mean gradient of each number: (n_explained, n_tokens, size)."""
    sums = text.real.new_zeros((len(explained.rows), *text.real.shape))
    n_points = 0
    for points in path:
        points.requires_grad_()
        with torch.enable_grad():
            numbers = explained.read(model(text.sample, points)).sum(0)
        for k, number in enumerate(numbers):
            is_last = k + 1 == len(numbers)
            (of_one,) = torch.autograd.grad(number, points, retain_graph=not is_last)
            sums[k] += of_one.sum(0)
        n_points += len(points)
    return sums / n_points


def _occlude(
    model: EmbeddedModel, text: _Text, explained: Explained, whole: Tensor
) -> Tensor:
    """Return by how much masking a word lowers each number: (n_explained, n_words)."""
    lost = whole.new_zeros((len(whole), text.n_words))
    for some in text.seen.split(text.n_copies):
        is_out = (text.words == some[:, None])[..., None]
        points = torch.where(is_out, text.blank, text.real)
        with torch.no_grad():
            lost[:, some] = (whole - explained.read(model(text.sample, points))).T
    return lost
