"""Text of users in Markdown, where it must not become markup."""

import re
from collections.abc import Iterable, Sequence

# Bars are escaped by the table.
_MARKUP = re.compile(r"([\\`*_{}\[\]<>()#~!$&@:])")
# Longer ones are not read, and hide what is next to them.
_LONGEST = 100


def one_line(text: str) -> str:
    """Return a text as a short line of printable characters."""
    printable = "".join(char if char.isprintable() else " " for char in text)
    return shorten(" ".join(printable.split()))


def plain(text: str) -> str:
    """Return a text as one line that is shown as it is."""
    return _MARKUP.sub(r"\\\1", one_line(text))


def code(value: object) -> str:
    """Return the repr of a value, which is one printable line, as inline code."""
    return verbatim(repr(value))


def verbatim(text: str) -> str:
    """Return the beginning of a text, which is one printable line, as inline code."""
    text = shorten(text)
    ticks = "`"
    while ticks in text:
        ticks += "`"
    # A space on both sides keeps the ticks of the text apart, and is not shown.
    space = " " if text.strip(" `") != text else ""
    return f"{ticks}{space}{text}{space}{ticks}"


def shorten(text: str) -> str:
    """Return the beginning of a long text."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def block(*lines: str) -> str:
    """Return lines of Python, none of which begins with backticks, as a code block."""
    return "\n".join(["```python", *lines, "```"])


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of cells that are Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    # Bars divide even code.
    return "\n".join(
        "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"
        for cells in lines
    )
