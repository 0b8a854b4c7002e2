"""
Text classification
===================

Where was a sentence published: in a film review, a product review, a tweet or a
newspaper? This example puts :class:`~sklearn_bert.BertVectorizer` in front of a
logistic regression, in place of
:class:`~sklearn.feature_extraction.text.TfidfVectorizer`, and changes nothing else.
"""

# %%
# The sentences
# -------------
# :func:`~sklearn_bert.datasets.fetch_vader_sentiment` downloads the sentences once.
# Take 200 from each of the four sources.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import ConfusionMatrixDisplay, accuracy_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from sklearn_bert import BertVectorizer
from sklearn_bert.datasets import fetch_vader_sentiment

sources = ["movies", "amazon", "tweets", "nyt"]
rng = np.random.default_rng(0)
X, y = [], []
for source in sources:
    texts = fetch_vader_sentiment(subset=source).data
    X.extend(rng.choice(texts, size=200, replace=False))
    y.extend([source] * 200)
for text, source in zip(X[::200], y[::200], strict=True):
    print(f"{source:8s} {text[:70]}")

# %%
# Two pipelines
# -------------
# They differ in their first step. A word that does not occur in the training sentences
# tells TF-IDF nothing. The encoder was pre-trained on a large amount of text, and words
# with similar meanings get similar features.

pipelines = {
    "TF-IDF": make_pipeline(
        TfidfVectorizer(sublinear_tf=True), LogisticRegression(C=10)
    ),
    "BERT": make_pipeline(
        BertVectorizer(cache="memory"), LogisticRegression(max_iter=1000)
    ),
}

# %%
# Cross-validation predicts each sentence with a model that has not seen it. The encoder
# learns nothing from the sentences, so that the cache encodes each of them only once.

splits = StratifiedKFold(n_splits=5, shuffle=True, random_state=0)
predicted, accuracy = {}, {}
for name, pipeline in pipelines.items():
    predicted[name] = cross_val_predict(pipeline, X, y, cv=splits)
    accuracy[name] = accuracy_score(y, predicted[name])
    print(f"{name:7s} accuracy {accuracy[name]:.3f}")

# %%
# Which sources are confused?
# ---------------------------
# Each row shows where the sentences of one source are placed, in percent.

plt.rc("font", size=14)
fig, axes = plt.subplots(ncols=2, figsize=(8, 4), sharey=True, layout="constrained")
for ax, (name, guesses) in zip(axes, predicted.items(), strict=True):
    ConfusionMatrixDisplay.from_predictions(
        y,
        guesses,
        labels=sources,
        normalize="true",
        values_format=".0%",
        cmap="Blues",
        colorbar=False,
        xticks_rotation=45,
        ax=ax,
    )
    ax.set(title=f"{name}: {accuracy[name]:.0%} correct", xlabel="", ylabel="")
axes[0].set_ylabel("published in")
plt.show()

# %%
# The fitted pipeline is used like any other:

model = pipelines["BERT"].fit(X, y)
print(model.predict(["The camera is light, but the battery is empty after an hour."]))

# %%
# :doc:`plot_3_learning_curve` shows how the advantage over TF-IDF depends on the number
# of labels, and :doc:`plot_4_grid_search` how to choose the features.
