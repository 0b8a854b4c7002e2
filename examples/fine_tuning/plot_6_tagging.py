"""
Tagging words in sentences
==========================

Which ingredients does a recipe need, and how much of each?
:class:`~sklearn_bert.BertTokenClassifier` extracts them by tagging each word of a
sentence. It uses the context of a word, so that it also finds foods that do not occur
in the training sentences.
"""

# %%
# The sentences
# -------------
# There are 36 steps of recipes, written for this example. The ingredients are in
# brackets: a number, a unit and a food. Words outside of brackets have the tag "other".

import re

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import KFold, cross_val_predict

from sklearn_bert import BertTokenClassifier

STEPS = """
    Stir [2 cups flour] into the warm milk .
    Beat [three - eggs] until they foam .
    Melt [50 grams butter] in a small pan .
    Add [a pinch salt] and wait an hour .
    Pour [one litre water] over the tea leaves .
    Chop [four - onions] as fine as you can .
    Rub [two spoons oil] into the meat .
    Cover it with [100 grams cheese] and bake it .
    Peel [six - potatoes] and boil them .
    Whip [300 millilitres cream] with a fork .
    Fold in [one cup sugar] very slowly .
    Season it with [some spoons vinegar] at the end .
    You also need [five - tomatoes] for the sauce .
    Soak [200 grams beans] over night .
    Fry [two slices bacon] until they are crisp .
    Grate [a - carrot] over the salad .
    Boil [three litres water] in a large pot .
    Squeeze [one - lemon] over the fish .
    Roast [80 grams almonds] without any fat .
    Slowly add [two cups milk] to the dough .
    Press [seven - cloves] into the ham .
    Scatter [a handful raisins] on top .
    Let [10 grams yeast] rest in a bowl .
    Dice [two - peppers] and set them aside .
    Serve it with [four slices bread] while hot .
    Rinse [500 grams lentils] twice .
    Crush [three - walnuts] with the knife .
    Take [a spoon honey] for the glaze .
    Mix in [60 grams cocoa] at low speed .
    Simmer [two cups rice] under a lid .
    Halve [eight - plums] and take out the stones .
    Brush it with [one spoon mustard] before frying .
    Steam [400 grams spinach] for a minute .
    Toast [six slices baguette] on both sides .
    Warm [a litre broth] but do not boil it .
    Knead [700 grams dough] by hand .
"""
ROLES = ("number", "unit", "food")


def read(step):
    """Return the words of a step and the tag of each."""
    words, tags = [], []
    for part in re.findall(r"\[.*?\]|\S+", step):
        found = part.strip("[]").split() if part[0] == "[" else [part]
        roles = ROLES if part[0] == "[" else ("other",)
        for word, role in zip(found, roles, strict=True):
            if word != "-":
                words.append(word)
                tags.append(role)
    return words, tags


X, y = zip(*map(read, STEPS.strip().splitlines()), strict=True)
X, y = list(X), list(y)
print(f"{len(X)} sentences of {sum(map(len, X))} words; the first one:")
for word, tag in zip(X[0], y[0], strict=True):
    print(f"    {word:8s} {tag}")

# %%
# Unseen words
# ------------
# Cross-validation tags each sentence with a model that was trained on other sentences.
# A simple baseline looks up each word in a dictionary of the training sentences, and
# tags unknown words as "other". Most foods occur once, so the baseline cannot find
# them.

splits = list(KFold(n_splits=3, shuffle=True, random_state=0).split(X))


def tag_by_lookup(train, test):
    """Return the tags of a dictionary made from the training sentences."""
    known = {
        word: tag for row in train for word, tag in zip(X[row], y[row], strict=True)
    }
    return [[known.get(word, "other") for word in X[row]] for row in test]


by_lookup = [[]] * len(X)
for train, test in splits:
    for row, tags in zip(test, tag_by_lookup(train, test), strict=True):
        by_lookup[row] = tags

tagger = BertTokenClassifier(n_epochs=8, random_state=0)
by_bert = cross_val_predict(tagger, X, y, cv=splits)


def found(predicted, role):
    """Return the share of a role's words that were given their tag."""
    pairs = zip(np.concatenate(y), np.concatenate(list(predicted)), strict=True)
    return np.mean([guess == role for tag, guess in pairs if tag == role])


recall = {
    name: [found(predicted, role) for role in ROLES]
    for name, predicted in (("dictionary", by_lookup), ("BERT", by_bert))
}
for name, shares in recall.items():
    print(name, ", ".join(f"{r} {x:.2f}" for r, x in zip(ROLES, shares, strict=True)))

# %%
# Tag probabilities
# -----------------
# ``predict_proba`` returns an array per sentence, with one row per word. Texts do not
# have to be split: a regular expression finds the words, and ``split_words`` returns
# them. Neither the food nor the unit of this sentence is in the training sentences.

tagger.fit(X, y)
text = "Sprinkle three ounces parmesan over the noodles."
words = tagger.split_words([text])[0]
probabilities = tagger.predict_proba([text])[0]

figure, axes = plt.subplots(1, 2, figsize=(10, 3.2), layout="constrained")
places = np.arange(len(ROLES))
for shift, (name, shares) in zip((-0.2, 0.2), recall.items(), strict=True):
    axes[0].bar(places + shift, shares, width=0.4, label=name)
axes[0].set_xticks(places, ROLES)
axes[0].set(ylabel="share found", ylim=(0, 1.2), title="Words of new sentences")
axes[0].legend(loc="upper center", ncols=2, frameon=False)
image = axes[1].imshow(probabilities.T, cmap="Blues", vmin=0, vmax=1, aspect="auto")
axes[1].set_xticks(range(len(words)), words, rotation=45, ha="right")
axes[1].set_yticks(range(len(tagger.classes_)), tagger.classes_)
axes[1].set_title("Probability of each tag")
figure.colorbar(image, ax=axes[1])
plt.show()
