"""
What the model looked at
========================

Which words of a tweet made a classifier call it negative, and are they really what it
decides by? :func:`~sklearn_bert.inspection.token_attributions` divides a prediction
among the words, and leaving out words is a test of it.
"""

# %%
# A classifier of tweets
# ----------------------
# People rated each tweet from -4 to 4. The classes are the clearly positive and the
# clearly negative ones.

import matplotlib.pyplot as plt
import numpy as np

from sklearn_bert import BertClassifier
from sklearn_bert.datasets import fetch_vader_sentiment
from sklearn_bert.inspection import TokenAttributionDisplay, token_attributions

X, rating = fetch_vader_sentiment(subset="tweets", return_X_y=True)
is_clear = np.abs(rating) >= 1
X, y = X[is_clear], np.where(rating[is_clear] > 0, "positive", "negative")
classifier = BertClassifier(freeze=3, random_state=0).fit(X[:300], y[:300])
X_test, y_test = X[300:400], y[300:400]
print(f"accuracy {classifier.score(X_test, y_test):.2f}")

# %%
# The contributions of words
# --------------------------
# Take the first tweets that are long enough, and classified correctly. The
# contributions of the words sum to the log-odds of the predicted class, compared with a
# text of [MASK].

is_long = np.array([len(text.split()) >= 8 for text in X_test])
texts = X_test[is_long & (classifier.predict(X_test) == y_test)][:40]
attributions = token_attributions(classifier, texts)
for one in attributions[:3]:
    best = one.words[np.nanargmax(one.contributions)]
    total, change = np.nansum(one.contributions), one.output - one.baseline_output
    print(f"{one.target}: {best!r} adds most; sum {total:.2f} of {change:.2f}")

# %%
# Leaving out words
# -----------------
# If these words are what the model decides by, then the prediction should change more
# often without them than without three other words.

rng = np.random.default_rng(0)


def share_of_changes(choose):
    """Return how many predictions change without the three words that are chosen."""
    shorter = [
        " ".join(np.delete(one.words, choose(one.contributions)[:3]))
        for one in attributions
    ]
    return np.mean(classifier.predict(shorter) != classifier.predict(texts))


changes = {
    "highest": share_of_changes(lambda values: np.argsort(-values)),
    "random": share_of_changes(lambda values: rng.permutation(len(values))),
}
for name, share in changes.items():
    print(f"without three {name} words, {share:.0%} of the predictions change")

# %%
# The figure
# ----------
# One tweet of each class. Blue words speak for the predicted class and red ones
# against it. In a notebook, ``TokenAttributionDisplay(attributions)`` at the end of a
# cell shows all texts with colored words.

plt.rc("font", size=14)
plt.rc("axes.spines", top=False, right=False)
display = TokenAttributionDisplay(attributions)
fig, axes = plt.subplots(ncols=2, figsize=(9, 4.5), layout="constrained")
for ax, target in zip(axes, ("negative", "positive"), strict=True):
    rows = [row for row, one in enumerate(attributions) if one.target == target]
    display.plot(ax, row=min(rows, key=lambda row: len(attributions[row].words)))
    ax.set_title(target, size=18)
    ax.set_xlabel("contribution")
plt.show()

# %%
# An explanation describes the model and not the world: if it names words that should
# not matter, the training data made them matter. :doc:`../../explaining` compares the
# methods, and explains pipelines, pairs and taggers too.
