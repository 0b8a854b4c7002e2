"""
Calibrated probabilities and rejected texts
===========================================

Can the probabilities of a fine-tuned classifier be trusted, and what happens to a text
that belongs to none of its classes? This example corrects the probabilities with texts
that were not used for training, and rejects texts that do not fit.
"""

# %%
# Known and unknown sources
# -------------------------
# The classes are three sources of sentences. A fourth one, the newspaper, is unknown
# when the classifier is trained, and appears later: 100 of its sentences to choose how
# to reject such texts, and 200 others to test that choice.

import matplotlib.pyplot as plt
import numpy as np
from scipy.special import logsumexp, softmax
from sklearn.calibration import CalibratedClassifierCV, calibration_curve
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

from sklearn_bert import BertClassifier, BertVectorizer
from sklearn_bert.datasets import fetch_vader_sentiment

rng = np.random.default_rng(0)
texts = {
    source: rng.choice(fetch_vader_sentiment(subset=source).data, 300, replace=False)
    for source in ("amazon", "movies", "tweets", "nyt")
}
known = ["amazon", "movies", "tweets"]
X_train, X_held_out, X_test = (
    np.concatenate([texts[source][part] for source in known])
    for part in (slice(100), slice(100, 200), slice(200, 300))
)
nyt_held_out, nyt_test = np.split(texts["nyt"], [100])
y = np.repeat(known, 100)

# %%
# Calibration
# -----------
# :class:`~sklearn.calibration.CalibratedClassifierCV` divides the logits by one number,
# the temperature, which it learns from held-out texts. The predicted classes remain.

classifier = BertClassifier(freeze=3, batch_size=16, contrastive=0, random_state=0)
classifier.fit(X_train, y)
calibrated = CalibratedClassifierCV(
    FrozenEstimator(classifier), method="temperature", cv=2
).fit(X_held_out, y)
probability = {
    "fine-tuned": classifier.predict_proba(X_test),
    "calibrated": calibrated.predict_proba(X_test),
}
is_correct = classifier.classes_[probability["fine-tuned"].argmax(axis=1)] == y
print(
    f"{is_correct.mean():.0%} of the predictions are correct; the mean probability is"
)
for name, values in probability.items():
    print(f"{name:11s} {values.max(axis=1).mean():.0%}")

# %%
# Three scores of fit
# -------------------
# * The largest probability. The probabilities of a text sum to 1, so that one of them
#   may be large although no class fits.
# * The logarithm of the sum of the exponentiated logits, which is known as the
#   (negative) energy. It is large only if at least one logit is.
# * The similarity to the most similar training text, in the features of an encoder that
#   was *not* fine-tuned.

vectorizer = BertVectorizer()
index = NearestNeighbors(n_neighbors=1, metric="cosine")
index.fit(vectorizer.transform(X_train))


def score(texts):
    """Return three scores, each higher the better a text fits the known classes."""
    distances, _ = index.kneighbors(vectorizer.transform(texts))
    logits = classifier.decision_function(texts)
    return {
        "probability": softmax(logits, axis=1).max(axis=1),
        "energy": logsumexp(logits, axis=1),
        "similarity": 1 - distances[:, 0],
    }


# %%
# Choose with the held-out texts. AUROC is the probability that one of a known source
# has a higher score than one of the newspaper.

held_out, unknown_held_out = score(X_held_out), score(nyt_held_out)
auroc = {}
for name in held_out:
    values = np.concatenate([held_out[name], unknown_held_out[name]])
    auroc[name] = roc_auc_score(np.repeat([True, False], [300, 100]), values)
    print(f"{name:12s} AUROC {auroc[name]:.2f}")
best = max(auroc, key=auroc.get)

# %%
# A threshold
# -----------
# It is the score that nine of ten held-out texts of the known sources exceed. How many
# texts of an unknown source are rejected is not under control, and shows in the test.

threshold = np.quantile(held_out[best], 0.1)
known_test, unknown_test = score(X_test)[best], score(nyt_test)[best]
is_accepted = known_test >= threshold
is_rejected = unknown_test < threshold
print(f"{best}: rejects {is_rejected.mean():.0%} of the newspaper sentences")
print(f"and {1 - is_accepted.mean():.0%} of the others; accuracy of the rest", end=" ")
print(f"{is_correct[is_accepted].mean():.2f}")

# %%
# The figure
# ----------
# On the left, a perfect model would follow the dashed line. On the right, texts to the
# left of the dashed line are rejected.

plt.rc("font", size=14)
plt.rc("axes.spines", top=False, right=False)
fig, (left, right) = plt.subplots(ncols=2, figsize=(9, 4), layout="constrained")
for name, color in (("fine-tuned", "tab:gray"), ("calibrated", "tab:blue")):
    largest = probability[name].max(axis=1)
    share, mean = calibration_curve(is_correct, largest, n_bins=5, strategy="quantile")
    left.plot(mean, share, "o-", color=color, linewidth=4, label=name)
left.plot([0.6, 1], [0.6, 1], color="gray", linestyle="--")
left.set(xlabel="probability", ylabel="share correct", title="Calibration")
left.legend(frameon=False)

right.hist(
    [known_test, unknown_test],
    bins=15,
    histtype="stepfilled",
    alpha=0.6,
    color=["tab:blue", "tab:red"],
    label=["known", "unknown"],
)
right.axvline(threshold, color="black", linestyle="--", linewidth=2)
right.set(xlabel=best, title="Rejecting", yticks=[])
right.legend(title="source", frameon=False, loc="upper right")
plt.show()

# %%
# No threshold separates the two completely. :doc:`../../probabilities` says more about
# both corrections, and :doc:`../features/plot_8_label_errors` finds training texts that
# fit their class badly.
