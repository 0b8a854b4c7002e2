"""
Semantic search and clustering
==============================

Which newspaper articles are about a subject, although they do not contain the word, and
which subjects are there at all? Both need no labels: texts with similar meanings have
similar features, so that neighbors and clusters of features are often subjects.
"""

# %%
# The articles
# ------------
# Opinion articles of The New York Times. The data set contains their sentences; join
# the first three of each article.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.manifold import TSNE
from sklearn.neighbors import NearestNeighbors

from sklearn_bert import BertVectorizer
from sklearn_bert.datasets import fetch_vader_sentiment

nyt = fetch_vader_sentiment(subset="nyt", as_frame=True)
article = [int(name.split("_")[0]) for name in nyt.ids]
openings = nyt.frame["text"].groupby(article).agg(lambda texts: " ".join(texts[:3]))
X = openings.to_numpy()[:400]
print(f"{len(X)} articles")

# %%
# Search
# ------
# Encode the articles once. A query is a text like any other, and the cosine distance
# finds its neighbors.

vectorizer = BertVectorizer()
features = vectorizer.fit_transform(X)
index = NearestNeighbors(n_neighbors=3, metric="cosine").fit(features)

queries = ["children in need", "the war in the Balkans", "clean air and water"]
distances, rows = index.kneighbors(vectorizer.transform(queries))
for query, near, found in zip(queries, distances, rows, strict=True):
    print(query)
    for distance, row in zip(near, found, strict=True):
        print(f"    {1 - distance:.2f} {X[row][:70]}")

# %%
# Clusters
# --------
# :class:`~sklearn.cluster.KMeans` groups the same features. TF-IDF names each group by
# the word that is most frequent in it, compared with the others.

clusters = KMeans(n_clusters=8, n_init=10, random_state=0).fit_predict(features)
words = TfidfVectorizer(stop_words="english", min_df=5, token_pattern=r"[a-z]{4,}")
counts = words.fit_transform(X)
names = []
for cluster in range(8):
    mean = counts[clusters == cluster].mean(axis=0).A1
    excess = mean - counts[clusters != cluster].mean(axis=0).A1
    top = words.get_feature_names_out()[excess.argsort()[::-1]]
    names.append(top[0])
    print(f"{np.sum(clusters == cluster):3d} articles: {', '.join(top[:5])}")

# %%
# The figure
# ----------
# A map of the articles: neighbors in 384 dimensions remain neighbors in two, as far as
# possible.

points = TSNE(metric="cosine", random_state=0).fit_transform(features)
fig, ax = plt.subplots(figsize=(6.5, 4.5), layout="constrained")
ax.scatter(*points.T, c=clusters, cmap="Set2", s=60)
for cluster, name in enumerate(names):
    place = np.median(points[clusters == cluster], axis=0)
    ax.text(*place, name, size=18, weight="bold", ha="center", va="center")
ax.set(xticks=[], yticks=[])
ax.set_title("Clusters of articles, without labels", size=16)
plt.show()

# %%
# Some clusters have a clear subject, and others collect what is left. They overlap on
# the map, since many articles have more than one subject.
#
# :doc:`plot_7_embedding_map` draws such maps with labels. Checkpoints that were trained
# for search, and the prompts that they need, are in :doc:`../../checkpoints`.
