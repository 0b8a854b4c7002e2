"""The prompts that a checkpoint declares: texts to put in front of every text."""

from dataclasses import dataclass, replace
from reprlib import repr as shorten

from sklearn_bert._engine.checkpoints.files.checkpoint_files import CheckpointFiles
from sklearn_bert._engine.checkpoints.files.content import broken, read_json
from sklearn_bert._engine.checkpoints.files.names import PROMPTS

# Every model of sentence-transformers has these names.
_USUAL = {"query": "", "document": ""}
# A prompt is tokenized with every text. Instructions have hundreds of characters.
_LONGEST_PROMPT = 100_000
_MOST_SHOWN = 10


@dataclass(frozen=True)
class Prompts:
    """The prompts of a checkpoint.

    Attributes
    ----------
    named : tuple of (str, str)
        Names and texts.
    default : str
        The text of the default prompt; empty if there is none.
    """

    named: tuple[tuple[str, str], ...] = ()
    default: str = ""

    def resolve(self, prompt: str | None) -> str:
        """Return the text of a prompt: "auto", a name, the text itself, or None."""
        if prompt is None:
            return ""
        if prompt == "auto":
            return self.default
        return {**_USUAL, **dict(self.named)}.get(prompt, prompt)

    def with_default(self, text: str) -> "Prompts":
        """Return the same prompts with another default."""
        return replace(self, default=text)

    def to_json(self) -> dict[str, object]:
        """Return the prompts as in the file of sentence-transformers."""
        texts = dict(self.named)
        name = None
        if self.default:
            name = next((n for n, t in self.named if t == self.default), None)
        if self.default and name is None:
            name = "default"
            # A declared prompt may have this name.
            while name in texts:
                name += "_"
            texts[name] = self.default
        return {"prompts": texts, "default_prompt_name": name}


NO_PROMPTS = Prompts()


def read_prompts(files: CheckpointFiles) -> Prompts:
    """Read the prompts that a checkpoint declares.

    Parameters
    ----------
    files : CheckpointFiles

    Returns
    -------
    Prompts
        None, if the file belongs to another kind of model than one of texts.

    Raises
    ------
    CheckpointError
        If a prompt is not a text, or the default is not one of the prompts.
    """
    content = read_json(files, PROMPTS)
    if content.get("model_type", "SentenceTransformer") != "SentenceTransformer":
        return NO_PROMPTS
    texts = content.get("prompts")
    if texts is None:
        texts = {}
    if not isinstance(texts, dict):
        raise broken(files, f"has a {PROMPTS} whose prompts are not an object")
    for name, text in texts.items():
        if text is not None and not is_text(text):
            raise broken(
                files, f"has a {PROMPTS} whose prompt {shorten(name)} is not a text"
            )
        if text is not None and len(text) > _LONGEST_PROMPT:
            raise broken(
                files,
                f"has a {PROMPTS} whose prompt {shorten(name)} has {len(text)} "
                f"characters, and at most {_LONGEST_PROMPT} are read",
            )
    named = {name: text or "" for name, text in texts.items()}
    default = content.get("default_prompt_name")
    if default is None:
        return Prompts(tuple(named.items()))
    known = {**_USUAL, **named}
    if not isinstance(default, str) or default not in known:
        raise broken(
            files,
            f"has a {PROMPTS} whose default_prompt_name must be one of "
            f"{', '.join(map(shorten, list(known)[:_MOST_SHOWN]))}, but is "
            f"{shorten(default)}",
        )
    return Prompts(tuple(named.items()), known[default])


def is_text(value: object) -> bool:
    """Tell whether a value is a str of valid characters, without lone surrogates."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
