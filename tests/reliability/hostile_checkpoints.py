"""Folders of checkpoints that were made to do harm.

Each function damages a folder, next to which "outside" has the files of another model.
Payloads would create the file "executed" next to it.
"""

import json
import os
import pickle
import shutil
import struct

import joblib
import numpy as np
import torch
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


BOMB = {"type": "Sequence", "normalizers": [replaced("a", "aaaa")] * 30}
AUTO = {"AutoModel": "evil--modeling_evil.Evil", "AutoConfig": "modeling_evil.Evil"}
KERNEL = "kernels-community/evil"

# Refused with an error.
REFUSED = {
    "a pickle as weights": pickled(WEIGHTS),
    "weights of torch.save": pickled(WEIGHTS, torch.save),
    "weights of joblib": pickled(WEIGHTS, joblib.dump),
    "only pickled weights": pickled("pytorch_model.bin", torch.save, [WEIGHTS]),
    "a pickle as config": pickled("config.json"),
    "a pickle as tokenizer": pickled("tokenizer.json"),
    "a pickle as list of modules": pickled("modules.json"),
    "a pickled module": with_pooling(
        dense(),
        lambda f: (f / "2_Dense" / WEIGHTS).unlink(),
        pickled("2_Dense/pytorch_model.bin", torch.save),
    ),
    "an unknown model with code": both(
        edit("config.json", model_type="evil", auto_map=AUTO),
        code_files("modeling_evil.py"),
    ),
    "a module that is a function": modules(("", "os.system")),
    "a module with code": both(
        modules(("", "evil.Evil")), code_files("evil.py", "__init__.py")
    ),
    "an activation that is a function": with_pooling(
        dense(activation_function="os.system")
    ),
    "an activation that is called": with_pooling(
        dense(activation_function="builtins.eval('1')")
    ),
    "a module in the parent folder": modules(("../outside", "a.Pooling")),
    "a module in the root folder": modules(("/etc", "a.Pooling")),
    "an encoder in the parent folder": modules(first="../outside"),
    "an encoder behind a link": both(
        modules(first="0_Transformer"), link("0_Transformer", "../outside")
    ),
    "an index to the parent folder": index("../outside/model.safetensors"),
    "an index to an absolute path": index("OUTSIDE/model.safetensors"),
    "linked weights": link(WEIGHTS, "../outside/model.safetensors"),
    "a linked config": link("config.json", "../outside/config.json"),
    "a linked tokenizer": link("tokenizer.json", "../outside/tokenizer.json"),
    "a linked password file": link("vocab.txt", "/etc/passwd"),
    "a linked module": with_pooling(link("1_Pooling", "../outside")),
    "a link to itself": link("config.json", "config.json"),
    "a link to a device": link("tokenizer.json", "/dev/zero"),
    "a pipe as config": pipe("config.json"),
    "a pipe as weights": pipe(WEIGHTS),
    "a header of 2**63 bytes": write(WEIGHTS, struct.pack("<Q", 2**63) + b"{}"),
    "a header of 1 TB": long_header,
    "a header that is nested deeply": raw_header(DEEP),
    "a header with NaN": raw_header('{"x": NaN}'),
    "a header that is a list": raw_header("[1]"),
    "overlapping tensors": header(overlap),
    "all tensors in one place": header(gather, bytes(4096)),
    "a tensor of a huge shape": header(lambda h: h[QUERY].update(shape=[2**40, 2**20])),
    "a tensor of a negative size": header(lambda h: h[QUERY].update(shape=[-32, -32])),
    "a tensor that ends before it starts": header(
        lambda h: h[QUERY].update(data_offsets=[4096, 0])
    ),
    "a tensor of an unknown dtype": header(lambda h: h[QUERY].update(dtype="O")),
    "a tensor whose name has control bytes": header(
        lambda h: {f"encoder.layer.9.{CONTROLS}": h.pop(QUERY), **h}
    ),
    "weights that are NaN": weights(lambda t: t[QUERY].fill(np.nan)),
    "a vocabulary of 10**12 words": edit("config.json", vocab_size=10**12),
    "10**9 layers": edit("config.json", num_hidden_layers=10**9),
    "10**9 features": edit("config.json", hidden_size=10**9),
    "a negative number of layers": edit("config.json", num_hidden_layers=-1),
    "a negative number of features": edit("config.json", hidden_size=-32),
    "no heads": edit("config.json", num_attention_heads=0),
    "an epsilon that is NaN": edit("config.json", layer_norm_eps=float("nan")),
    "a number of 100,000 digits": write(
        "config.json", '{"model_type": "bert", "vocab_size": ' + "9" * 100_000 + "}"
    ),
    "a config that is nested deeply": write("config.json", '{"a": ' + DEEP),
    "a config of 20 MB": write("config.json", '{"a": "' + "x" * 20_000_000 + '"}'),
    "a model type with control bytes": edit("config.json", model_type=CONTROLS),
    "an activation with control bytes": edit("config.json", hidden_act=CONTROLS),
    "a tokenizer that is nested deeply": write("tokenizer.json", '{"model": ' + DEEP),
    "a regular expression that backtracks": tokenizer(pre_tokenizer=split("(a+)+$")),
    "a regular expression that looks back": tokenizer(
        pre_tokenizer=split(r"(a*)*\1(?=b)")
    ),
    "a replacement that backtracks": tokenizer(
        normalizer=replaced("(a|a)*b", "", "Regex")
    ),
    "a normalizer that multiplies": tokenizer(normalizer=BOMB),
    "an unknown component": tokenizer(pre_tokenizer={"type": "Exec", "code": "1"}),
    "a damaged table of characters": tokenizer(
        normalizer={"type": "Precompiled", "precompiled_charsmap": "////"}
    ),
    "a tokenizer of an unknown model": tokenizer(model={"type": "Evil"}),
    "a vocabulary that is not a mapping": tokenizer_model(vocab=[["a", float("nan")]]),
    "an added token of a huge id": tokenizer(added_tokens=added("x", start=2**60)),
    "an added token of a negative id": tokenizer(added_tokens=added("x", start=-5)),
    "a template of 10**8 tokens": tokenizer(
        post_processor={
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}] * 10_000,
            "pair": [],
            "special_tokens": {
                "[CLS]": {"id": "[CLS]", "ids": [2] * 10_000, "tokens": ["[CLS]"]}
            },
        }
    ),
    "a negative limit": edit("sentence_bert_config.json", max_seq_length=-5),
    "prompts that are not texts": edit(
        "config_sentence_transformers.json", prompts={"query": [1, 2]}
    ),
}

