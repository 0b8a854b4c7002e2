"""Folders of checkpoints that were made to do harm, by what happens to them."""

import struct

import joblib
import numpy as np
import torch

from reliability.damaging import (
    CONTROLS,
    DEEP,
    QUERY,
    WEIGHTS,
    added,
    both,
    code_files,
    dense,
    edit,
    gather,
    header,
    index,
    link,
    long_header,
    modules,
    overlap,
    pickled,
    pipe,
    raw_header,
    replaced,
    split,
    tokenizer,
    tokenizer_model,
    weights,
    with_pooling,
    write,
)

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
