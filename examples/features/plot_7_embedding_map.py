"""
Map of the features
===================

What do the features of a frozen encoder know about texts, before there is any
classifier? A map in two dimensions shows which labels are apart in them, and which are
not.
"""

# %%
# The sentences
# -------------
# 150 sentences from each of four sources, with the rating of each by people, from -4 to
# 4. The labels are only used to color the maps.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.manifold import TSNE
from sklearn.neighbors import NearestNeighbors

from sklearn_bert import BertVectorizer
from sklearn_bert.datasets import fetch_vader_sentiment

sources = ["movies", "amazon", "tweets", "nyt"]
rng = np.random.default_rng(0)
X, rating = [], []
for source in sources:
    part = fetch_vader_sentiment(subset=source)
    rows = rng.choice(len(part.data), size=150, replace=False)
    X.extend(part.data[rows])
    rating.extend(part.target[rows])
source = np.repeat(sources, 150)
is_positive = np.array(rating) > 0

# %%
# From 384 dimensions to two
# --------------------------
# :class:`~sklearn.manifold.TSNE` places texts with similar features next to each other.
# Distances between groups, and the axes, have no meaning.

features = BertVectorizer().fit_transform(X)
points = TSNE(metric="cosine", random_state=0).fit_transform(features)

# %%
# A map can mislead, so count too: how often does the nearest neighbor of a text, in all
# dimensions, have the same label?

index = NearestNeighbors(n_neighbors=1, metric="cosine").fit(features)
neighbor = index.kneighbors(return_distance=False).ravel()
share = {}
for name, labels in (("source", source), ("sign", is_positive)):
    share[name] = np.mean(labels == labels[neighbor])
    by_chance = np.mean(labels[:, None] == labels)
    print(
        f"{name:6s} of the neighbor: {share[name]:.0%} same, {by_chance:.0%} by chance"
    )

# %%
# The figure
# ----------
# The same map twice, in the colors of the two labels.

colors = ["tab:orange", "tab:blue", "tab:green", "tab:purple"]
plt.rc("font", size=14)
fig, (left, right) = plt.subplots(ncols=2, figsize=(9, 4.4), layout="constrained")
for name, color in zip(sources, colors, strict=True):
    own = points[source == name]
    left.scatter(*own.T, color=color, s=35, label=name)
for name, chosen, color in (
    ("positive", is_positive, "tab:blue"),
    ("negative", ~is_positive, "tab:red"),
):
    right.scatter(*points[chosen].T, color=color, s=35, label=name)
for ax, name in ((left, "source"), (right, "sign")):
    ax.set_title(f"{name}: {share[name]:.0%} of neighbors agree", size=18)
    ax.set(xticks=[], yticks=[])
    ax.legend(
        ncols=4,
        loc="upper center",
        bbox_to_anchor=(0.5, 0),
        frameon=False,
        handletextpad=0,
        columnspacing=0.8,
    )
plt.show()

# %%
# The sources are groups on the map, and the positive and negative texts are mixed:
# features of a frozen encoder represent what a text is about, more than what it says
# about it. A classifier still finds the sign in them, in directions that a map does not
# show. Fine-tuning moves it to the front, see :doc:`../fine_tuning/plot_1_fine_tuning`.
