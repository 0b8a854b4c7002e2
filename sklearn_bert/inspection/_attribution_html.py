"""Words colored by their contributions, as HTML for light and dark pages."""

from html import escape
from typing import Any

import numpy as np

# The ends of matplotlib's RdBu, which the figures have too.
POSITIVE, NEGATIVE = (33, 102, 172), (178, 24, 43)
# So that text of the color of the page remains legible on it.
_STRONGEST = 0.5


def show_attributions(attributions: list[Any]) -> str:
    """Return a paragraph for each explained number of each text."""
    shown = [
        _paragraph(one, head, contributions, _largest(one.contributions))
        for one in attributions
        for head, contributions in _rows(one)
    ]
    legend = f"{_colored('for', 1.0)} and {_colored('against', -1.0)} the target"
    content = f"<p><small>{legend}</small></p>{''.join(shown)}"
    # Jupyter would show what is between dollar signs as a formula.
    return f'<div class="tex2jax_ignore mathjax_ignore">{content}</div>'


def name_words(attribution: Any) -> list[str]:
    """Return the words whose tags are explained, with these tags."""
    return [
        f"{attribution.words[word]} ({tag})"
        for word, tag in zip(attribution.positions, attribution.target, strict=True)
    ]


def _rows(attribution: Any) -> list[tuple[str, np.ndarray]]:
    """Return a heading and the contributions of each explained number."""
    if attribution.contributions.ndim == 1:
        return [(str(attribution.target), attribution.contributions)]
    return list(zip(name_words(attribution), attribution.contributions, strict=True))


def _largest(contributions: np.ndarray) -> float:
    sizes = np.abs(contributions[np.isfinite(contributions)])
    return float(sizes.max(initial=0.0))


def _paragraph(
    attribution: Any, head: str, contributions: np.ndarray, largest: float
) -> str:
    parts = []
    for number, (word, value) in enumerate(
        zip(attribution.words, contributions, strict=True)
    ):
        parts.append(_space_before(attribution, number))
        if np.isnan(value):
            note = "not seen by the model"
            parts.append(
                f'<span title="{note}" style="opacity:0.5">{escape(word)}</span>'
            )
        else:
            share = value / largest if largest else 0.0
            parts.append(_colored(word, share, f"{value:+.3g}"))
    return f"<p><b>{escape(head)}</b>: {''.join(parts)}</p>"


def _space_before(attribution: Any, number: int) -> str:
    """Return what separates a word from the one before it."""
    if number == 0:
        return ""
    if attribution.columns[number] != attribution.columns[number - 1]:
        return " | "
    spans = attribution.get("spans")
    is_joined = spans is not None and spans[number][0] == spans[number - 1][1]
    return "" if is_joined else " "


def _colored(word: str, share: float, title: str = "") -> str:
    red, green, blue = POSITIVE if share > 0 else NEGATIVE
    color = f"rgba({red},{green},{blue},{abs(share) * _STRONGEST:.2f})"
    style = f"background:{color};border-radius:3px;padding:0 2px"
    return f'<span title="{title}" style="{style}">{escape(word)}</span>'
