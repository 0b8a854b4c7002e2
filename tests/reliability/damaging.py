"""Functions that return what damages the folder of a checkpoint in one way.

Next to the folder, "outside" has the files of another model. Payloads would create the
file "executed" there.
"""

import json
import os
import pickle
import shutil
import struct

import numpy as np
from safetensors.numpy import load_file, save_file

WEIGHTS = "model.safetensors"
QUERY = "encoder.layer.1.attention.self.query.weight"
DEEP = "[" * 200_000
CONTROLS = "\x1b[2J\0\r\u202e"


class Payload:
    """An object whose unpickling runs a command."""

    def __init__(self, folder):
        self._marker = folder.parent / "executed"

    def __reduce__(self):
        return os.system, (f"touch '{self._marker}'",)


def code(folder):
    """Return Python code that leaves a trace."""
    return f"open({str(folder.parent / 'executed')!r}, 'w').close()\n"


def write_json(path, content):
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content))


def edit(name, **changes):
    """Return a function that changes keys of a JSON file."""

    def run(folder):
        path = folder / name
        content = json.loads(path.read_text()) if path.exists() else {}
        write_json(path, content | changes)

    return run


def write(name, content):
    """Return a function that writes a text, or bytes."""

    def run(folder):
        data = content.encode() if isinstance(content, str) else content
        (folder / name).write_bytes(data)

    return run


def pickled(name, dump=None, remove=()):
    """Return a function that writes a pickle under the name of another file."""

    def run(folder):
        for path in remove:
            (folder / path).unlink()
        (folder / name).parent.mkdir(exist_ok=True)
        payload = Payload(folder)
        if dump is None:
            (folder / name).write_bytes(pickle.dumps(payload))
        else:
            dump(payload, folder / name)

    return run


def link(name, target):
    """Return a function that replaces a file by a link."""

    def run(folder):
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        path.symlink_to(target)

    return run


def pipe(name):
    def run(folder):
        (folder / name).unlink(missing_ok=True)
        os.mkfifo(folder / name)

    return run


def modules(*others, first=""):
    """Return a function that lists modules after the encoder: paths and types."""
    listed = [{"path": first, "type": "sentence_transformers.models.Transformer"}]
    listed += [{"path": path, "type": kind} for path, kind in others]

    def run(folder):
        write_json(folder / "modules.json", listed)

    return run


def with_pooling(*more):
    """Return a function that declares mean pooling, and does more."""

    def run(folder):
        settings = {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True}
        write_json(folder / "1_Pooling" / "config.json", settings)
        modules(("1_Pooling", "sentence_transformers.models.Pooling"))(folder)
        for function in more:
            function(folder)

    return run


def dense(**settings):
    """Return a function that adds a Dense module with other settings."""

    def run(folder):
        known = {"in_features": 32, "out_features": 8, "bias": False}
        write_json(folder / "2_Dense" / "config.json", known | settings)
        weights = {"linear.weight": np.ones((8, 32), np.float32)}
        save_file(weights, folder / "2_Dense" / WEIGHTS)
        models = "sentence_transformers.models"
        modules(("1_Pooling", f"{models}.Pooling"), ("2_Dense", f"{models}.Dense"))(
            folder
        )

    return run


def header(change, body=None):
    """Return a function that changes the header of the weights."""

    def run(folder):
        data = (folder / WEIGHTS).read_bytes()
        length = int.from_bytes(data[:8], "little")
        content = json.loads(data[8 : 8 + length])
        first = json.dumps(change(content) or content).encode()
        rest = data[8 + length :] if body is None else body
        new = struct.pack("<Q", len(first)) + first + rest
        (folder / WEIGHTS).write_bytes(new)

    return run


def overlap(content):
    content[QUERY]["data_offsets"] = content["embeddings.LayerNorm.bias"][
        "data_offsets"
    ]


def gather(content):
    for name in {*content} - {"__metadata__"}:
        content[name]["data_offsets"] = [0, 4096]


def raw_header(text):
    return write(WEIGHTS, struct.pack("<Q", len(text)) + text.encode())


def long_header(folder):
    """Declare a header that is as long as a sparse file of 1 TB."""
    with open(folder / WEIGHTS, "r+b") as file:
        file.write(struct.pack("<Q", 2**40 - 8))
        file.truncate(2**40)


def weights(change):
    """Return a function that changes the tensors."""

    def run(folder):
        tensors = load_file(folder / WEIGHTS)
        change(tensors)
        save_file(tensors, folder / WEIGHTS)

    return run


def index(place):
    """Return a function that writes an index of weights in another place."""

    def run(folder):
        names = [*load_file(folder / WEIGHTS)]
        (folder / WEIGHTS).unlink()
        target = place.replace("OUTSIDE", str(folder.parent / "outside"))
        content = {"metadata": {}, "weight_map": dict.fromkeys(names, target)}
        write_json(folder / "model.safetensors.index.json", content)

    return run


def tokenizer(**changes):
    return edit("tokenizer.json", **changes)


def tokenizer_model(**changes):
    """Return a function that changes the model in tokenizer.json."""

    def run(folder):
        path = folder / "tokenizer.json"
        content = json.loads(path.read_text())
        content["model"] |= changes
        write_json(path, content)

    return run


def split(regex):
    pattern = {"Regex": regex}
    return {
        "type": "Split",
        "pattern": pattern,
        "behavior": "Isolated",
        "invert": False,
    }


def replaced(old, new, kind="String"):
    return {"type": "Replace", "pattern": {kind: old}, "content": new}


def added(*contents, start=5):
    flags = ("single_word", "lstrip", "rstrip", "normalized", "special")
    return [
        {"id": start + k, "content": text, **dict.fromkeys(flags, False)}
        for k, text in enumerate(contents)
    ]


def code_files(*names):
    def run(folder):
        for name in names:
            (folder / name).write_text(code(folder))

    return run


def both(*functions):
    def run(folder):
        for function in functions:
            function(folder)

    return run
