"""
===========================
Pre-training without labels
===========================

:class:`~sklearn_bert.BertMaskedLM` pre-trains an encoder without labels: some words of
each text are masked, and the encoder learns to predict them from the others. This
example trains a tiny model from scratch on an artificial language of eight animals,
five activities and their places.

In this language the verb determines the place: sleeping, for example, always happens in
the house. Some pairs of animal and verb are left out of the training texts. Does the
encoder predict the right place for them?
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
# The vocabulary is learned from the texts too. The initial loss is that of a uniform
# prediction, which is the logarithm of the vocabulary size.

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
print(f"{n_pieces} word pieces; loss at chance: {np.log(n_pieces):.2f}")
print(f"epoch 1: {masked_lm.loss_curve_[0]:.2f}, last: {masked_lm.loss_curve_[-1]:.2f}")

# %%
# Predictions for unseen pairs
# ----------------------------
#
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
# The loss decreases until only the animal is uncertain, which the rest of the sentence
# does not determine. Each verb leads to its place.

import matplotlib.pyplot as plt

verbs = [verb for verb in places if chances[verb]]
table = np.array([np.mean(chances[verb], axis=0) for verb in verbs])
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
epochs = range(1, len(masked_lm.loss_curve_) + 1)
left.plot(epochs, masked_lm.loss_curve_, "o-", label="masked loss")
left.axhline(np.log(n_pieces), linestyle=":", color="grey", label="chance")
top = 1.1 * np.log(n_pieces)
left.set(xlabel="epoch", ylabel="loss per masked token", ylim=(0, top))
left.legend()
image = right.imshow(table, vmin=0, vmax=1, cmap="Blues", aspect="auto")
right.set_xticks(range(len(nouns)), nouns)
right.set_yticks(range(len(verbs)), verbs)
right.set_title("Predicted places for unseen pairs")
figure.colorbar(image, ax=right, label="probability")
plt.show()

# %%
# Every other estimator accepts the fitted model as its ``model``:

from sklearn_bert import BertVectorizer

features = BertVectorizer(masked_lm, pooling="mean").transform(texts)
print(features.shape)
