"""Write the golden files of a format. They are written once, and never changed.

``python tests/saving/golden/make.py`` from the root of the repository. The estimators
in estimators-0.pickle are those in estimators-1.pickle. They were pickled when pickles
still had objects of private classes in them.
"""

import pickle
from pathlib import Path

import numpy as np

from sklearn_bert import BertClassifier, BertMaskedLM, BertTokenizer, BertVectorizer

FOLDER = Path(__file__).parent
TEXTS = ["a cat", "a dog"] * 8


def main():
    """Save a classifier with the state of its optimizer, and others."""
    random = np.random.RandomState(0)
    model = BertMaskedLM(
        n_layers=1,
        hidden_size=4,
        n_heads=2,
        vocab_size=16,
        max_length=16,
        max_steps=3,
        dtype="float32",
        random_state=0,
    ).fit(TEXTS)
    classifier = BertClassifier(
        model, class_weight={"cat": 2.0}, dtype="float32", random_state=random
    )
    classifier.partial_fit(TEXTS, ["cat", "dog"] * 8, classes=["cat", "dog"])
    # The other file has a model in a model. This name is that in checkpoint_.
    classifier.set_params(model="BertMaskedLM")
    classifier.save(FOLDER / "classifier-1.safetensors")
    vectorizer = BertVectorizer(model, layers=(0, -1), dtype="float32").fit(TEXTS)
    vectorizer.save(FOLDER / "vectorizer-1.safetensors", dtype="bfloat16")
    # Not every version of NumPy reads the generators of every other one.
    classifier.set_params(random_state=0)
    estimators = {
        "classifier": classifier,
        "vectorizer": vectorizer,
        "tokenizer": BertTokenizer(model).fit(TEXTS),
    }
    (FOLDER / "estimators-1.pickle").write_bytes(pickle.dumps(estimators, protocol=4))
    print(classifier.predict_proba(TEXTS[:2]).tolist())
    print(np.asarray(vectorizer.transform(TEXTS[:1])).tolist())


if __name__ == "__main__":
    main()
