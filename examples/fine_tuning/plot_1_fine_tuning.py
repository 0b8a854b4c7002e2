"""
Fine-tuning some or all layers
==============================

The features of a frozen encoder represent what a text is *about*. What if the labels
depend on something else? This example classifies notes about work by their state: done,
going on, planned or blocked. Each subject, from a fence to a tax return, occurs in all
four states, so the subject is not informative.

:class:`~sklearn_bert.BertClassifier` trains the encoder together with a linear
classifier, and the parameter ``freeze`` selects the layers that are not trained. How
many layers should be trained, and is it worth the time?
"""

# %%
# The notes
# ---------
# There are 96 notes on 24 subjects, written for this example. Each subject has four
# notes, one per state and in this order. This is a small data set, and the results
# below hold for *this* data set.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import pairwise_distances
from sklearn.model_selection import GroupKFold, cross_validate
from sklearn.pipeline import make_pipeline

from sklearn_bert import BertClassifier, BertVectorizer

STATES = ["done", "going on", "planned", "blocked"]
NOTES = """
    The fence is up.
    Half of the fence stands, we go on tomorrow morning.
    The fence gets built in June.
    No fence until the neighbors agree on the line.

    Our new website went live last night.
    I am still writing texts for the website.
    After Easter we start on the website.
    The website has to wait, nobody gave us the logo.

    All invoices for May are out.
    About forty invoices are written, I keep going.
    Next Monday I will write the invoices.
    Without the price list there are no invoices.

    The newsletter reached every member on Friday.
    Ella is laying out the newsletter right now.
    The newsletter is scheduled for the autumn.
    The newsletter hangs: the mail server refuses it.

    Somebody swapped the broken tiles, so the roof is tight again.
    The roofers are up there as I write this.
    We intend to have the roof repaired before winter.
    The scaffold is missing, so the roofers went home.

    The tax return was handed in and accepted.
    I am halfway through the tax return.
    I mean to do the tax return over the holidays.
    I cannot continue the tax return, a certificate is missing.

    The manual now exists in French too.
    Page 30 of 80: the French manual is coming along.
    A French manual is on the list for the spring.
    The translator fell ill and the French manual lies untouched.

    Everyone answered the survey and it is closed.
    Answers to the survey are coming in, sixty so far.
    The survey shall go out once the summer is over.
    The lawyers stopped the survey for now.

    Flights and hotel are booked.
    I am comparing flights and hotels at the moment.
    Let us book flights and hotel in March.
    The card gets declined, so no flights and no hotel.

    The new accountant signed her contract.
    Interviews with accountants are under way.
    We want to look for an accountant in the new year.
    The hiring stop means no accountant.

    Your laptop is set up and lies on your desk.
    Updates are running on your laptop, two hours more.
    I will set up your laptop when you are back.
    I have your laptop here but not the password, so I am stuck.

    The walls of the hall shine in fresh white.
    Second coat today: the hall is being painted.
    The hall is to be painted in the last week of August.
    The paint for the hall was never delivered.

    The bridge has been checked and found safe.
    Inspectors are checking the bridge this week, pillar by pillar.
    The bridge is due for a check in October.
    The river is too high to check the bridge.

    We moved the archive to the cellar.
    Box after box goes down to the cellar, the archive is a lot.
    The archive will move to the cellar at some point.
    The cellar is locked, the archive stays where it is.

    The contract with the caterer is signed and filed.
    We are haggling with the caterer about the last details.
    I plan to call the caterer on the first of the month.
    The caterer does not reply, I can do nothing.

    Sixty trees stand along the road now.
    We are planting trees along the road, twenty a day.
    Trees along the road are intended for November.
    The ground is frozen, so planting trees is impossible.

    The bug in the payment form is fixed and released.
    I am tracking down the bug in the payment form.
    The bug in the payment form is my job for tomorrow.
    I need access to the log to do anything about the bug in the payment form.

    The lift works again since noon.
    The mechanic is in the shaft, working on the lift.
    The lift gets its overhaul in the second quarter.
    The spare part is out of stock, so the lift stands still.

    The choir gave its concert and it went well.
    Rehearsals are in full swing, the choir sings every night.
    The choir wants to begin rehearsals in the autumn.
    The church is closed, the choir has nowhere to rehearse.

    The database runs on the new server and the old one is off.
    Copying the database to the new server, a third is over.
    The database goes to the new server during the next holidays.
    The new server has too little space for the database.

    Every employee has had the fire drill.
    The fire drill is on, the third floor is coming down the stairs.
    There will be a fire drill later this year.
    The fire brigade called off the drill and gave no other date.

    The book is printed and in the shops.
    The printers are busy with the book as we speak.
    The book is to come out next year.
    The author holds back the last chapter, and the printers sit idle.

    The old cinema is gone, the site is empty.
    Excavators are pulling down the old cinema.
    The old cinema is going to be pulled down some day.
    A court forbade us to touch the old cinema.

    The photos are sorted and on the drive.
    I am going through the photos, a hundred left.
    I shall sort the photos during the train ride on Sunday.
    The camera is lost, and the photos are in it.
    """
