"""Every family: transformers' numbers, and all estimators on top of them."""

import csv
import json
import pickle
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from sklearn_bert import (
    BertClassifier,
    BertMaskedLM,
    BertRegressor,
    BertTokenClassifier,
    BertTokenizer,
    BertVectorizer,
)
from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.load import load_checkpoint
from sklearn_bert._engine.encoding.backends import FlatBackend, PaddedBackend
from sklearn_bert._engine.encoding.batch import collate
from sklearn_bert._engine.encoding.encoder import build_encoder
from sklearn_bert._engine.encoding.fused import FusedBackend
from sklearn_bert._engine.masked_lm.masking import Masker, text_generator
from sklearn_bert._engine.training.model.backbone import copy_weights
from sklearn_bert._engine.training.model.trainable import make_trainable
from sklearn_bert.exceptions import CheckpointError

CPU = torch.device("cpu")
PAGE = Path(__file__).parents[2] / "docs" / "families.rst"
PATHS = {FusedBackend: "fused", FlatBackend: "flat", PaddedBackend: "padded"}
# RoBERTa's tables hold no segments, although some of its tokenizers give numbers.
WITH_SEGMENTS = {
    "BERT",
    "multilingual BERT",
    "ALBERT",
    "ELECTRA",
    "Nomic BERT",
    "RoFormer",
}
PAIRS = [("a good film", "it was not dull"), ("the plot", ""), ("", "what a story")]


def files(family):
    return locate(str(family.folder), None)


def read(tokenizer, first, second=None):
    return tokenizer(first, second, max_length=128, long_text="truncate")


def longest_first(sequences):
    return sorted(range(len(sequences.ids)), key=lambda row: -len(sequences.ids[row]))


def theirs(family, first, second=None, dtype=torch.float32):
    """Run transformers' own model on a padded batch; return states and mask."""
    from transformers import AutoModel

    model = AutoModel.from_pretrained(family.folder).eval().to(dtype)
    inputs = family.tokenizer(
        list(first),
        None if second is None else list(second),
        padding=True,
        return_token_type_ids=family.name in WITH_SEGMENTS,
        return_tensors="pt",
    )
    output = model(**inputs, output_hidden_states=True)
    states = [*output.hidden_states[:-1], output.last_hidden_state]
    return model, states, inputs["attention_mask"].bool()


@pytest.mark.parametrize("kind", ["texts", "pairs"])
def test_ids_are_the_family_tokenizers_own(family, texts, kind):
    first, second = (texts, None) if kind == "texts" else zip(*PAIRS, strict=True)
    encoder = build_encoder(files(family), CPU, torch.float32)
    sequences = read(encoder.tokenizer, first, second)
    expected = family.tokenizer(
        list(first), None if second is None else list(second), truncation=True
    )
    assert sequences.ids == expected["input_ids"]


@pytest.mark.parametrize("kind", ["texts", "pairs"])
def test_states_are_transformers_padded_ones(family, texts, kind):
    first, second = (texts, None) if kind == "texts" else zip(*PAIRS, strict=True)
    encoder = build_encoder(files(family), CPU, torch.float32)
    sequences = read(encoder.tokenizer, first, second)
    rows = longest_first(sequences)
    batch = collate(sequences, rows)
    with torch.inference_mode():
        layers = tuple(range(encoder.architecture.n_layers + 1))
        found = encoder.backend.hidden_states(batch, layers, only_first=False)
        _, expected, mask = theirs(family, first, second)
    for state, padded in zip(found, expected, strict=True):
        wanted = torch.cat([padded[row][mask[row]] for row in rows])
        # Both round, by up to 1.2e-5 together on some processors.
        torch.testing.assert_close(state, wanted, rtol=0, atol=2e-5)


def test_gradients_in_training_are_transformers_own(family, texts):
    checkpoint = copy_weights(load_checkpoint(files(family)))
    trainable = make_trainable(
        checkpoint,
        CPU,
        torch.float64,
        autocast_dtype=None,
        n_frozen=0,
        dropout=0.0,
        seed=0,
    )
    sequences = read(checkpoint.tokenizer, texts[:8])
    rows = longest_first(sequences)
    batch = collate(sequences, rows)
    trainable.token_embedding.take(batch.input_ids.unique())
    n_layers = checkpoint.architecture.n_layers
    with trainable.training():
        (states,) = trainable.encoder.backend.hidden_states(
            batch, (n_layers,), only_first=False
        )
    (states * weights(states)).sum().backward()

    model, expected, mask = theirs(family, texts[:8], dtype=torch.float64)
    wanted = torch.cat([expected[-1][row][mask[row]] for row in rows])
    (wanted * weights(wanted)).sum().backward()
    named = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    largest = max(float(gradient.abs().max()) for gradient in named.values())
    # ModernBERT turns its queries and keys in float32.
    tolerance = {"rtol": 1e-5, "atol": 1e-6 * largest}
    for one in trainable.tensors:
        if ".qkv." in one.name:
            parts = [one.name.replace("qkv", p) for p in ("query", "key", "value")]
            gradient = torch.cat([named[part] for part in parts])
        elif one.tensor.grad is None:
            assert not named.get(one.name, torch.zeros(1)).any()
            continue
        else:
            gradient = named[one.name]
        torch.testing.assert_close(one.tensor.grad, gradient, **tolerance)
    (table,) = (
        name for name in named if re.search(r"(word|tok)_embeddings|embed_tokens", name)
    )
    torch.testing.assert_close(
        trainable.token_embedding.leaf.grad,
        named[table][trainable.token_embedding.rows],
        **tolerance,
    )


