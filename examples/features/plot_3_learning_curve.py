"""
Learning curve against TF-IDF
=============================

How many labels are needed, and does the advantage over TF-IDF remain if there are many?
This example draws the learning curves of two pipelines that tell positive from negative
tweets.
"""

# %%
# The tweets
# ----------
# People rated each tweet from -4 to 4. The target is the sign of the rating, without
# the tweets in between.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedShuffleSplit, learning_curve
from sklearn.pipeline import make_pipeline

from sklearn_bert import BertVectorizer
from sklearn_bert.datasets import fetch_vader_sentiment

X, rating = fetch_vader_sentiment(subset="tweets", return_X_y=True)
is_clear = np.abs(rating) >= 0.5
X, y = X[is_clear][:2000], rating[is_clear][:2000] > 0
print(f"{len(X)} tweets, {y.mean():.0%} of them positive")

# %%
# Two pipelines
# -------------

pipelines = {
    "TF-IDF": make_pipeline(
        TfidfVectorizer(sublinear_tf=True), LogisticRegression(C=10)
    ),
    "BERT": make_pipeline(
        BertVectorizer(cache="memory"), LogisticRegression(max_iter=1000)
    ),
}

# %%
# The curves
# ----------
# The balanced accuracy is the mean of the accuracies of both classes: 0.5 is chance.
# Each tweet is encoded once, for all sizes and splits.

sizes = [25, 50, 100, 200, 400, 800, 1500]
splits = StratifiedShuffleSplit(n_splits=5, test_size=500, random_state=0)
scores = {}
for name, pipeline in pipelines.items():
    _, _, scores[name] = learning_curve(
        pipeline,
        X,
        y,
        train_sizes=sizes,
        cv=splits,
        shuffle=True,
        random_state=0,
        scoring="balanced_accuracy",
    )
    print(f"{name:7s}", scores[name].mean(axis=1).round(3))

# %%
# The figure
# ----------
# The mean over the splits, and its standard deviation.

plt.rc("font", size=14)
plt.rc("axes.spines", top=False, right=False)
fig, ax = plt.subplots(figsize=(6.5, 4), layout="constrained")
for name, color in (("TF-IDF", "tab:gray"), ("BERT", "tab:blue")):
    mean, spread = 100 * scores[name].mean(axis=1), 100 * scores[name].std(axis=1)
    ax.plot(sizes, mean, color=color, linewidth=5)
    ax.fill_between(sizes, mean - spread, mean + spread, color=color, alpha=0.2)
    ax.text(1600, mean[-1], name, color=color, fontsize=20, va="center")
ax.set(
    xscale="log",
    xlim=(23, 3600),
    xlabel="labeled tweets",
    ylabel="balanced accuracy (%)",
)
ax.set_xticks([25, 100, 400, 1500], ["25", "100", "400", "1,500"])
ax.minorticks_off()
plt.show()

# %%
# The encoder is ahead at every size, and TF-IDF needs many times as many labels for the
# same score. The gap becomes smaller with more labels: with ten thousand sentences of
# film reviews there is hardly any left, as the curve of ``make demo`` shows.
#
# If the curve is still rising, label more texts. If it is flat, train the encoder, see
# :doc:`../fine_tuning/plot_1_fine_tuning`.