subjects = [block.splitlines() for block in NOTES.strip().split("\n\n")]
X = np.array([note.strip() for notes in subjects for note in notes], dtype=object)
y = np.array(STATES * len(subjects))
subject = np.repeat(np.arange(len(subjects)), len(STATES))
print(f"{len(X)} notes on {len(subjects)} subjects; those on the first one:")
for state, note in zip(y[:4], X[:4], strict=True):
    print(f"    {state:9s} {note}")

# %%
# Without training the encoder
# ----------------------------
# All four notes on a subject are in the same fold, so that every score is computed on
# new subjects.
#
# The default features come from the last layer of the encoder, which was trained to
# group texts by subject. Lower layers retain more of the wording, and concatenating the
# last four takes hardly any additional time. They come first here: with
# ``cache="memory"`` they are found again for every split, and the last layer with them.

splits = list(GroupKFold(n_splits=3, shuffle=True, random_state=0).split(X, y, subject))
frozen = {
    "TF-IDF": make_pipeline(
        TfidfVectorizer(sublinear_tf=True), LogisticRegression(C=10)
    ),
    "frozen, last four layers": make_pipeline(
        BertVectorizer(layers=[-4, -3, -2, -1], cache="memory"),
        LogisticRegression(max_iter=1000),
    ),
    "frozen, last layer": make_pipeline(
        BertVectorizer(cache="memory"), LogisticRegression(max_iter=1000)
    ),
}
accuracy = {
    name: cross_validate(model, X, y, cv=splits)["test_score"]
    for name, model in frozen.items()
}
for name, scores in accuracy.items():
    print(f"{name:24s} accuracy {scores.mean():.2f}")

# %%
# Training none, half or all of the layers
# ----------------------------------------
# ``freeze=3`` freezes the embeddings and the three lowest of the six layers, which also
# saves time. ``freeze="encoder"`` trains only the linear layer on top. By default, each
# fit starts from a logistic regression on the frozen features.

by_layers = {}
for n_trained, freeze in {0: "encoder", 3: 3, 6: None}.items():
    classifier = BertClassifier(
        n_epochs=6, learning_rate=2e-4, freeze=freeze, random_state=0
    )
    result = cross_validate(classifier, X, y, cv=splits, return_estimator=True)
    by_layers[n_trained] = result["test_score"]
    print(f"{n_trained} layers trained: accuracy {by_layers[n_trained].mean():.2f}")
fine_tuned = result["estimator"]

# %%
# Features before and after fine-tuning
# -------------------------------------
# ``transform`` returns the features of the fine-tuned encoder. For each note of the
# test sets, find its nearest neighbors in these features. How often does the nearest
# one have the same subject? And among the notes on *other* subjects, how often does the
# nearest one have the same state? The chance level is a quarter.

