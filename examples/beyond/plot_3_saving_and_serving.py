"""
Saving and serving a model
==========================

How does a fitted classifier get into a service, and how long does a request take? One
file contains the weights, the vocabulary and the labels, and loading it runs no code
from it. What a service should know is that many short calls are slower than one large
one.
"""

# %%
# Fit
# ---
# A classifier of tweets, positive or negative.

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np

from sklearn_bert import BertClassifier, load
from sklearn_bert.datasets import fetch_vader_sentiment

X, rating = fetch_vader_sentiment(subset="tweets", return_X_y=True)
is_clear = np.abs(rating) >= 1
X, y = X[is_clear], np.where(rating[is_clear] > 0, "positive", "negative")
classifier = BertClassifier(freeze=4, random_state=0).fit(X[:200], y[:200])

# %%
# Save, and load elsewhere
# ------------------------
# ``save`` returns the SHA-256 of the file. ``load`` compares it, so that nobody can
# replace the file unnoticed.

folder = TemporaryDirectory()
path = Path(folder.name, "tweets.safetensors")
sha256 = classifier.save(path)
print(f"{path.stat().st_size / 1e6:.0f} MB, SHA-256 {sha256[:16]}...")

loaded = load(path, expected_sha256=sha256)
new = ["What a lovely day", "my train is late again"]
assert np.array_equal(loaded.predict_proba(new), classifier.predict_proba(new))
print(loaded.predict(new))

# %%
# One text per call, or many
# --------------------------
# Load once, when the process starts. The first call prepares what the others use; do
# not count it. Texts of one call share the work of the encoder.

loaded.predict(X[:8])
sizes = [1, 4, 16, 64]
rates = []
for size in sizes:
    texts = X[200 : 200 + max(32, 2 * size)]
    start = time.perf_counter()
    for first in range(0, len(texts), size):
        loaded.predict(texts[first : first + size])
    rates.append(len(texts) / (time.perf_counter() - start))
    print(f"{size:3d} texts per call: {1000 * size / rates[-1]:4.0f} ms per call")
folder.cleanup()

# %%
# The figure
# ----------
# These times are of the machine that built this page.

plt.rc("font", size=14)
plt.rc("axes.spines", top=False, right=False)
fig, ax = plt.subplots(figsize=(6, 4), layout="constrained")
bars = ax.bar([str(size) for size in sizes], rates, color="tab:blue")
ax.bar_label(bars, fmt="{:.0f}", fontsize=18)
ax.margins(y=0.12)
ax.set(xlabel="texts per call", ylabel="texts per second")
plt.show()

# %%
# Requests come one by one. The service in :doc:`../../serving` collects those that
# arrive at the same time and answers them with one call. :doc:`../../sharing` describes
# the file, and the formats of other programs.
