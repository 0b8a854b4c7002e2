"""Draw the figures of the page on displays, which are committed.

Run ``python docs/displays.py`` in the root of the repository. The film reviews are
downloaded once.
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.manifold import TSNE

from sklearn_bert import BertClassifier, BertVectorizer
from sklearn_bert.datasets import fetch_vader_sentiment
from sklearn_bert.inspection import (
    ConfusionExamplesDisplay,
    EmbeddingMapDisplay,
    LengthDisplay,
    TrainingCurveDisplay,
)

IMAGES = Path(__file__).parent / "images"


def main():
    """Draw a figure for each display that needs data."""
    X, rating = fetch_vader_sentiment(subset="movies", return_X_y=True)
    y = np.where(rating > 0, "good", "bad")
    # They are sorted by their ratings.
    train, test = np.random.default_rng(0).permutation(len(X))[:1000].reshape(2, -1)
    classifier = BertClassifier(
        n_epochs=6, n_iter_no_change=6, early_stopping=True, random_state=0
    ).fit(X[train], y[train])

    # About as wide as a phone, so that their text is legible there.
    LengthDisplay.from_estimator(BertVectorizer(max_length=32), X, ax=axes(3))
    save("lengths")
    TrainingCurveDisplay.from_estimator(classifier, ax=axes(3.4))
    save("training_curve")
    EmbeddingMapDisplay.from_embeddings(
        classifier.transform(X[test]), y[test], TSNE(random_state=0), ax=axes(4)
    )
    save("embedding_map")
    ConfusionExamplesDisplay.from_estimator(classifier, X[test], y[test], n_examples=3)
    save("confusion_examples")


def axes(height):
    return plt.subplots(figsize=(5.2, height), layout="constrained")[1]


def save(name):
    plt.savefig(IMAGES / f"display_{name}.png", dpi=130)
    plt.close()


if __name__ == "__main__":
    main()
