"""
A few examples per class
========================

What can be learned from two, four or eight labeled texts per class? Few labels say
little about words, but an encoder has seen many words before, and
:class:`~sklearn_bert.BertClassifier` compares all pairs of the few texts.
"""

# %%
# The tweets
# ----------
# People rated each tweet from -4 to 4. Train with a few of the clearly positive and
# negative ones, and test with 200 others.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline

from sklearn_bert import BertClassifier, BertVectorizer
from sklearn_bert.datasets import fetch_vader_sentiment

X, rating = fetch_vader_sentiment(subset="tweets", return_X_y=True)
is_clear = np.abs(rating) >= 1
X, y = X[is_clear][:1000], rating[is_clear][:1000] > 0
X_test, y_test, X_train, y_train = X[:200], y[:200], X[200:], y[200:]

# %%
# The models
# ----------
# For up to 2,000 texts, half of the loss compares the texts of a batch with each other:
# those of one class should have similar features (``contrastive="auto"``). With few
# texts, training also makes more passes over them (``n_epochs="auto"``).

models = {
    "TF-IDF": make_pipeline(TfidfVectorizer(), LogisticRegression(C=10)),
    "frozen features": make_pipeline(
        BertVectorizer(cache="memory"), LogisticRegression(max_iter=1000)
    ),
    "fine-tuned": BertClassifier(freeze=3, random_state=0),
}

# %%
# Scores
# ------
# A few examples may be lucky or unlucky ones: draw them three times.


def draw(n_per_class, seed):
    """Return the rows of some training texts of each class."""
    rng = np.random.default_rng(seed)
    rows = [rng.permutation(np.flatnonzero(y_train == label)) for label in (0, 1)]
    return np.concatenate([own[:n_per_class] for own in rows])


sizes = [2, 4, 8]
scores = {name: np.empty((len(sizes), 3)) for name in models}
for place, size in enumerate(sizes):
    for seed in range(3):
        rows = draw(size, seed)
        for name, model in models.items():
            guesses = model.fit(X_train[rows], y_train[rows]).predict(X_test)
            scores[name][place, seed] = balanced_accuracy_score(y_test, guesses)
for name, values in scores.items():
    print(f"{name:16s}", values.mean(axis=1).round(2))

# %%
# The figure
# ----------
# A point is one draw, and a line connects the means.

plt.rc("font", size=14)
plt.rc("axes.spines", top=False, right=False)
fig, ax = plt.subplots(figsize=(6.5, 4), layout="constrained")
colors, sides = ("tab:gray", "tab:blue", "tab:orange"), ("top", "center", "bottom")
for (name, values), color, side in zip(scores.items(), colors, sides, strict=True):
    ax.plot(sizes, 100 * values.mean(axis=1), color=color, linewidth=4)
    ax.plot(sizes, 100 * values, "o", color=color, alpha=0.5)
    end = 100 * values[-1].mean()
    ax.text(8.5, end, name.replace(" ", "\n"), color=color, size=16, va=side)
ax.axhline(50, color="gray", linestyle=":")
ax.set(xscale="log", xlim=(1.85, 14), ylim=(45, 100))
ax.set_xticks(sizes, sizes)
ax.minorticks_off()
ax.set(xlabel="labeled tweets per class", ylabel="balanced accuracy (%)")
plt.show()

# %%
# Fine-tuning is ahead of frozen features with each number of texts. The draws differ by
# as much as the models, so that a comparison on a single one says little.
#
# :doc:`../../few_texts` describes the loss, and
# :doc:`../features/plot_3_learning_curve` shows what more labels bring.
