"""
Finding label errors
====================

Labels contain errors, and reading all texts again is tedious. Which ones should be read
first? The texts whose label a model finds least likely, if it has not seen this text in
training. This example flips some labels on purpose, and counts how many are found.
"""

# %%
# Tweets with wrong labels
# ------------------------
# Tweets that people rated as clearly positive or negative. One label in twenty is
# flipped.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline

from sklearn_bert import BertVectorizer
from sklearn_bert.datasets import fetch_vader_sentiment

X, rating = fetch_vader_sentiment(subset="tweets", return_X_y=True)
is_clear = np.abs(rating) >= 1.5
X, y = X[is_clear][:1000], (rating[is_clear][:1000] > 0).astype(int)

rng = np.random.default_rng(0)
is_wrong = np.zeros(len(X), dtype=bool)
is_wrong[rng.choice(len(X), size=len(X) // 20, replace=False)] = True
y_given = np.where(is_wrong, 1 - y, y)
print(f"{len(X)} tweets, {is_wrong.sum()} wrong labels")

# %%
# The probability of the given label
# ----------------------------------
# :func:`~sklearn.model_selection.cross_val_predict` trains on other tweets, so that no
# tweet can confirm its own label.

model = make_pipeline(
    BertVectorizer(layers=[-4, -3, -2, -1]), LogisticRegression(C=0.1, max_iter=1000)
)
features = model[:-1].fit_transform(X)
probability = cross_val_predict(
    model[-1], features, y_given, cv=5, method="predict_proba"
)
order = probability[np.arange(len(X)), y_given].argsort()

for row in order[:6]:
    label = ["negative", "positive"][y_given[row]]
    note = "flipped" if is_wrong[row] else "as rated"
    print(f"{label}, {note:8s} {X[row][:64]}")

# %%
# How many errors are found?
# --------------------------
# Read the tweets in this order. A random order would follow the dashed line.

found = is_wrong[order].cumsum() / is_wrong.sum()
read = np.arange(1, len(X) + 1) / len(X)
n_read = int(0.1 * len(X))
print(f"{found[n_read - 1]:.0%} of the errors are in the first {n_read} tweets")

plt.rc("font", size=14)
plt.rc("axes.spines", top=False, right=False)
fig, ax = plt.subplots(figsize=(6, 4), layout="constrained")
ax.plot(100 * read, 100 * found, color="tab:blue", linewidth=5)
ax.plot([0, 100], [0, 100], color="gray", linestyle="--", linewidth=2)
ax.scatter(10, 100 * found[n_read - 1], color="tab:red", s=150, zorder=3)
ax.text(14, 100 * found[n_read - 1] - 12, f"{found[n_read - 1]:.0%} found", size=18)
ax.set(xlabel="tweets read again (%)", ylabel="wrong labels found (%)")
plt.show()

# %%
# These tweets are clear cases. Where people disagree about the label, the model is
# often as unsure as they are, and errors are harder to find.
#
# Correct what is wrong, and repeat. The package cleanlab estimates how many labels are
# wrong, and needs only the probabilities above. For texts that belong to no class, see
# :doc:`../fine_tuning/plot_8_calibration`.
