"""
Fine-tuning against frozen features
===================================

When is it worth training the encoder? :class:`~sklearn_bert.BertClassifier` is compared
with logistic regression on frozen features, for two questions about the same kind of
texts: *where* was a sentence published, and is it *positive*?
"""

# %%
# Two questions
# -------------
# For the first question, sentences from three sources. For the second, tweets and the
# sign of their rating by people. Each has 320 sentences for training, and 300 for the
# test.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_bert import BertClassifier, BertVectorizer
from sklearn_bert.datasets import fetch_vader_sentiment

rng = np.random.default_rng(0)
data = {
    name: fetch_vader_sentiment(subset=name) for name in ("amazon", "nyt", "tweets")
}
texts = [rng.choice(part.data, size=300, replace=False) for part in data.values()]
sources = np.concatenate(texts), np.repeat(list(data), 300)

tweets = data["tweets"]
is_clear = np.abs(tweets.target) >= 0.5
signs = tweets.data[is_clear], tweets.target[is_clear] > 0

questions = {"Which source?": sources, "Positive?": signs}
splits = {}
for question, (X, y) in questions.items():
    train, test = np.split(rng.permutation(len(X))[:620], [320])
    splits[question] = X[train], X[test], y[train], y[test]

# %%
# Four models
# -----------
# The last layer of the encoder represents what a text is about, and the layers below it
# keep more of *how* it is said. ``freeze=3`` trains the upper three of the six layers,
# and ``batch_size=16`` makes as many steps as the default with half the texts in each:
# both save time.

models = {
    "TF-IDF": make_pipeline(
        TfidfVectorizer(sublinear_tf=True), LogisticRegression(C=10)
    ),
    "frozen,\nfour layers": make_pipeline(
        BertVectorizer(layers=[-4, -3, -2, -1], cache="memory"),
        LogisticRegression(C=0.1, max_iter=1000),
    ),
    "frozen,\nlast layer": make_pipeline(
        BertVectorizer(cache="memory"), LogisticRegression(max_iter=1000)
    ),
    "fine-tuned": BertClassifier(freeze=3, batch_size=16, random_state=0),
}
accuracy = {}
for question, (X_train, X_test, y_train, y_test) in splits.items():
    for name, model in models.items():
        score = model.fit(X_train, y_train).score(X_test, y_test)
        accuracy[question, name] = score
        print(f"{question:14s} {' '.join(name.split()):20s} {score:.3f}")

# %%
# The figure
# ----------

shown = {
    "TF-IDF": "silver",
    "frozen,\nlast layer": "lightskyblue",
    "frozen,\nfour layers": "tab:blue",
    "fine-tuned": "tab:orange",
}
plt.rc("font", size=13)
plt.rc("axes.spines", top=False, right=False)
fig, axes = plt.subplots(ncols=2, figsize=(9, 4), sharey=True, layout="constrained")
for ax, question in zip(axes, splits, strict=True):
    scores = [100 * accuracy[question, name] for name in shown]
    bars = ax.bar(list(shown), scores, color=list(shown.values()))
    ax.bar_label(bars, fmt="{:.0f}", fontsize=20)
    ax.set_title(question, fontsize=20)
    ax.tick_params(axis="x", labelsize=11)
axes[0].set(ylabel="test accuracy (%)", ylim=(50, 105))
plt.show()

# %%
# The encoder is far better than TF-IDF, frozen or not. The source follows from what a
# sentence is about, and four frozen layers are as good as fine-tuning. Whether a tweet
# is positive does not, and there fine-tuning removes a large part of the errors. It
# takes many times as long as frozen features, which are therefore a good start.
#
# :doc:`../../fine_tuning` describes the parameters. With fewer texts, see
# :doc:`plot_2_few_examples`; for the best learning rate, see
# :doc:`plot_9_parameter_search`.