features = {
    "Frozen": [BertVectorizer(cache="memory").transform(X[test]) for _, test in splits],
    "Fine-tuned": [
        classifier.transform(X[test])
        for classifier, (_, test) in zip(fine_tuned, splits, strict=True)
    ],
}
neighbors = {}
for name, blocks in features.items():
    shares = []
    for rows, (_, test) in zip(blocks, splits, strict=True):
        distances = pairwise_distances(rows, metric="cosine")
        np.fill_diagonal(distances, np.inf)
        nearest = test[distances.argmin(axis=1)]
        distances[subject[test][:, np.newaxis] == subject[test]] = np.inf
        other = test[distances.argmin(axis=1)]
        shares.append([subject[test] == subject[nearest], y[test] == y[other]])
    neighbors[name] = np.mean(shares, axis=(0, 2))
    same_subject, same_state = neighbors[name]
    print(f"{name}: same subject {same_subject:.0%}, same state {same_state:.0%}")

# %%
# The figure
# ----------
# The scatter plots show the first two principal components of the features, for the
# notes of the first test set. Thin lines connect the notes on one subject.

colors = dict(
    zip(STATES, ("tab:green", "tab:blue", "tab:orange", "tab:red"), strict=True)
)
fig, (left, *maps) = plt.subplots(
    ncols=3, figsize=(11, 3.9), width_ratios=(1.15, 1, 1), layout="constrained"
)
means = [scores.mean() for scores in by_layers.values()]
for name, scores in accuracy.items():
    mean = scores.mean()
    left.axhline(mean, color="tab:gray", linestyle="--", linewidth=1)
    gap, side = (0.015, "bottom") if mean > max(means) else (-0.015, "top")
    left.text(6.3, mean + gap, name, color="dimgray", ha="right", va=side)
left.axhline(1 / len(STATES), color="black", linestyle=":", linewidth=1)
left.text(6.3, 1 / len(STATES) - 0.015, "chance", ha="right", va="top")
left.plot(list(by_layers), means, "o-", color="tab:blue")
for n_trained, scores in by_layers.items():
    left.scatter([n_trained] * len(scores), scores, color="tab:blue", s=12, alpha=0.6)
left.text(6.3, means[-1] - 0.08, "fine-tuned", color="tab:blue", ha="right")
left.set_xticks(list(by_layers))
left.set(
    xlim=(-0.4, 6.4),
    ylim=(0, 1),
    xlabel="trained layers of the encoder",
    ylabel="accuracy on new subjects",
    title="Accuracy, mean of 3 splits",
)

test = splits[0][1]
for ax, (name, blocks) in zip(maps, features.items(), strict=True):
    points = PCA(n_components=2, random_state=0).fit_transform(blocks[0])
    for number in np.unique(subject[test]):
        own = points[subject[test] == number]
        for point in own:
            line = np.array([own.mean(axis=0), point])
            ax.plot(*line.T, color="silver", lw=0.8, zorder=1)
    for state, color in colors.items():
        ax.scatter(*points[y[test] == state].T, color=color, s=30, label=state)
    same_subject, same_state = neighbors[name]
    ax.set(xticks=[], yticks=[], title=f"{name} features, {len(test)} test notes")
    ax.set_xlabel(
        f"nearest: same subject {same_subject:.0%}\n"
        f"nearest on another subject: same state {same_state:.0%}"
    )
maps[0].legend(frameon=False)
for ax in (left, *maps):
    ax.spines[["top", "right"]].set_visible(False)
plt.show()

# %%
# With frozen features, the nearest neighbor of a note usually has the same subject.
# Fine-tuning groups the notes by state, even on subjects that were not in the training
# set. The more layers are trained, the better the score.
#
# However, concatenating the last four layers of the frozen encoder is as good here and
# takes a fraction of the time: the information about the state is in the encoder, but
# not in its last layer. With 64 labeled texts, try this first. :doc:`../../fine_tuning`
# explains when fine-tuning is worth it.
