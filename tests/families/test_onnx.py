"""Graphs of the families give the features of the estimators."""

import numpy as np
import pytest

from sklearn_bert import BertVectorizer

pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

# One for each kind of positions, attention and embeddings.
EXPORTED = [
    "RoBERTa",
    "XLM-RoBERTa",
    "DistilBERT",
    "MPNet",
    "DeBERTa-v2/v3",
    "ModernBERT",
    "EuroBERT",
]


@pytest.mark.filterwarnings("ignore:.*were truncated")
@pytest.mark.parametrize("name", EXPORTED)
def test_features_are_those_of_transform(name, save_family, texts, tmp_path):
    from tokenizers import Tokenizer

    family = save_family(name, tmp_path / "model")
    vectorizer = BertVectorizer(family.folder, pooling="mean")
    vectorizer.export_onnx(tmp_path / "exported")
    session = onnxruntime.InferenceSession(tmp_path / "exported" / "model.onnx")
    tokenizer = Tokenizer.from_file(str(tmp_path / "exported" / "tokenizer.json"))
    # Up to the longest sequence.
    texts = [*texts, "film " * 126]
    for n_texts in (1, 2, 7):
        for start in range(0, len(texts), 10):
            some = texts[-1 - start :][:n_texts]
            encodings = tokenizer.encode_batch(some)
            inputs = {
                "input_ids": np.array([one.ids for one in encodings]),
                "attention_mask": np.array([one.attention_mask for one in encodings]),
                "token_type_ids": np.array([one.type_ids for one in encodings]),
            }
            names = [one.name for one in session.get_inputs()]
            (found,) = session.run(None, {name: inputs[name] for name in names})
            expected = vectorizer.transform(some)
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
