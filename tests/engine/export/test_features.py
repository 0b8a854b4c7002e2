"""sentence-transformers computes the features of a vectorizer from its folder."""

import json
import warnings

import numpy as np
import pytest
from families.layouts import dense

from sklearn_bert import BertClassifier, BertVectorizer
from sklearn_bert._sharing.pretrained import write_pretrained
from sklearn_bert.exceptions import CheckpointMismatchError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import modules as st

# Its own warnings, about its own old arguments and files.
pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings(
        "ignore::sklearn_bert.exceptions.TruncationWarning",
    ),
]

PARAMETERS = {
    "default": {},
    "max": {"pooling": "max"},
    "layer 1": {"layers": 1},
    "embeddings": {"layers": 0, "pooling": "mean"},
    "second to last layer, normalized": {"layers": -2, "normalize": True},
    "normalized": {"normalize": True},
    "first features": {"truncate_dim": 8},
    "first features, normalized": {"truncate_dim": 8, "normalize": True},
    "short": {"max_length": 9},
    "prompt": {"prompt": "this is a long "},
}


def encode(folder, texts):
    return SentenceTransformer(str(folder), device="cpu").encode(texts)


def write(estimator, folder):
    folder.mkdir()
    return write_pretrained(estimator._export(), folder)


@pytest.mark.parametrize("parameters", PARAMETERS.values(), ids=list(PARAMETERS))
def test_features_are_those_of_encode(tiny_bert, texts, tmp_path, parameters):
    vectorizer = BertVectorizer(tiny_bert, **parameters)
    expected = vectorizer.fit_transform(texts)
    exported = write(vectorizer, tmp_path / "saved")
    assert (exported.task, exported.auto_class) == ("feature-extraction", "AutoModel")
    assert not exported.not_reproduced
    assert exported.has_sentence_transformer
    found = encode(tmp_path / "saved", texts)
    np.testing.assert_allclose(found, expected, atol=1e-5, rtol=1e-5)
    again = BertVectorizer(tmp_path / "saved", normalize="auto").transform(texts)
    np.testing.assert_allclose(again, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    "parameters", [{}, {"normalize": "auto"}, {"normalize": True, "truncate_dim": 4}]
)
def test_declared_modules_are_kept(tiny_bert, texts, tmp_path, parameters):
    parts = [st.Transformer(str(tiny_bert)), st.Pooling(32, "mean")]
    whole = SentenceTransformer(
        modules=[*parts, dense(32, 16)(), st.Normalize()], device="cpu"
    )
    whole.save(str(tmp_path / "declared"), create_model_card=False)
    vectorizer = BertVectorizer(tmp_path / "declared", **parameters)
    expected = vectorizer.fit_transform(texts)
    assert not write(vectorizer, tmp_path / "saved").not_reproduced
    found = encode(tmp_path / "saved", texts)
    np.testing.assert_allclose(found, expected, atol=1e-5, rtol=1e-5)


def test_the_model_of_a_vectorizer_may_be_an_estimator(tiny_bert, texts, tmp_path):
    labels = [len(text) % 2 for text in texts]
    classifier = BertClassifier(tiny_bert, n_epochs=1, random_state=0)
    vectorizer = BertVectorizer(classifier.fit(texts, labels), max_length=20)
    expected = vectorizer.fit_transform(texts)
    assert not write(vectorizer, tmp_path / "saved").not_reproduced
    found = encode(tmp_path / "saved", texts)
    np.testing.assert_allclose(found, expected, atol=1e-5, rtol=1e-5)


def test_several_layers_are_not_declared(tiny_bert, texts, tmp_path):
    vectorizer = BertVectorizer(tiny_bert, layers=[1, 2], normalize=True).fit(texts)
    exported = write(vectorizer, tmp_path / "saved")
    assert exported.not_reproduced == (
        "the concatenation of the features of layers 1, 2",
    )
    assert not exported.has_sentence_transformer
    assert not (tmp_path / "saved" / "modules.json").exists()
    again = vectorizer.set_params(model=tmp_path / "saved").fit_transform(texts)
    vectorizer.set_params(model=tiny_bert)
    np.testing.assert_array_equal(again, vectorizer.fit_transform(texts))


def test_what_is_done_to_pairs_and_long_texts_is_told(tiny_bert, tmp_path):
    pairs = [["a good film", "the plot"], ["bad", "dull"]]
    vectorizer = BertVectorizer(tiny_bert, pooling="compare", long_text="head_tail")
    expected = vectorizer.fit_transform(pairs)
    assert write(vectorizer, tmp_path / "saved").not_reproduced == (
        "the comparison of the two texts of a pair",
        "long_text='head_tail': they truncate texts of more than 64 tokens",
    )
    # The declared mean is what a comparison is made of.
    again = BertVectorizer(tmp_path / "saved").fit_transform(pairs)
    np.testing.assert_array_equal(again, expected)


def test_the_prompt_of_a_vectorizer_is_the_default_of_its_folder(tiny_bert, tmp_path):
    write(BertVectorizer(tiny_bert, prompt="query: "), tmp_path / "saved")
    path = tmp_path / "saved" / "config_sentence_transformers.json"
    content = json.loads(path.read_text())
    assert content["prompts"][content["default_prompt_name"]] == "query: "


def test_a_checkpoint_that_has_changed_since_the_fit_is_refused(
    own_bert, edit_config, tmp_path
):
    vectorizer = BertVectorizer(own_bert).fit(["a film"])
    edit_config(own_bert, layer_norm_eps=1e-3)
    with pytest.raises(CheckpointMismatchError, match=r"config\.json differs"):
        vectorizer.save_pretrained(tmp_path / "saved")
    assert not (tmp_path / "saved").exists()
