"""Random damage of bytes, of JSON, and of the container of a saved estimator."""

import hashlib
import json
from copy import deepcopy

METADATA = "__metadata__"


def flip(data, random):
    data[random.randint(len(data))] ^= 1 << random.randint(8)


def flip_in_header(data, random):
    length = int.from_bytes(data[:8], "little")
    data[random.randint(min(8 + length, len(data)))] ^= 1 << random.randint(8)


def truncate(data, random):
    del data[random.randint(len(data)) :]


def clear(data, random):
    start = random.randint(len(data))
    stop = start + random.randint(1, 4096)
    data[start:stop] = bytes(len(data[start:stop]))


def insert(data, random):
    place = random.randint(len(data))
    data[place:place] = random.bytes(random.randint(1, 64))


def swap(data, random):
    size = random.randint(1, min(4096, len(data)))
    first, second = random.randint(len(data) - size, size=2)
    parts = data[first : first + size], data[second : second + size]
    data[first : first + size], data[second : second + size] = parts[1], parts[0]


def repeat(data, random):
    """Write a part of the file twice, such as a key of its header."""
    start = random.randint(len(data))
    part = data[start : start + random.randint(1, 256)]
    data[start:start] = part


BYTES = (flip, flip_in_header, truncate, clear, insert, swap, repeat)

VALUES = (
    None,
    True,
    0,
    -1,
    3,
    2**70,
    1.5,
    -0.0,
    "",
    "x",
    "\0\x1b[2J",
    "../../etc/passwd",
    "mean",
    [],
    [[[]]],
    {},
    {"path": "/etc/passwd"},
    {"tuple": [1, 2]},
    {"float": "nan"},
    {"float": "inf"},
    {"dict": [[1, 2], [1, 3]]},
    {"scalar": ["<f4", 1.0]},
    {"values": ["<U1000000000", ["x"]]},
    {"array": ["<f4", "coef_"]},
    {"estimator": {"class": "os.system"}},
    {"record": {"class": "PackedCheckpoint", "fields": {}}},
    [0] * 1000,
    "[" * 100_000,
)


def change_json(content, random):
    """Replace, remove or exchange a part of nested lists and objects."""
    places = list(_places(content))
    holder, key = places[random.randint(len(places))]
    kind = random.randint(4)
    if kind == 0:
        del holder[key]
    elif kind == 1:
        other, other_key = places[random.randint(len(places))]
        # Copies, since one may be in the other.
        one, two = deepcopy(holder[key]), deepcopy(other[other_key])
        holder[key], other[other_key] = two, one
    else:
        holder[key] = VALUES[random.randint(len(VALUES))]


def _places(content):
    """Yield each list or object and each of its keys."""
    waiting = [content]
    while waiting:
        holder = waiting.pop()
        keys = range(len(holder)) if isinstance(holder, list) else [*holder]
        for key in keys:
            yield holder, key
            if isinstance(holder[key], list | dict):
                waiting.append(holder[key])


def forge(data, random):
    """Change the content of a saved estimator, and compute its checksums again."""
    length = int.from_bytes(data[:8], "little")
    header, body = json.loads(data[8 : 8 + length]), bytearray(data[8 + length :])
    content = json.loads(header[METADATA]["content"])
    kind = random.randint(4)
    if kind == 0 and body:
        _change_tensors(header, random)
    elif kind == 1 and body:
        flip(body, random)
    else:
        change_json(content["estimator"], random)
    data[:] = seal(header, content, body)


def seal(header, content, body):
    """Return a saved estimator whose checksums are those of its content.

    Parameters
    ----------
    header, content : dict
        Of the file, and of the JSON text in its metadata. Both are changed.
    body : bytes
        The tensors.
    """
    for name, entry in header.items():
        if name != METADATA:
            start, stop = entry["data_offsets"]
            digest = hashlib.sha256(body[start:stop]).hexdigest()
            described = {"dtype": entry["dtype"], "shape": entry["shape"]}
            content["tensors"][name] = described | {"sha256": digest}
    text = json.dumps(content)
    digest = hashlib.sha256(text.encode()).hexdigest()
    header[METADATA] |= {"content": text, "sha256": digest}
    first = json.dumps(header).encode()
    return len(first).to_bytes(8, "little") + first + body


def _change_tensors(header, random):
    """Exchange two tensors, or change a dtype or a shape."""
    names = sorted({*header} - {METADATA})
    one, other = (names[k] for k in random.randint(len(names), size=2))
    kind = random.randint(3)
    if kind == 0:
        header[one], header[other] = header[other], header[one]
    elif kind == 1:
        widths = {"F32": "I32", "F64": "I64", "I64": "F64", "U8": "BOOL", "U32": "F32"}
        dtype = header[one]["dtype"]
        header[one]["dtype"] = widths.get(dtype, dtype)
    else:
        header[one]["shape"] = header[one]["shape"][::-1] or [1]