def weights(states):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(states.shape, generator=generator, dtype=states.dtype)


def test_segments_are_read_only_where_the_family_has_them(family):
    architecture = build_encoder(files(family), CPU, torch.float32).architecture
    assert architecture.has_segments == (family.name in WITH_SEGMENTS)
    tokenizer = BertTokenizer(family.folder, return_segments=True)
    if architecture.has_segments:
        expected = family.tokenizer(
            *map(list, zip(*PAIRS, strict=True)),
            padding=True,
            return_token_type_ids=True,
            return_tensors="np",
        )
        segments = np.hsplit(tokenizer.fit_transform(PAIRS), 2)[1]
        np.testing.assert_array_equal(segments, expected["token_type_ids"])
    else:
        with pytest.raises(ValueError, match="return_segments must be False"):
            tokenizer.fit(PAIRS)


def test_the_tokenizer_pads_as_the_family_does(family, texts):
    tokenizer = BertTokenizer(family.folder, return_mask=True)
    ids, mask = np.hsplit(tokenizer.fit_transform(texts), 2)
    expected = family.tokenizer(texts, padding=True, return_tensors="np")
    np.testing.assert_array_equal(ids, expected["input_ids"])
    np.testing.assert_array_equal(mask, expected["attention_mask"])
    again = pickle.loads(pickle.dumps(tokenizer))
    np.testing.assert_array_equal(np.hsplit(again.transform(texts), 2)[0], ids)
    back = tokenizer.inverse_transform(again.transform(texts))
    assert [text.strip() for text in back] == [text.strip() for text in texts]


def test_the_vectorizer_runs(family, texts):
    vectorizer = BertVectorizer(family.folder, pooling="mean")
    features = vectorizer.fit_transform(texts)
    with torch.inference_mode():
        _, states, mask = theirs(family, texts)
    expected = torch.stack(
        [state[keep].mean(0) for state, keep in zip(states[-1], mask, strict=True)]
    )
    np.testing.assert_allclose(features, expected, rtol=0, atol=1e-5)
    again = pickle.loads(pickle.dumps(vectorizer))
    np.testing.assert_array_equal(again.transform(texts), features)


def test_the_vectorizer_compares_pairs(family):
    vectorizer = BertVectorizer(family.folder, pooling="compare")
    compared = vectorizer.fit_transform(PAIRS)
    first, second = map(list, zip(*PAIRS, strict=True))
    with torch.inference_mode():
        _, states, mask = theirs(family, first, second)
    # The first text has the same tokens as alone; some families add a separator.
    n_more = family.tokenizer.num_special_tokens_to_add(pair=True) - 3
    starts = [len(ids) + n_more for ids in family.tokenizer(first)["input_ids"]]
    tokens = [state[keep] for state, keep in zip(states[-1], mask, strict=True)]
    a, b = (
        torch.stack([x[part].mean(0) for x, part in zip(tokens, parts, strict=True)])
        for parts in ([slice(s) for s in starts], [slice(s, None) for s in starts])
    )
    expected = torch.cat([a, b, (a - b).abs(), a * b], 1)
    np.testing.assert_allclose(compared, expected, rtol=0, atol=1e-5)


def test_the_classifier_learns(family, texts):
    lengths = np.array([len(text) for text in texts])
    labels = np.where(lengths > np.median(lengths), "long", "short")
    classifier = BertClassifier(
        family.folder,
        n_epochs=4,
        batch_size=8,
        learning_rate=3e-3,
        pooling="mean",
        init="zeros",
        dropout=0.0,
        random_state=0,
    )
    classifier.fit(texts, labels)
    assert classifier.loss_curve_[-1] < classifier.loss_curve_[0]
    assert classifier.summary().n_frozen_parameters == 0
    again = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_allclose(
        again.predict_proba(texts), classifier.predict_proba(texts), rtol=0, atol=1e-6
    )
    fresh = BertClassifier(**classifier.get_params()).fit(texts, labels)
    np.testing.assert_array_equal(fresh.coef_, classifier.coef_)


def test_the_token_classifier_tags_every_word(family, texts):
    sentences = [text.split() or ["film"] for text in texts[:12]]
    tags = [["N" if w in ("film", "plot") else "O" for w in s] for s in sentences]
    tagger = BertTokenClassifier(family.folder, n_epochs=2, random_state=0)
    tagger.fit(sentences, tags)
    predicted = tagger.predict(sentences)
    assert [len(row) for row in predicted] == [len(row) for row in sentences]
    again = pickle.loads(pickle.dumps(tagger))
    for first, second in zip(
        tagger.predict_proba(sentences), again.predict_proba(sentences), strict=True
    ):
        np.testing.assert_allclose(first, second, rtol=0, atol=1e-6)


