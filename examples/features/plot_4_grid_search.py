"""
Grid search over pooling, layers and C
======================================

Which layer of the encoder has the best features, how should the words be pooled, and
how much should the classifier be regularized?
:class:`~sklearn.model_selection.GridSearchCV` searches all three together, and encodes
each text only once.
"""

# %%
# The tweets
# ----------

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from sklearn_bert import BertVectorizer, cache_info
from sklearn_bert.datasets import fetch_vader_sentiment

X, rating = fetch_vader_sentiment(subset="tweets", return_X_y=True)
is_clear = np.abs(rating) >= 0.5
X, y = X[is_clear][:800], rating[is_clear][:800] > 0
print(f"{len(X)} tweets, {y.mean():.0%} of them positive")

# %%
# The search
# ----------
# ``layers=-1`` is the last layer of the encoder, and a list concatenates several.
# ``cache="memory"`` keeps all poolings of the layers of a text, so that the 24 settings
# and 5 folds need one pass of the encoder. Fit the largest setting first: the others
# are then in the cache.

LAST_FOUR = [-4, -3, -2, -1]
pipeline = Pipeline(
    [
        ("bert", BertVectorizer(layers=LAST_FOUR, cache="memory")),
        ("classifier", LogisticRegression(max_iter=1000)),
    ]
)
pipeline.fit(X, y)
grid = {
    "bert__pooling": ["cls", "mean", "max"],
    "bert__layers": [-1, LAST_FOUR],
    "classifier__C": [0.01, 0.1, 1, 10],
}
search = GridSearchCV(pipeline, grid, cv=5, scoring="balanced_accuracy").fit(X, y)
print(search.best_params_)
print(f"{cache_info().n_vectors:,} vectors in the cache")

# %%
# The scores
# ----------

results = pd.DataFrame(search.cv_results_)
results["features"] = [
    f"{pooling}, {'last layer' if layers == -1 else 'last four'}"
    for pooling, layers in zip(
        results["param_bert__pooling"], results["param_bert__layers"], strict=True
    )
]
scores = results.pivot_table("mean_test_score", "features", "param_classifier__C")
print(scores.round(3).to_string())

# %%
# The figure
# ----------

plt.rc("font", size=14)
fig, ax = plt.subplots(figsize=(7, 4.2), layout="constrained")
ax.imshow(scores, cmap="Blues", aspect="auto")
for (row, column), score in np.ndenumerate(scores):
    is_dark = score > scores.to_numpy().mean()
    color = "white" if is_dark else "black"
    ax.text(column, row, f"{score:.2f}", color=color, size=18, ha="center", va="center")
ax.set_xticks(range(scores.shape[1]), scores.columns)
ax.set_yticks(range(scores.shape[0]), scores.index)
ax.set(xlabel="C of the logistic regression", title="Balanced accuracy, 5 folds")
plt.show()

# %%
# The pooling matters more than C. This checkpoint was trained with mean pooling, and
# the mean over the words is best. Four layers are better than the last one, since the
# lower layers keep more of the wording.
#
# To search the parameters of fine-tuning, where each setting takes a training of its
# own, see :doc:`../fine_tuning/plot_9_parameter_search`.
