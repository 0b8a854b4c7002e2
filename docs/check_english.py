"""Find wordings that the documentation style rules out, and print the standard ones.

``python docs/check_english.py`` checks the text of the whole repository, and with
arguments the given files. `make lint` and pre-commit run it.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("sklearn_bert", "tests", "docs", "examples", "benchmarks")
SUFFIXES = {".py", ".rst", ".md"}
GENERATED = {"_build", "generated", "auto_examples"}

# Regular expressions, regardless of case, and what to write instead.
INSTEAD = {
    r"learnt": "learned",
    r"(label|model|travel)l(ed|ing)": "American spelling",
    r"(token|optim|normal|initial|recogn|maxim|minim|summar|serial|penal)is(e|ed|es|er"
    r"|ers|ing|ation)": "American spelling",
    r"(neighbou|behaviou|colou|favou)rs?": "American spelling",
    r"go(es|ing)? on (with|from)|(went|gone) on with|onward": "continue, resume",
    r"anew": "again",
    r"number formats?": "dtype",
    r"of (the|that) moment": "current",
    r"as (it|they) comes?": "by default",
    r"beside": "next to, with, in addition to",
    r"behind the (pooling|embeddings|text|tokens?)": "after",
    r"stands? (in|for|at|before|behind|there|here|on)": "is in, means, is",
    r"(?<!there )(is|are) no (text|array|folder|file|mapping|number|finite|entit\w+"
    r"|collection|type|pairs?|lists?|such|part|characters?)": "is not a, is missing",
    r"of like (meaning|length|size)": "similar",
    r"for ever|without a word|in silence": "always, silently",
    r"end to end": "concatenated",
}


def main() -> int:
    """Print each finding, and return 1 if there is one."""
    paths = [Path(name) for name in sys.argv[1:]] or [
        *ROOT.glob("*.md"),
        *(path for name in FOLDERS for path in sorted((ROOT / name).rglob("*"))),
    ]
    n_found = 0
    for path in paths:
        # This file is where the wordings are listed.
        is_own = path.resolve() == Path(__file__).resolve()
        if is_own or path.suffix not in SUFFIXES or GENERATED & set(path.parts):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for phrase, instead in INSTEAD.items():
                for match in re.finditer(rf"\b(?:{phrase})\b", line, re.IGNORECASE):
                    print(f"{path}:{number}: {match[0]!r} (write: {instead})")
                    n_found += 1
    return min(n_found, 1)


if __name__ == "__main__":
    sys.exit(main())
