"""
Pairs of texts
==============

Do two sentences come from the same newspaper article? Two columns of X are a pair: the
encoder reads both together, and can compare them word by word. Is this better than the
similarity of their vectors?
"""

# %%
# The pairs
# ---------
# The first column is a sentence of an opinion article of The New York Times. The second
# is the next sentence, or in half of the rows a sentence of another article. No article
# of a training pair is in a test pair.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import roc_auc_score, roc_curve

from sklearn_bert import BertClassifier, BertVectorizer
from sklearn_bert.datasets import fetch_vader_sentiment

nyt = fetch_vader_sentiment(subset="nyt")
article = np.array([int(name.split("_")[0]) for name in nyt.ids])
rng = np.random.default_rng(0)

# %%
# Shuffle the sentences that have a next one in their article. Half of them are
# combined with the sentence after another one, which is in another article except by
# chance.


def make_pairs(first, last):
    """Return 320 pairs from a range of articles, and whether they belong together."""
    rows = np.flatnonzero((article >= first) & (article < last))[:-1]
    rows = rng.permutation(rows[article[rows] == article[rows + 1]])[:320]
    following = np.where(np.arange(320) < 160, rows, np.roll(rows, 1)) + 1
    pairs = np.column_stack([nyt.data[rows], nyt.data[following]])
    return pairs, article[rows] == article[following]


X_train, y_train = make_pairs(1, 300)
X_test, y_test = make_pairs(300, 500)
for pair, is_same in zip(X_test[[0, -1]], y_test[[0, -1]], strict=True):
    print(is_same, *(text[:60] for text in pair), sep="\n    ")

# %%
# Similarity of two vectors
# -------------------------
# Encode each column, and take the cosine of the vectors of a pair. No labels are used.

vectorizer = BertVectorizer()
first, second = (vectorizer.transform(column) for column in X_test.T)
norms = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
scores = {"cosine": (first * second).sum(axis=1) / norms}

# %%
# Reading both together
# ---------------------

classifier = BertClassifier(freeze=3, batch_size=16, random_state=0)
classifier.fit(X_train, y_train)
scores["fine-tuned"] = classifier.decision_function(X_test)
auc = {name: roc_auc_score(y_test, values) for name, values in scores.items()}
for name, area in auc.items():
    print(f"{name:11s} area under the curve {area:.2f}")

# %%
# The figure
# ----------

plt.rc("font", size=14)
plt.rc("axes.spines", top=False, right=False)
fig, ax = plt.subplots(figsize=(5.5, 4.2), layout="constrained")
for (name, values), color in zip(
    scores.items(), ("tab:blue", "tab:orange"), strict=True
):
    share_wrong, share_found, _ = roc_curve(y_test, values)
    label = f"{name} ({auc[name]:.2f})"
    ax.plot(share_wrong, share_found, color=color, linewidth=4, label=label)
ax.plot([0, 1], [0, 1], color="gray", linestyle="--")
ax.legend(frameon=False, loc="lower right", fontsize=16)
ax.set(xlabel="other articles accepted", ylabel="same article found")
plt.show()

# %%
# No: here the cosine is far better, and needs no labels. This checkpoint was trained to
# give sentences on one subject similar vectors, and a few hundred pairs do not teach
# an encoder to compare. Reading both together is for questions that similarity does not
# answer, such as whether a sentence contradicts another one, and for thousands of
# pairs.
#
# :doc:`../../pairs` describes X, and
# :doc:`../features/plot_6_semantic_search` is about the similarity of many texts.
