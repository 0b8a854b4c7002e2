"""Tiny random checkpoints of every family, of its own configuration and tokenizer."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, pre_tokenizers
from tokenizers.models import BPE, Unigram
from tokenizers.trainers import BpeTrainer, UnigramTrainer

N_LAYERS = 3
SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": N_LAYERS,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 130,
    # Large weights, so that attention to a wrong token shows.
    "initializer_range": 0.3,
}
BERT = {"pad_token_id": 0}
ROBERTA = {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
NO_SEGMENTS = {"type_vocab_size": 1}
# With the large weights above, gated layers amplify rounding in float32 to 2e-5.
GATED = {"initializer_range": 0.1}
DEBERTA = {
    "pad_token_id": 0,
    "relative_attention": True,
    "pos_att_type": ["p2c", "c2p"],
    "type_vocab_size": 0,
}
BERT_CONTROLS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ROBERTA_CONTROLS = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
MPNET_CONTROLS = ["<s>", "<pad>", "</s>", "[UNK]", "<mask>"]
ALBERT_CONTROLS = ["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"]

# By name: model type, what its configuration needs in addition to the sizes, and the
# function and the control tokens of which its tokenizer is made.
FAMILIES = {
    "BERT": ("bert", BERT, "bert", BERT_CONTROLS),
    "multilingual BERT": ("bert", BERT, "cased", BERT_CONTROLS),
    "RoBERTa": ("roberta", {**ROBERTA, **NO_SEGMENTS}, "roberta", ROBERTA_CONTROLS),
    "XLM-RoBERTa": (
        "xlm-roberta",
        {**ROBERTA, **NO_SEGMENTS},
        "xlm-roberta",
        ROBERTA_CONTROLS,
    ),
    "CamemBERT": (
        "camembert",
        {**ROBERTA, **NO_SEGMENTS},
        "camembert",
        ROBERTA_CONTROLS,
    ),
    "DistilBERT": (
        "distilbert",
        {**BERT, "dim": 32, "n_layers": N_LAYERS, "n_heads": 4, "hidden_dim": 48},
        "distilbert",
        BERT_CONTROLS,
    ),
    "ALBERT": ("albert", {**BERT, "embedding_size": 16}, "albert", ALBERT_CONTROLS),
    "ELECTRA": ("electra", {**BERT, "embedding_size": 16}, "bert", BERT_CONTROLS),
    "MPNet": ("mpnet", ROBERTA, "mpnet", MPNET_CONTROLS),
    "DeBERTa": ("deberta", DEBERTA, "deberta", BERT_CONTROLS),
    # Positions as in published models, and the convolution of the largest ones.
    "DeBERTa-v2/v3": (
        "deberta-v2",
        {
            **DEBERTA,
            "position_biased_input": False,
            "norm_rel_ebd": "layer_norm",
            "position_buckets": 16,
            "share_att_key": True,
            "conv_kernel_size": 3,
            "conv_act": "gelu",
        },
        "deberta-v2",
        BERT_CONTROLS,
    ),
    "ModernBERT": (
        "modernbert",
        {**BERT, "cls_token_id": 2, "sep_token_id": 3, "local_attention": 8},
        "generic",
        BERT_CONTROLS,
    ),
    "GTE": (
        "gte",
        {**ROBERTA, **NO_SEGMENTS, **GATED},
        "xlm-roberta",
        ROBERTA_CONTROLS,
    ),
    "Nomic BERT": ("nomic_bert", {**BERT, **GATED}, "bert", BERT_CONTROLS),
    "Jina v3": (
        "jina_embeddings_v3",
        {**ROBERTA, **NO_SEGMENTS},
        "xlm-roberta",
        ROBERTA_CONTROLS,
    ),
    # As in the larger EuroBERT models, several heads share their keys and values.
    "EuroBERT": (
        "eurobert",
        {
            **BERT,
            **GATED,
            "bos_token_id": 2,
            "eos_token_id": 3,
            "mask_token_id": 4,
            "num_key_value_heads": 2,
        },
        "generic",
        BERT_CONTROLS,
    ),
    "RoFormer": ("roformer", {**BERT, "embedding_size": 16}, "bert", BERT_CONTROLS),
}


@dataclass(frozen=True)
class Family:
    """A checkpoint, its family's name and transformers' own tokenizer of it."""

    name: str
    folder: Path
    tokenizer: object


def word_pieces(vocabulary, controls):
    """Return the ids of words, letters and the family's control tokens.

    BERT's control tokens are among the words, as in MPNet's own vocabulary.
    """
    words = [word for word in vocabulary if word not in controls]
    return {word: id_ for id_, word in enumerate([*controls, *words])}


def byte_pairs(texts, controls):
    """Return the vocabulary and the merges of a byte-level BPE learned from texts."""
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = BpeTrainer(
        vocab_size=400,
        special_tokens=controls,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return {"vocab": model["vocab"], "merges": [tuple(x) for x in model["merges"]]}


def unigrams(texts, controls):
    """Return the pieces of a unigram model learned from texts, with their scores."""
    tokenizer = Tokenizer(Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    unknown = next(name for name in controls if "unk" in name.lower())
    trainer = UnigramTrainer(
        vocab_size=120, special_tokens=controls, unk_token=unknown, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    pieces = json.loads(tokenizer.to_str())["model"]["vocab"]
    return {"vocab": [(piece, score) for piece, score in pieces]}


def make_tokenizer(kind, controls, vocabulary, texts):
    import transformers

    options = {"model_max_length": 128}
    words = {"vocab": word_pieces(vocabulary, controls)}
    if kind == "generic":
        # Checkpoints that name no class of their own.
        made = transformers.DebertaTokenizer(**byte_pairs(texts, controls))
        backend = Tokenizer.from_str(made.backend_tokenizer.to_str())
        names = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
        return transformers.PreTrainedTokenizerFast(
            tokenizer_object=backend,
            **dict(zip(names, controls, strict=True)),
            model_input_names=["input_ids", "attention_mask"],
            **options,
        )
    make, content = {
        "bert": (transformers.BertTokenizer, words),
        "cased": (transformers.BertTokenizer, {**words, "do_lower_case": False}),
        "distilbert": (transformers.DistilBertTokenizer, words),
        "mpnet": (transformers.MPNetTokenizer, words),
        "roberta": (transformers.RobertaTokenizer, byte_pairs),
        "deberta": (transformers.DebertaTokenizer, byte_pairs),
        "xlm-roberta": (transformers.XLMRobertaTokenizer, unigrams),
        "camembert": (transformers.CamembertTokenizer, unigrams),
        "albert": (transformers.AlbertTokenizer, unigrams),
        "deberta-v2": (transformers.DebertaV2Tokenizer, unigrams),
    }[kind]
    if callable(content):
        content = content(texts, controls)
    return make(**content, **options)


@pytest.fixture(scope="session")
def save_family(vocabulary, texts):
    """Return a function that writes a tiny random checkpoint of a family."""
    from transformers import CONFIG_MAPPING, AutoConfig, AutoModelForMaskedLM

    def save(name, folder):
        model_type, changes, kind, controls = FAMILIES[name]
        if model_type not in CONFIG_MAPPING:
            pytest.skip(f"this version of transformers has no {model_type}")
        tokenizer = make_tokenizer(kind, controls, vocabulary, texts)
        sizes = {**SIZES, "vocab_size": len(tokenizer)}
        config = AutoConfig.for_model(model_type, **{**sizes, **changes})
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            AutoModelForMaskedLM.from_config(config).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return Family(name, folder, tokenizer)

    return save


@pytest.fixture(scope="session")
def families():
    """The families' names."""
    return list(FAMILIES)


@pytest.fixture(scope="session", params=FAMILIES)
def family(request, save_family, tmp_path_factory):
    """A checkpoint of each family in turn."""
    return save_family(request.param, tmp_path_factory.mktemp("family"))
