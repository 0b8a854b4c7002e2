"""Files for `load` that were made to do harm.

Each function writes to a path from the bytes of a saved estimator. Payloads would
create the file "executed" next to it.
"""

import bz2
import gzip
import json
import os
import pickle
import struct
import zlib

import joblib
import torch

from reliability.damaging import DEEP, Payload
from reliability.mutations import METADATA, seal


def pickled(wrap=lambda data: data, protocol=4):
    def run(path, whole):
        path.write_bytes(wrap(pickle.dumps(Payload(path), protocol)))

    return run


def dumped(dump):
    return lambda path, whole: dump(Payload(path), path)


def constant(data):
    return lambda path, whole: path.write_bytes(data)


def header(change):
    """Return a function that changes the header."""

    def run(path, whole):
        length = int.from_bytes(whole[:8], "little")
        content = json.loads(whole[8 : 8 + length])
        first = json.dumps(change(content) or content).encode()
        new = struct.pack("<Q", len(first)) + first + whole[8 + length :]
        path.write_bytes(new)

    return run


def estimator(change):
    """Return a function that changes the estimator, and computes checksums again."""

    def run(path, whole):
        length = int.from_bytes(whole[:8], "little")
        content = json.loads(whole[8 : 8 + length])
        text = json.loads(content[METADATA]["content"])
        change(text["estimator"])
        path.write_bytes(seal(content, text, whole[8 + length :]))

    return run


def encoder(name, change):
    """Return a function that changes a JSON text of the encoder, such as its config."""

    def run(content):
        fields = content["attributes"]["encoder_"]["record"]["fields"]
        fields[name] = json.dumps(change(json.loads(fields[name])))

    return estimator(run)


def first_tensor(**changes):
    def run(content):
        name = next(name for name in content if name != METADATA)
        content[name] |= changes

    return header(run)


def sparse(path, whole):
    with open(path, "wb") as file:
        file.truncate(2**40)


def linked(target):
    def run(path, whole):
        path.unlink(missing_ok=True)
        path.symlink_to(target)

    return run


def pipe(path, whole):
    path.unlink(missing_ok=True)
    os.mkfifo(path)


FILES = {
    "a pickle": pickled(),
    "a pickle of protocol 0": pickled(protocol=0),
    "a pickle in gzip": pickled(gzip.compress),
    "a pickle in zlib": pickled(zlib.compress),
    "a pickle in bz2": pickled(bz2.compress),
    "a file of joblib": dumped(joblib.dump),
    "a file of torch.save": dumped(torch.save),
    "a pickle as header": pickled(lambda data: struct.pack("<Q", len(data)) + data),
    "a class of another package": estimator(lambda e: e.update({"class": "os.system"})),
    "a class that is not an estimator": estimator(
        lambda e: e.update({"class": "load"})
    ),
    "a parameter that is a class": estimator(
        lambda e: e["parameters"].update(model={"estimator": {"class": "os.system"}})
    ),
    "a parameter that is an unknown object": estimator(
        lambda e: e["parameters"].update(random_state={"eval": "1"})
    ),
    "a record of another class": estimator(
        lambda e: e["attributes"].update(
            checkpoint_={"record": {"class": "builtins.eval", "fields": {}}}
        )
    ),
    "a record of a path": estimator(
        lambda e: e["attributes"].update(classes_={"path": "/etc/passwd"})
    ),
    "an attribute that is a method": estimator(
        lambda e: e["attributes"].update(predict="x")
    ),
    "an attribute that is special": estimator(
        lambda e: e["attributes"].update(__class__="x", __dict__={})
    ),
    "a parameter that is special": estimator(
        lambda e: e["parameters"].update(__init__="x")
    ),
    "an array of a huge dtype": estimator(
        lambda e: e["attributes"].update(classes_={"values": ["<U2000000000", ["x"]]})
    ),
    "values that are nested deeply": estimator(
        lambda e: e["parameters"].update(model=json.loads("[" * 900 + "]" * 900))
    ),
    "a header of 2**63 bytes": constant(struct.pack("<Q", 2**63) + b"{}"),
    "a header that is nested deeply": constant(
        struct.pack("<Q", len(DEEP)) + DEEP.encode()
    ),
    "a header with NaN": constant(struct.pack("<Q", 10) + b'{"x": NaN}'),
    "a header with a key twice": constant(
        struct.pack("<Q", 18) + b'{"x": {}, "x": {}}'
    ),
    "a number of 100,000 digits": constant(
        struct.pack("<Q", 100_008) + b'{"xx": ' + b"9" * 100_000 + b"}"
    ),
    "overlapping tensors": first_tensor(data_offsets=[0, 8]),
    "a tensor of a huge shape": first_tensor(shape=[2**40, 2**40]),
    "a tensor of a negative size": first_tensor(shape=[-4, -4]),
    "a tensor of many dimensions": first_tensor(shape=[1] * 10_000),
    "a tensor of objects": first_tensor(dtype="O"),
    "a tensor of a name with control bytes": header(
        lambda h: {"\x1b[2J\0": h.pop(next(x for x in h if x != METADATA)), **h}
    ),
    "a config of another size": encoder("config", lambda c: c | {"vocab_size": 10**9}),
    "a config of another model": encoder(
        "config", lambda c: c | {"model_type": "evil"}
    ),
    "a config with code": encoder(
        "config", lambda c: c | {"auto_map": {"AutoModel": "e"}}
    ),
    "a sparse file of 1 TB": sparse,
    "a link to a device": linked("/dev/zero"),
    "a link to a folder": linked("/etc"),
    "a link to a password file": linked("/etc/passwd"),
    "a pipe": pipe,
}
