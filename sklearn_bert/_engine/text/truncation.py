"""Truncation and windows of texts with too many tokens."""

from sklearn_bert._engine.text.prompt import NO_PROMPT, PromptIds

# A window shares one in this many of its tokens with the previous window.
_OVERLAP = 4

_Pieces = list[tuple[list[int], ...]]


def truncate(
    ids: tuple[list[int], ...],
    room: int,
    long_text: str,
    prompt: PromptIds = NO_PROMPT,
) -> tuple[_Pieces, bool]:
    """Shorten or split a text, or a pair, to ``room`` tokens.

    The tokens of a prompt at the beginning are in every piece.

    Returns
    -------
    pieces : list of tuple of list of int
        One piece, or several windows.
    is_cut : bool
        Whether tokens were left out.
    """
    if sum(map(len, ids)) <= room:
        return [ids], False
    if long_text == "window":
        return _windows(ids, room, prompt)
    n_prompt = len(prompt.split(ids[0])[0])
    shares = _shares(tuple(map(len, ids)), room)
    cut = [
        _shorten(part, n, n if long_text == "truncate" else n_kept + (n - n_kept) // 4)
        for part, n, n_kept in zip(ids, shares, (n_prompt, 0), strict=False)
    ]
    return [tuple(cut)], True


def _shares(lengths: tuple[int, ...], room: int) -> tuple[int, ...]:
    """Divide ``room`` so that the longer text of a pair is truncated first."""
    if len(lengths) == 1:
        return (room,)
    shorter = min(min(lengths), room // 2)
    if lengths[0] <= lengths[1]:
        return shorter, room - shorter
    return room - shorter, shorter


def _shorten(ids: list[int], n: int, n_head: int) -> list[int]:
    """Return ``n`` ids, ``n_head`` of them from the beginning."""
    if len(ids) <= n:
        return ids
    return ids[:n_head] + ids[len(ids) - n + n_head :]


def _windows(
    ids: tuple[list[int], ...], room: int, prompt: PromptIds
) -> tuple[_Pieces, bool]:
    """Split a text, or the longer text of a pair, into overlapping windows."""
    if len(ids) == 1:
        return [(window,) for window in _split(ids[0], room, prompt)], False
    shares = _shares(tuple(map(len, ids)), room)
    long = int(len(ids[1]) >= len(ids[0]))
    short_ids = ids[1 - long][: shares[1 - long]]
    size = room - len(short_ids)
    windows = _split(ids[long], size, NO_PROMPT if long else prompt)
    pieces: _Pieces = [
        (short_ids, window) if long else (window, short_ids) for window in windows
    ]
    return pieces, len(short_ids) < len(ids[1 - long])


def _split(ids: list[int], size: int, prompt: PromptIds) -> list[list[int]]:
    """Split one text into windows, each of which begins with the prompt."""
    head, rest, again = prompt.split(ids)
    spans = window_spans(len(rest), size - len(again))
    return [(again if start else head) + rest[start:stop] for start, stop in spans]


def window_spans(n_tokens: int, size: int) -> list[tuple[int, int]]:
    """Overlapping spans of ``size`` tokens; the last ends where the text ends."""
    step = max(size - size // _OVERLAP, 1)
    starts = range(0, max(n_tokens - size, 0) + step, step)
    return [(min(s, max(n_tokens - size, 0)), min(s + size, n_tokens)) for s in starts]
