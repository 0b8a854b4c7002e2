"""
========================================
An encoder of your own, from texts alone
========================================

An encoder can be trained without labels: some words of each text are hidden, and it
learns to guess them from the others. :class:`~sklearn_bert.BertMaskedLM` does so, here
from scratch, with a tiny model and a tiny made-up language of eight animals that are up
to something somewhere.

In this language the verb decides the place: whoever sleeps does so in the house. Some
animals are never seen doing some things. Does the encoder still know where they would
do them?
"""

# %%
# Texts
# -----

from itertools import product

import numpy as np

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
print(texts[0])
print(f"{len(texts)} texts, {len(seen)} of {len(pairs)} pairs of animal and verb")

# %%
# Pre-training
# ------------
#
# The vocabulary is learnt from the texts too. The loss begins at that of guessing
# blindly, which is the logarithm of the size of the vocabulary.

from sklearn_bert import BertMaskedLM

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
print(f"{n_pieces} word pieces; blindly {np.log(n_pieces):.2f}")
print(f"epoch 1: {masked_lm.loss_curve_[0]:.2f}, last: {masked_lm.loss_curve_[-1]:.2f}")

# %%
# What it has learnt
# ------------------
#
# Each unseen pair of animal and verb makes a text with a gap in place of the place. The
# probabilities are those of the five places.

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
# The loss falls until only the animal, which nothing in the sentence determines, is
# left to guess; and each verb leads to its place.

import matplotlib.pyplot as plt

verbs = [verb for verb in places if chances[verb]]
table = np.array([np.mean(chances[verb], axis=0) for verb in verbs])
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
epochs = range(1, len(masked_lm.loss_curve_) + 1)
left.plot(epochs, masked_lm.loss_curve_, "o-", label="masked loss")
left.axhline(np.log(n_pieces), linestyle=":", color="grey", label="guessing blindly")
top = 1.1 * np.log(n_pieces)
left.set(xlabel="epoch", ylabel="loss per hidden token", ylim=(0, top))
left.legend()
image = right.imshow(table, vmin=0, vmax=1, cmap="Blues", aspect="auto")
right.set_xticks(range(len(nouns)), nouns)
right.set_yticks(range(len(verbs)), verbs)
right.set_title("places guessed for unseen pairs")
figure.colorbar(image, ax=right, label="probability")
plt.show()

# %%
# Every other estimator takes the fitted model as its ``model``:

from sklearn_bert import BertVectorizer

features = BertVectorizer(masked_lm, pooling="mean").transform(texts)
print(features.shape)
