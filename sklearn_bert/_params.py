"""Each parameter that estimators share, once: its constraint and its paragraph.

A class names the groups it takes::

    @document(ENCODER)
    class BertVectorizer(...):
        '''Texts to features.

        Parameters
        ----------
        %(model)s
        '''

        _parameter_constraints = {**constraints(ENCODER), "pooling": [...]}

The only file that imports scikit-learn's private parameter validation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral, Real
from os import PathLike
from textwrap import indent
from typing import Any, TypeVar

from sklearn.utils._param_validation import Interval, StrOptions, validate_params

__all__ = [
    "ENCODER",
    "Integral",
    "Interval",
    "Param",
    "Real",
    "StrOptions",
    "constraints",
    "document",
    "validate_params",
]

DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"


@dataclass(frozen=True)
class Param:
    """A parameter's constraint and its paragraph in numpydoc form."""

    constraint: list[Any]
    doc: str


ENCODER = {
    "model": Param(
        [str, PathLike],
        """\
model : str or path, default="sentence-transformers/all-MiniLM-L6-v2"
    The encoder: a folder, or a Hugging Face id. An id is looked for in the
    installed bundle, then in the Hugging Face cache, and only then on the Hub.
    Only safetensors files are read, and no code that comes with a model is run.""",
    ),
    "revision": Param(
        [str, None],
        """\
revision : str, default=None
    Branch, tag or commit on the Hub; `None` takes what is at hand, else the main
    branch. Folders have no revisions. The commit used is recorded in
    `checkpoint_`.""",
    ),
    "max_length": Param(
        [Interval(Integral, 3, None, closed="left"), None],
        """\
max_length : int, default=None
    Longest text in tokens, special tokens included. `None` takes the limit that
    the model itself declares.""",
    ),
    "long_text": Param(
        [StrOptions({"truncate", "head_tail", "window"})],
        """\
long_text : {"truncate", "head_tail", "window"}, default="truncate"
    What happens to a text of more than `max_length` tokens:

    - "truncate" keeps its beginning; of a pair, the longer text is cut first;
    - "head_tail" keeps the first quarter and the last three quarters of
      `max_length`;
    - "window" reads all of it in windows of `max_length` tokens that overlap by a
      quarter, and pools the windows. Of a pair, the longer text is cut into
      windows.""",
    ),
    "batch_size": Param(
        [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        """\
batch_size : int or "auto", default="auto"
    Texts per batch. "auto" fills each batch with the number of tokens that suits
    the device. It changes speed and memory, not the result.""",
    ),
    "device": Param(
        [str],
        """\
device : str, default="auto"
    "auto" takes a CUDA GPU, then Apple's MPS, then the CPU. Otherwise a torch
    device such as "cpu" or "cuda:1".""",
    ),
    "dtype": Param(
        [StrOptions({"auto", "float32", "float64", "bfloat16", "float16"})],
        """\
dtype : {"auto", "float32", "float64", "bfloat16", "float16"}, default="auto"
    Number format of the computation. "auto" takes bfloat16 on GPUs that multiply
    it in hardware and float32 elsewhere.""",
    ),
    "verbose": Param(
        ["verbose"],
        """\
verbose : int, default=0
    1 or more shows a progress bar.""",
    ),
}

Group = dict[str, Param]
_Class = TypeVar("_Class", bound=type)


def constraints(*groups: Group) -> dict[str, list[Any]]:
    """Return the groups' constraints in scikit-learn's form."""
    return {name: param.constraint for group in groups for name, param in group.items()}


def document(*groups: Group) -> Callable[[_Class], _Class]:
    """Replace each line ``%(name)s`` of a class's docstring by that paragraph."""
    paragraphs = {
        f"%({name})s": param.doc for group in groups for name, param in group.items()
    }

    def write(cls: _Class) -> _Class:
        lines = []
        for line in (cls.__doc__ or "").splitlines():
            text = line.lstrip()
            margin = line[: len(line) - len(text)]
            lines.append(
                indent(paragraphs[text], margin) if text in paragraphs else line
            )
        cls.__doc__ = "\n".join(lines)
        return cls

    return write
