"""
Pre-training from scratch
=========================

How does an encoder learn from texts without labels? :class:`~sklearn_bert.BertMaskedLM`
masks some words of each text, and learns to predict them from the others.
"""

# %%
# An artificial language
# ----------------------
# A real language takes millions of texts. This one is tiny: eight animals, and five
# activities, each of which happens in a place of its own. Some pairs of animal and
# activity are left out of the training texts. Will the encoder know their place?

from itertools import product

import matplotlib.pyplot as plt
import numpy as np

from sklearn_bert import BertMaskedLM, BertVectorizer

animals = ["cat", "dog", "bird", "mouse", "horse", "goat", "cow", "hen"]
places = {
    "sat": "on the mat",
    "slept": "in the house",
    "played": "in the garden",
    "ran": "over the hill",
    "swam": "across the lake",
}
rng = np.random.default_rng(0)
pairs = list(product(animals, places))
rng.shuffle(pairs)
unseen, seen = pairs[:8], pairs[8:]
texts = [f"the {animal} {verb} {places[verb]}" for animal, verb in seen] * 10
print(f"{len(texts)} texts, such as: {texts[0]}")

# %%
# Pre-training
# ------------
# The vocabulary is learned from the texts too. The initial loss is that of a uniform
# prediction, which is the logarithm of the vocabulary size. It decreases until only the
# animal is uncertain, which the rest of the sentence does not determine.

masked_lm = BertMaskedLM(
    n_layers=1,
    hidden_size=32,
    n_heads=2,
    vocab_size=120,
    mask_probability=0.25,
    n_epochs=45,
    batch_tokens=128,
    learning_rate=5e-3,
    dropout=0.0,
    random_state=0,
)
masked_lm.fit(texts)
n_pieces = len(masked_lm.vocabulary_)
print(f"{n_pieces} word pieces; loss at chance: {np.log(n_pieces):.2f}")
print(f"epoch 1: {masked_lm.loss_curve_[0]:.2f}, last: {masked_lm.loss_curve_[-1]:.2f}")

# %%
# Predictions for unseen pairs
# ----------------------------
# For each unseen pair of animal and verb, mask the place and read off the probabilities
# of the five places.

nouns = [place.split()[-1] for place in places.values()]
chances = {verb: [] for verb in places}
for animal, verb in unseen:
    preposition, article, _ = places[verb].split()
    gap = f"the {animal} {verb} {preposition} {article} [MASK]"
    (guesses,) = masked_lm.fill_mask([gap], top_k=n_pieces)[0]
    found = dict(guesses)
    chances[verb].append([found[noun] for noun in nouns])
    print(f"{gap}: {guesses[0][0]} ({guesses[0][1]:.0%})")

# %%
# The figure
# ----------
# Each row is an activity whose place was masked, with the mean over its unseen animals.
# Nearly all probability is at its own place.

verbs = [verb for verb in places if chances[verb]]
table = np.array([np.mean(chances[verb], axis=0) for verb in verbs])
plt.rc("font", size=16)
fig, ax = plt.subplots(figsize=(6, 4.2), layout="constrained")
ax.imshow(table, vmin=0, vmax=1, cmap="Blues", aspect="auto")
for (row, column), chance in np.ndenumerate(table):
    color = "white" if chance > 0.5 else "black"
    ax.text(column, row, f"{chance:.0%}", color=color, ha="center", va="center")
ax.set_xticks(range(len(nouns)), nouns)
ax.set_yticks(range(len(verbs)), verbs)
ax.set_title("Predicted place of unseen pairs")
plt.show()

# %%
# Every other estimator accepts the fitted model as its ``model``:

features = BertVectorizer(masked_lm, pooling="mean").transform(texts)
print(features.shape)

# %%
# With real texts, continue the training of a checkpoint instead of starting from
# nothing: :doc:`../../pretraining` describes both.
