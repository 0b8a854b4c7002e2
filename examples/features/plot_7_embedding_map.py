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
from sklearn_bert.inspection import EmbeddingMapDisplay

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
# Neighbors
# ---------
# A map can mislead, so count first: how often does the nearest neighbor of a text, in
# all 384 dimensions, have the same label?

features = BertVectorizer().fit_transform(X)
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
# :class:`~sklearn_bert.inspection.EmbeddingMapDisplay` draws features with any
# projection of scikit-learn. :class:`~sklearn.manifold.TSNE` places texts with similar
# features next to each other. Distances between groups, and the axes, have no meaning.
# The map is computed once, and drawn in the colors of both labels.

plt.rc("font", size=14)
fig, (left, right) = plt.subplots(ncols=2, figsize=(10, 4.2), layout="constrained")
by_source = EmbeddingMapDisplay.from_embeddings(
    features, source, TSNE(metric="cosine", random_state=0), ax=left
)
sign = np.where(is_positive, "positive", "negative")
by_sign = EmbeddingMapDisplay(by_source.coordinates, sign).plot(ax=right)
for display, name in ((by_source, "source"), (by_sign, "sign")):
    display.ax_.set_title(f"{name}: {share[name]:.0%} agree", size=18)
    display.ax_.set(xlabel="", ylabel="", xticks=[], yticks=[])
plt.show()

# %%
# The sources are groups on the map, and the positive and negative texts are mixed:
# features of a frozen encoder represent what a text is about, more than what it says
# about it. A classifier still finds the sign in them, in directions that a map does not
# show. Fine-tuning moves it to the front, see :doc:`../fine_tuning/plot_1_fine_tuning`.
