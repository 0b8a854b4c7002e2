"""
Long documents
==============

An encoder reads a few hundred tokens at most. What is lost if the rest of a document is
cut off, and is it worth the time to read all of it? This example predicts how positive
whole product reviews are.
"""

# %%
# The reviews
# -----------
# The data set contains sentences, whose ids begin with the number of their review. Join
# them. The target is the mean rating of the sentences, from -4 to 4.

import time
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import RidgeCV
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_bert import BertTokenizer, BertVectorizer
from sklearn_bert.datasets import fetch_vader_sentiment
from sklearn_bert.exceptions import TruncationWarning

amazon = fetch_vader_sentiment(subset="amazon", as_frame=True)
number = [int(name.split("_")[0]) for name in amazon.ids]
reviews = amazon.frame.groupby(number).agg({"text": " ".join, "rating": "mean"})
reviews = reviews.sample(200, random_state=0)
n_words = reviews["text"].str.split().str.len()
print(f"{len(reviews)} reviews of {n_words.min()} to {n_words.max()} words")

# %%
# Cutting or windows
# ------------------
# ``max_length`` cuts a text after this number of tokens, and warns.
# ``long_text="head_tail"`` keeps the beginning and the end instead. With
# ``long_text="window"``, the whole text is read in windows that overlap, and pooled
# over all of them.

vectorizers = {
    "first\n64 tokens": BertVectorizer(max_length=64),
    "first and last,\n64 tokens": BertVectorizer(max_length=64, long_text="head_tail"),
    "everything,\nin windows": BertVectorizer(max_length=128, long_text="window"),
}
# Cutting is intended here.
warnings.simplefilter("ignore", TruncationWarning)
tokens = BertTokenizer(max_length=64).fit(reviews["text"])
share_cut = tokens.n_truncated_ / len(reviews)
print(f"{share_cut:.0%} of the reviews have more than 64 tokens")

# %%
# Scores
# ------
# The encoder is frozen, so each way of reading encodes the reviews once. What follows
# is a ridge regression, cross-validated.

splits = KFold(n_splits=10, shuffle=True, random_state=0)
r2, seconds = {}, {}
for name, vectorizer in vectorizers.items():
    start = time.perf_counter()
    features = vectorizer.fit_transform(reviews["text"])
    seconds[name] = time.perf_counter() - start
    model = make_pipeline(StandardScaler(), RidgeCV(np.logspace(2, 5, 13)))
    predicted = cross_val_predict(model, features, reviews["rating"], cv=splits)
    r2[name] = r2_score(reviews["rating"], predicted)
    print(f"{' '.join(name.split()):26s} R² {r2[name]:.2f}, {seconds[name]:.0f} s")

# %%
# The figure
# ----------

plt.rc("font", size=14)
plt.rc("axes.spines", top=False, right=False)
fig, ax = plt.subplots(figsize=(6.5, 4), layout="constrained")
bars = ax.bar(list(r2), list(r2.values()), color=["silver", "silver", "tab:blue"])
ax.bar_label(bars, fmt="{:.2f}", fontsize=18)
ax.margins(y=0.15)
ax.set(ylabel="R² of the rating")
ax.set_title(f"{share_cut:.0%} of the reviews have more than 64 tokens", size=16)
plt.show()

# %%
# Here it is worth reading everything, since each sentence of a review adds to its mean
# rating. It takes several times as long. If the beginning or the end of a document says
# it all, as in many newspaper articles, cutting is as good.
#
# ``long_text`` is also a parameter of the estimators that fine-tune. Checkpoints that
# read thousands of tokens at once are in :doc:`../../checkpoints`.
