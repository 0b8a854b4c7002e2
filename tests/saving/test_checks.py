"""Parts that do not belong together are refused."""

import json
from dataclasses import replace

import numpy as np
import pytest

from sklearn_bert import BertClassifier
from sklearn_bert._engine.checkpoints.record import CheckpointRecord
from sklearn_bert._engine.checkpoints.sentence_transformers.module_configs import (
    DeclaredModule,
)
from sklearn_bert._engine.masked_lm.model import PackedMaskedModel
from sklearn_bert._saving.checks import check_parts, check_tokenizer


@pytest.fixture
def packed(case):
    return case("classes of texts").estimator.encoder_


@pytest.fixture
def masked(case):
    return case("a new model").estimator._masked_model


def with_digest(packed, **changes):
    """Return an encoder with changes, as an attacker would make it."""
    changed = replace(packed, **changes)
    return replace(changed, digest=changed.compute_digest())


def with_config(packed, **changes):
    config = json.dumps({**json.loads(packed.config), **changes})
    return with_digest(packed, config=config)


def refuse(value, match):
    with pytest.raises(ValueError, match=match):
        check_parts({"encoder_": value})


def test_what_was_fitted_belongs_together(packed, masked):
    check_parts({"encoder_": packed, "_masked_model": masked})


@pytest.mark.parametrize("change", ["lost", "added", "reshaped", "of integers"])
@pytest.mark.parametrize("part", ["encoder", "head"])
def test_weights_must_be_those_of_the_configuration(packed, masked, part, change):
    weights = dict(packed.weights if part == "encoder" else masked.head)
    name, array = next(iter(weights.items()))
    if change == "lost":
        del weights[name]
    elif change == "added":
        weights["added"] = array
    elif change == "reshaped":
        weights[name] = array[:-1]
    else:
        weights[name] = array.astype(np.int32)
    if part == "encoder":
        refuse(with_digest(packed, weights=weights), "encoder with")
    else:
        refuse(PackedMaskedModel(masked.encoder, weights), "head with")


@pytest.mark.parametrize(
    "changes",
    [
        {"num_hidden_layers": 2},
        {"num_hidden_layers": 10**6},
        {"vocab_size": 10**9},
        {"model_type": "unknown"},
        {"model_type": "t5"},
        {"model_type": None},
        {"hidden_size": -1},
    ],
)
def test_the_configuration_must_be_that_of_an_encoder(packed, changes):
    refuse(with_config(packed, **changes), "config.json|weights|encoder|code")


def test_a_configuration_of_another_kind_is_refused(packed):
    refuse(with_digest(packed, config="[]"), "not a JSON object")


def test_settings_that_are_not_known_are_ignored(packed):
    changes = {"auto_map": {"AutoModel": "evil.Model"}, "_attn_implementation": "x/y"}
    check_parts({"encoder_": with_config(packed, **changes)})


def test_the_digest_must_be_that_of_the_content(packed):
    refuse(replace(packed, digest="0" * 64), "does not match its SHA-256")


def test_the_architecture_must_be_that_of_the_configuration(packed):
    other = replace(packed.architecture, hidden_size=64)
    refuse(with_digest(packed, architecture=other), "an architecture")


def test_only_activations_can_be_activations(packed):
    module = DeclaredModule("Dense", "", 32, 32, activation="Module")
    other = replace(packed.architecture, modules=(module,))
    refuse(with_digest(packed, architecture=other), "unknown activation")


def test_modules_need_their_weights(packed):
    other = replace(packed.architecture, modules=(DeclaredModule("LayerNorm", "", 32),))
    refuse(with_digest(packed, architecture=other), "modules without weights")


@pytest.mark.parametrize(
    "weights", [(), (1.0,) * 5, (1.0, -1.0), (float("nan"),), (float("inf"),)]
)
def test_weights_of_layers_must_be_those_of_the_last_layers(packed, weights):
    other = replace(packed.architecture, layer_weights=weights)
    refuse(with_digest(packed, architecture=other), "weights of layers")


def test_weights_of_layers_must_be_those_of_the_encoder(case):
    classifier = case("classes of texts").estimator
    weighted = replace(classifier.encoder_.architecture, layer_weights=(1.0, 2.0))
    encoder = with_digest(classifier.encoder_, architecture=weighted)
    for weights in (None, (1.0, 2.0)):
        readout = replace(classifier._readout, layer_weights=weights)
        check_parts({"encoder_": encoder, "_readout": readout})
    readout = replace(classifier._readout, layer_weights=(1.0,))
    with pytest.raises(ValueError, match="other weights of layers"):
        check_parts({"encoder_": encoder, "_readout": readout})


