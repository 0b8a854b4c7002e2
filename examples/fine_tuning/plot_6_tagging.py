"""
Tagging words in sentences
==========================

Which words of a sentence are names? A text in lower case does not show it, but the
context does. :class:`~sklearn_bert.BertTokenClassifier` tags each word, also those that
do not occur in the training sentences.
"""

# %%
# Sentences with free labels
# --------------------------
# Newspapers write names with a capital letter. Take this as the tag, and remove it from
# the words. The first word of a sentence always has a capital letter, and is left out.

import re

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import f1_score

from sklearn_bert import BertTokenClassifier
from sklearn_bert.datasets import fetch_vader_sentiment

sentences = fetch_vader_sentiment(subset="nyt").data
rows = np.random.default_rng(0).permutation(len(sentences))
X, y = [], []
for sentence in sentences[rows]:
    words = re.findall(r"[\w.'-]*\w", sentence)[1:]
    if 8 <= len(words) <= 25:
        X.append([word.lower() for word in words])
        y.append(["name" if word[0].isupper() else "other" for word in words])
X_train, y_train, X_test, y_test = X[:300], y[:300], X[300:500], y[300:500]
print(*zip(X[0], y[0], strict=True))

# %%
# A dictionary and an encoder
# ---------------------------
# The baseline looks up each word in the training sentences, and calls new ones "other".

known = {}
for words, tags in zip(X_train, y_train, strict=True):
    known.update(zip(words, tags, strict=True))
tagger = BertTokenClassifier(freeze=3, random_state=0).fit(X_train, y_train)
predicted = {
    "dictionary": [[known.get(word, "other") for word in words] for words in X_test],
    "BERT": tagger.predict(X_test),
}

# %%
# Scores
# ------
# The F1 score of names, for words that occur in the training sentences and for words
# that do not.

true = np.concatenate(y_test)
is_new = np.array([word not in known for words in X_test for word in words])
f1 = {}
for name, tags in predicted.items():
    tags = np.concatenate(list(tags))
    for group, chosen in (("known words", ~is_new), ("new words", is_new)):
        f1[name, group] = f1_score(
            true[chosen], tags[chosen], pos_label="name", zero_division=0
        )
        print(f"{name:11s} {group}: F1 {f1[name, group]:.2f}")

# %%
# A new sentence
# --------------
# ``split_words`` finds the words of a text, and ``predict_proba`` returns one row of
# probabilities per word.

text = "last week angela met two farmers from burundi near the old port of lisbon."
words = tagger.split_words([text])[0]
probability = tagger.predict_proba([words])[0][:, list(tagger.classes_).index("name")]
for word, chance in zip(words, probability, strict=True):
    print(f"{word:8s} {chance:4.0%} {'name' if chance > 0.5 else ''}")

# %%
# The figure
# ----------

plt.rc("font", size=16)
plt.rc("axes.spines", top=False, right=False)
fig, ax = plt.subplots(figsize=(6.5, 4), layout="constrained")
groups, places = ["known words", "new words"], np.arange(2)
for shift, name, color in ((-0.2, "dictionary", "silver"), (0.2, "BERT", "tab:orange")):
    values = [f1[name, group] for group in groups]
    bars = ax.bar(places + shift, values, width=0.38, color=color, label=name)
    ax.bar_label(bars, fmt="{:.2f}", fontsize=20)
ax.set_xticks(places, groups)
ax.set(ylabel="F1 score of names", ylim=(0, 1.15))
ax.legend(frameon=False, ncols=2, loc="upper left")
plt.show()

# %%
# The same code tags entities, parts of speech or chunks: y is a list of lists of tags,
# in the BIO scheme or any other. :doc:`../../regression_and_tagging` describes scores
# of whole entities, and texts that are already divided into word pieces.
