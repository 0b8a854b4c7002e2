"""The token ids of a prompt, in front of those of a text."""

from dataclasses import dataclass, field
from reprlib import repr as shorten


@dataclass(frozen=True)
class PromptIds:
    """The token ids of a prompt.

    A prompt and a text are tokenized as one string, so that the tokens at the border
    may be others than those of the prompt alone.

    Attributes
    ----------
    whole : list of int
        The ids of the prompt alone.
    stripped : list of int
        Those without the spaces at its end, which some tokenizers join with the word
        after them.
    """

    whole: list[int] = field(default_factory=list)
    stripped: list[int] = field(default_factory=list)

    def split(self, ids: list[int]) -> tuple[list[int], list[int], list[int]]:
        """Split the ids of a prompt and a text.

        Returns
        -------
        head : list of int
            The ids of the prompt.
        rest : list of int
            The ids of the text, and of what it shares with the prompt.
        again : list of int
            The ids to put in front of other parts of the text.
        """
        for prompt in (self.whole, self.stripped):
            if ids[: len(prompt)] == prompt:
                return prompt, ids[len(prompt) :], prompt
        n = _count_common(self.stripped, ids)
        return ids[:n], ids[n:], self.stripped


def _count_common(first: list[int], second: list[int]) -> int:
    pairs = zip(first, second, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), len(second))


NO_PROMPT = PromptIds()


def check_room_for_text(n_prompt: int, room: int, prompt: str, max_length: int) -> None:
    """Raise an error if a prompt leaves no room for a text.

    Parameters
    ----------
    n_prompt : int
        Number of tokens of the prompt.
    room : int
        Number of tokens of a text with its prompt that are certain to be kept.
    prompt : str
    max_length : int
    """
    if n_prompt >= room:
        raise ValueError(
            f"prompt must have fewer than {max(room, 1)} tokens with "
            f"max_length={max_length}, so that there is room for each text. Got "
            f"{shorten(prompt)}, which has {n_prompt}. Shorten it, or raise max_length."
        )