# Loaded as if what does harm were absent.
IGNORED = {
    "pickles next to the weights": both(
        pickled("pytorch_model.bin", torch.save),
        pickled("training_args.bin"),
        pickled("optimizer.pt", torch.save),
    ),
    "a config with code": both(
        edit("config.json", auto_map=AUTO, trust_remote_code=True),
        code_files("modeling_evil.py", "__init__.py"),
    ),
    "a config with pipelines": both(
        edit("config.json", custom_pipelines={"x": {"impl": "evil.Evil"}}),
        code_files("evil.py"),
    ),
    "modules that shadow packages": code_files(
        "torch.py", "transformers.py", "numpy.py", "sitecustomize.py", "conftest.py"
    ),
    "a kernel for attention": edit(
        "config.json",
        _attn_implementation=KERNEL,
        _attn_implementation_internal=KERNEL,
        attn_implementation=KERNEL,
        _experts_implementation=KERNEL,
    ),
    "kernels for layers": edit(
        "config.json", use_kernels=True, kernel_config={"kernel_mapping": {"a": KERNEL}}
    ),
    "a quantization of others": edit(
        "config.json", quantization_config={"quant_method": "evil", "modules": [KERNEL]}
    ),
    "weights elsewhere": edit(
        "config.json", transformers_weights="../outside/model.safetensors"
    ),
    "an adapter of others": edit(
        "adapter_config.json", base_model_name_or_path="evil/base", peft_type="LORA"
    ),
    "the name of another model": edit(
        "config.json", _name_or_path="evil/other", architectures=["os.system"]
    ),
    "a dtype that is code": edit("config.json", torch_dtype="os.system('x')"),
    "100,000 unknown keys": edit("config.json", **{f"x{k}": k for k in range(10**5)}),
    "a tokenizer with code": both(
        edit(
            "tokenizer_config.json",
            auto_map={"AutoTokenizer": ["evil.Evil", "evil.Evil"]},
            trust_remote_code=True,
        ),
        code_files("evil.py"),
    ),
    "a tokenizer elsewhere": edit(
        "tokenizer_config.json",
        vocab_file="/etc/passwd",
        tokenizer_file="../outside/tokenizer.json",
        name_or_path="evil/other",
    ),
    "a template that is a bomb": edit(
        "tokenizer_config.json",
        chat_template="{% for a in range(10**9) %}{{ a.__class__ }}{% endfor %}",
    ),
    "a padding to 10**9 tokens": tokenizer(
        padding={
            "strategy": {"Fixed": 10**9},
            "direction": "Right",
            "pad_to_multiple_of": None,
            "pad_id": 0,
            "pad_type_id": 0,
            "pad_token": "[PAD]",
        }
    ),
    "YAML of other files": both(
        write("README.md", "---\na: &a [x]\nb: &b [*a, *a]\n---\n"),
        write("config.yaml", "!!python/object/apply:os.system ['touch executed']"),
    ),
}
# Either, but nothing else.
OTHER = {
    "an empty added token": tokenizer(added_tokens=added("")),
    "an added token that is a space": tokenizer(added_tokens=added(" ", "a")),
    "words of any length": tokenizer_model(max_input_chars_per_word=10**12),
    "a long prefix of continued words": tokenizer_model(
        continuing_subword_prefix="#" * 10**6
    ),
    "a tensor twice": raw_header('{"x": {}, "x": {}}'),
    "a limit of 10**18 tokens": edit(
        "sentence_bert_config.json", max_seq_length=10**18
    ),
    "special tokens with control bytes": edit(
        "special_tokens_map.json", cls_token=CONTROLS
    ),
    "a prompt of 1 MB": edit(
        "config_sentence_transformers.json",
        prompts={"query": "x" * 10**6},
        default_prompt_name="query",
    ),
    "a tokenizer of another class": edit(
        "tokenizer_config.json", tokenizer_class="os.system"
    ),
    "a pickle as vocabulary": pickled("vocab.txt"),
}