def test_the_regressor_predicts(family, texts):
    lengths = np.array([float(len(text)) for text in texts])
    regressor = BertRegressor(family.folder, n_epochs=2, random_state=0)
    predicted = regressor.fit(texts, lengths).predict(texts)
    again = pickle.loads(pickle.dumps(regressor))
    np.testing.assert_allclose(again.predict(texts), predicted, rtol=1e-5, atol=1e-4)


def test_a_masked_lm_continues_from_it(family, texts, tmp_path):
    from transformers import AutoModelForMaskedLM

    options = {
        "batch_tokens": 256,
        "dropout": 0.0,
        "dtype": "float32",
        "random_state": 0,
    }
    still = BertMaskedLM(family.folder, learning_rate=1e-12, max_steps=1, **options)
    before = still.fit(texts).score(texts)
    assert before == pytest.approx(masked_score(family, texts), abs=1e-4)
    model = BertMaskedLM(family.folder, learning_rate=3e-3, n_epochs=5, **options)
    assert model.fit(texts).score(texts) > before

    model.save_pretrained(tmp_path / "saved")
    saved = AutoModelForMaskedLM.from_pretrained(tmp_path / "saved")
    own = AutoModelForMaskedLM.from_pretrained(family.folder)
    assert type(saved) is type(own)
    features = BertVectorizer(model).fit_transform(texts)
    for other in (tmp_path / "saved", pickle.loads(pickle.dumps(model))):
        again = BertVectorizer(other).transform(texts)
        np.testing.assert_allclose(again, features, rtol=0, atol=1e-5)
    (gaps,) = model.fill_mask(["the [MASK] was"], top_k=3)
    assert len(gaps[0]) == 3


def masked_score(family, texts):
    """Score transformers' own masked language model on what is hidden from ours."""
    from transformers import AutoModelForMaskedLM

    model = AutoModelForMaskedLM.from_pretrained(family.folder).eval()
    tokenizer = load_checkpoint(files(family)).tokenizer
    masker = Masker(tokenizer, 0.15, whole_words=False)
    found = []
    for ids in tokenizer.split_to_length(texts, 128):
        masked = masker(np.array(ids), text_generator(ids, 0))
        with torch.inference_mode():
            scores = model(torch.tensor(masked.ids[None])).logits[0].log_softmax(1)
        found += scores[masked.places, masked.targets].tolist()
    return np.mean(found)


def table_in_the_docs():
    """Return the rows of the csv-table, as dicts."""
    _, rest = PAGE.read_text(encoding="utf-8").split(":header-rows: 1\n\n")
    return list(csv.DictReader(rest.split("\n\n")[0].replace("   ", "").splitlines()))


def test_the_table_in_the_docs_has_a_row_for_each_family(family):
    encoder = build_encoder(files(family), CPU, torch.float32)
    architecture = encoder.architecture
    rows = {row["Family"]: row for row in table_in_the_docs()}
    config = json.loads((family.folder / "config.json").read_text())
    assert rows[family.name] == {
        "Family": family.name,
        "Model type": config["model_type"],
        "Path": PATHS[type(encoder.backend)],
        "Segments": "yes" if architecture.has_segments else "no",
        "First position": str(architecture.first_position),
    }


def test_the_table_in_the_docs_has_no_other_row(families):
    assert [row["Family"] for row in table_in_the_docs()] == families


DECODERS = {
    "gpt2": {"n_embd": 32, "n_layer": 2, "n_head": 4},
    "t5": {"d_model": 32, "d_ff": 48, "num_layers": 2, "num_heads": 4, "d_kv": 8},
    "bart": {
        "d_model": 32,
        "encoder_layers": 2,
        "decoder_layers": 2,
        "encoder_attention_heads": 4,
        "decoder_attention_heads": 4,
        "encoder_ffn_dim": 48,
        "decoder_ffn_dim": 48,
    },
    "gemma3_text": {},
    "llama": {},
    "modernbert-decoder": {},
    "qwen3": {"num_key_value_heads": 2},
}


@pytest.mark.parametrize("model_type", DECODERS)
@pytest.mark.parametrize("make", [BertVectorizer, BertClassifier])
def test_decoders_are_refused_with_what_is_supported(
    save_model, tmp_path, model_type, make
):
    folder = save_model(tmp_path / model_type, model_type, **DECODERS[model_type])
    with pytest.raises(
        CheckpointError, match=r"model must be an encoder.* such as BERT, RoBERTa or"
    ) as error:
        make(folder).fit_transform(["a", "b"], [0, 1])
    assert f"a {model_type!r} model" in str(error.value)


def test_training_rounds_to_bfloat16_only_where_the_model_can(family):
    trainable = make_trainable(
        load_checkpoint(files(family)),
        CPU,
        torch.float32,
        autocast_dtype=torch.bfloat16,
        n_frozen=0,
        dropout=0.0,
        seed=0,
    )
    expected = None if family.name == "DeBERTa" else torch.bfloat16
    assert trainable.encoder.autocast_dtype is expected
