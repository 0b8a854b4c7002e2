"""
Imbalanced classes
==================

One tweet in eleven is strongly negative, and these are to be found. A classifier that
never finds one is right for the other ten: which score, which weights and which
threshold help?
"""

# %%
# The tweets
# ----------
# People rated them from -4 to 4. The positive class of this example is a rating of -2
# or less.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    average_precision_score,
    precision_recall_curve,
    precision_score,
    recall_score,
)
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from sklearn_bert import BertClassifier, BertVectorizer
from sklearn_bert.datasets import fetch_vader_sentiment

X, rating = fetch_vader_sentiment(subset="tweets", return_X_y=True)
X, y = X[:1600], (rating[:1600] <= -2).astype(int)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.5, stratify=y, random_state=0
)
print(f"{y_train.sum()} of {len(y_train)} training tweets are strongly negative")

# %%
# Two models
# ----------
# ``class_weight="balanced"`` gives both classes the same total weight, in the logistic
# regression as in the loss of the fine-tuned encoder.

models = {
    "frozen features": make_pipeline(
        BertVectorizer(), LogisticRegression(class_weight="balanced", max_iter=1000)
    ),
    "fine-tuned": BertClassifier(freeze=3, class_weight="balanced", random_state=0),
}
probability = {
    name: model.fit(X_train, y_train).predict_proba(X_test)[:, 1]
    for name, model in models.items()
}

# %%
# Scores
# ------
# The accuracy says little here. Precision is the share of the found tweets that are
# strongly negative, and recall the share of the strongly negative tweets that are
# found. The average precision sums up all thresholds.

accuracy_of_never = 1 - y_test.mean()
print(f"{'never':16s} accuracy {accuracy_of_never:.2f}, recall 0.00")
average_precision = {}
for name, chances in probability.items():
    found = chances > 0.5
    average_precision[name] = average_precision_score(y_test, chances)
    print(
        f"{name:16s} accuracy {np.mean(found == y_test):.2f}, "
        f"recall {recall_score(y_test, found):.2f}, "
        f"precision {precision_score(y_test, found):.2f}, "
        f"average precision {average_precision[name]:.2f}"
    )

# %%
# The figure
# ----------
# The points are the threshold of 0.5. Any other place on a curve can be chosen, with
# :class:`~sklearn.model_selection.TunedThresholdClassifierCV` or by hand.

plt.rc("font", size=14)
plt.rc("axes.spines", top=False, right=False)
fig, ax = plt.subplots(figsize=(6.5, 4.2), layout="constrained")
for (name, chances), color in zip(
    probability.items(), ("tab:blue", "tab:orange"), strict=True
):
    precision, recall, _ = precision_recall_curve(y_test, chances)
    label = f"{name} ({average_precision[name]:.2f})"
    ax.plot(recall, precision, color=color, linewidth=4, label=label)
    found = chances > 0.5
    place = recall_score(y_test, found), precision_score(y_test, found)
    ax.scatter(*place, color=color, edgecolor="black", s=150, zorder=3)
ax.axhline(y_test.mean(), color="gray", linestyle="--")
ax.text(0.02, y_test.mean() + 0.02, "chance", color="gray")
ax.legend(title="average precision", frameon=False, loc="upper right")
ax.set(xlabel="recall", ylabel="precision", ylim=(0, 1.05))
plt.show()

# %%
# The fine-tuned classifier is better at most thresholds. If too many tweets are found
# that are not strongly negative, a higher threshold needs no other training. Choose it
# by what a missed tweet costs.
#
# Weights of single texts are in :doc:`../../imbalance`, and
# ``scoring="average_precision"`` in :doc:`../../early_stopping`. How far probabilities
# can be trusted is shown in :doc:`plot_8_calibration`.