def test_tokenizers_must_be_those_that_checkpoints_may_have(packed):
    content = json.loads(packed.tokenizer)
    for change in (
        {"padding": {"strategy": {"Fixed": 10**9}}},
        {"truncation": {"max_length": 1}},
        {"normalizer": {"type": "Evil"}},
        {"added_tokens": [{"id": 10**8, "content": "x"}]},
        # Of BPE, which makes tokens random.
        {"model": {**content["model"], "dropout": 0.5}},
    ):
        with pytest.raises(ValueError, match="tokenizer"):
            check_tokenizer(json.dumps({**content, **change}))
    with pytest.raises(ValueError, match="not a JSON object"):
        check_tokenizer("[]")


def test_the_vocabulary_must_fit_the_embeddings(packed):
    content = json.loads(packed.tokenizer)
    content["model"]["vocab"]["extra"] = len(content["model"]["vocab"])
    refuse(with_digest(packed, tokenizer=json.dumps(content)), "a vocabulary")


@pytest.mark.parametrize(
    ("coef", "intercept", "classes"),
    [((2, 4), 3, 2), ((3, 4), 3, 2), ((3,), 3, 3), ((2, 4), 2, 3)],
)
def test_the_linear_layer_must_have_a_row_for_each_class(coef, intercept, classes):
    attributes = {
        "coef_": np.zeros(coef),
        "intercept_": np.zeros(intercept),
        "classes_": np.arange(classes),
    }
    with pytest.raises(ValueError, match="a linear layer"):
        check_parts(attributes)


@pytest.mark.parametrize(("n_rows", "is_multilabel"), [(2, False), (1, True)])
def test_only_two_classes_of_a_text_have_one_row(n_rows, is_multilabel):
    attributes = {
        "coef_": np.zeros((n_rows, 4)),
        "intercept_": np.zeros(n_rows),
        "classes_": np.arange(2),
        "is_multilabel_": is_multilabel,
    }
    with pytest.raises(ValueError, match="a linear layer"):
        check_parts(attributes)


def test_the_linear_layer_must_consist_of_numbers():
    texts = np.array([["a"]])
    with pytest.raises(ValueError, match="numbers"):
        check_parts(
            {"coef_": texts, "intercept_": np.zeros(1), "target_mean_": np.zeros(1)}
        )


COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize("source", ["directory", "bundle", "cache", "hub", "estimator"])
@pytest.mark.parametrize("commit", [None, COMMIT])
def test_a_record_has_a_known_source_and_maybe_a_commit(source, commit):
    model = {"directory": "/a b/c", "estimator": "BertMaskedLM"}.get(source, "a/b-1.5")
    check_parts({"checkpoint_": CheckpointRecord(model, None, commit, source, {})})


@pytest.mark.parametrize(
    ("model", "commit", "source", "match"),
    [
        ("a/b", "main", "hub", "a commit"),
        ("a/b", f"{COMMIT}\n", "hub", "a commit"),
        ("a/b", "`<script>`", "hub", "a commit"),
        ("a/b", None, "somewhere", "unknown source"),
        ("a/b](x) <b>", None, "hub", "impossible name"),
        ("a/b\n", None, "cache", "impossible name"),
        ("", None, "hub", "impossible name"),
        ("a/b/c", None, "bundle", "impossible name"),
        ("Bert()\n```", None, "estimator", "impossible name"),
        ("a/b", None, "estimator", "impossible name"),
    ],
)
def test_a_record_that_no_fit_makes_is_refused(model, commit, source, match):
    record = CheckpointRecord(model, None, commit, source, {})
    with pytest.raises(ValueError, match=match):
        check_parts({"checkpoint_": record})


@pytest.mark.parametrize(
    "counts",
    [np.ones(5, int), np.ones((2, 1), int), np.ones(2), np.array(["1", "2"])],
    ids=["too many", "two dimensions", "floats", "texts"],
)
def test_there_is_one_number_of_samples_for_each_class(counts):
    check_parts({"class_count_": np.array([3, 4]), "classes_": np.array(["a", "b"])})
    with pytest.raises(ValueError, match="numbers of samples"):
        check_parts({"class_count_": counts, "classes_": np.array(["a", "b"])})
    with pytest.raises(ValueError, match="numbers of samples"):
        check_parts({"class_count_": np.array([3, 4])})


def test_a_target_encoder_has_a_fitted_estimator_that_matches(case):
    fitted = vars(case("predictions as features").estimator)
    check_parts(fitted)
    vectorizer = case("features").estimator
    for changes in (
        {"estimator_": vectorizer},
        {"estimator_": BertClassifier()},
        {"n_features_in_": 2},
    ):
        with pytest.raises(ValueError, match="a target encoder"):
            check_parts({**fitted, **changes})
