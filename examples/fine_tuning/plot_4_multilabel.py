"""
Multilabel classification
=========================

A text can have any number of labels: a sentence may come from a review, be negative,
and be strongly worded, or none of these. :class:`~sklearn_bert.BertClassifier` predicts
all labels with one encoder.
"""

# %%
# The sentences and their labels
# ------------------------------
# Sentences of product reviews and newspaper articles, rated by people from -4 to 4.
# Each has up to three labels, and :class:`~sklearn.preprocessing.MultiLabelBinarizer`
# turns them into one column per label.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MultiLabelBinarizer

from sklearn_bert import BertClassifier, BertVectorizer
from sklearn_bert.datasets import fetch_vader_sentiment

rng = np.random.default_rng(0)
X, labels = [], []

# %%
# A label is in the list of a sentence if its condition holds.

for source in ("amazon", "nyt"):
    part = fetch_vader_sentiment(subset=source)
    for row in rng.choice(len(part.data), size=500, replace=False):
        rating = part.target[row]
        holds = {
            "review": source == "amazon",
            "negative": rating < 0,
            "strong": abs(rating) >= 1.5,
        }
        X.append(part.data[row])
        labels.append([label for label, is_so in holds.items() if is_so])
binarizer = MultiLabelBinarizer()
Y = binarizer.fit_transform(labels)
print(*zip(X[:3], labels[:3], strict=True), sep="\n")

# %%
# Two models
# ----------
# On frozen features, scikit-learn's :class:`~sklearn.multiclass.OneVsRestClassifier`
# fits one logistic regression per label. ``BertClassifier`` accepts the same matrix.

X_train, X_test, Y_train, Y_test = train_test_split(X, Y, test_size=0.5, random_state=0)
models = {
    "frozen": make_pipeline(
        BertVectorizer(), OneVsRestClassifier(LogisticRegression(max_iter=1000))
    ),
    "fine-tuned": BertClassifier(freeze=3, random_state=0),
}
f1 = {}
for name, model in models.items():
    predicted = model.fit(X_train, Y_train).predict(X_test)
    f1[name] = f1_score(Y_test, predicted, average=None)
    print(f"{name:11s} macro F1 {f1[name].mean():.3f}")

# %%
# ``inverse_transform`` turns the columns back into labels:

new = ["Never buy this awful thing!", "The senator proposed a compromise."]
print(binarizer.inverse_transform(models["fine-tuned"].predict(new)))

# %%
# The figure
# ----------

plt.rc("font", size=14)
plt.rc("axes.spines", top=False, right=False)
fig, ax = plt.subplots(figsize=(6.5, 4), layout="constrained")
places = np.arange(len(binarizer.classes_))
for shift, (name, color) in zip(
    (-0.2, 0.2), (("frozen", "tab:blue"), ("fine-tuned", "tab:orange")), strict=True
):
    bars = ax.bar(places + shift, f1[name], width=0.38, color=color, label=name)
    ax.bar_label(bars, fmt="{:.2f}", fontsize=16)
ax.set_xticks(places, binarizer.classes_, fontsize=18)
ax.set(ylabel="F1 score", ylim=(0, 1.05))
ax.legend(frameon=False, ncols=2, loc="upper left", bbox_to_anchor=(0, 1.15))
plt.show()

# %%
# Frozen features find reviews as well as the fine-tuned encoder does, and fine-tuning
# gains for the labels that do not follow from the subject.
#
# ``predict`` returns the labels whose probability exceeds 0.5, and a text may have
# none. Another threshold on ``predict_proba`` may be better for rare labels, see
# :doc:`plot_3_imbalance`.
