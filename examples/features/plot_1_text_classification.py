"""
Text classification with few labels
===================================

:class:`~sklearn_bert.BertVectorizer` replaces
:class:`~sklearn.feature_extraction.text.TfidfVectorizer` in a pipeline. This example
sorts customer messages to a shop into four folders, with very few training messages.

TF-IDF counts words. A word that does not occur in the training messages carries no
information for its classifier. A BERT encoder was pre-trained on a large amount of
text: its features of *parcel*, *package* and *shipment* are similar, whether or not the
words occur in the training messages.
"""

# %%
# The messages
# ------------
# There are 96 messages, 24 per folder, written for this example in the style of
# different people: few of them share more than common words. This is a small data set,
# and the results below hold for *this* data set.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    RepeatedStratifiedKFold,
    StratifiedShuffleSplit,
    cross_validate,
    learning_curve,
)
from sklearn.pipeline import make_pipeline

from sklearn_bert import BertVectorizer

FOLDERS = {
    "billing": """
        I was charged twice for the same order.
        My card shows two payments but I only bought one thing.
        The invoice total is higher than what the checkout said.
        Please send me a receipt with my company's tax number.
        Why did you take money for a plan I cancelled in March?
        The discount was accepted, yet the full price left my bank.
        Your subscription fee went up without any notice.
        I need copies of last year's bills for my accountant.
        There is a ten euro item on my statement that I cannot explain.
        The direct debit bounced; can I settle the balance by transfer?
        You still owe me the sum for the shoes I sent back.
        VAT is missing from the document you mailed.
        Can I pay in three instalments instead of all at once?
        An unknown amount was withdrawn by your firm yesterday.
        My gift voucher was not deducted from the total.
        The currency conversion cost me far more than expected.
        The refund is still not visible after two weeks.
        I was billed for express although I picked the free option.
        How do I replace the credit card you have on file?
        The renewal costs more than the offer in the newsletter.
        We received a reminder for something we settled in June.
        The cashier scanned my purchase two times.
        Student pricing was not applied.
        Please reimburse the deposit for the empty crate.
        """,
    "delivery": """
        Where is my parcel?
        The courier says it was handed over, but nobody was home.
        Tracking has not moved since Tuesday.
        My package went to the neighbor instead of me.
        It was supposed to arrive before the weekend and is not here.
        Can the driver leave the box with the porter?
        Half of the shipment is missing.
        The van never came although I waited all afternoon.
        Has the order left your warehouse yet?
        I would like it sent to my office rather than to my flat.
        The postman left a note but the depot cannot find the item.
        How many days does it take to reach Norway?
        Customs has been holding the goods for a week.
        Two of the five chairs came today; when will the others follow?
        Please hold the dispatch until I am back from holiday.
        The locker at the station would not open for the pickup.
        Someone else's stuff was in the carton you mailed me.
        The estimated date keeps slipping.
        Do you ship to islands?
        The street was misspelled on the label and it went back to you.
        Is it possible to get it tomorrow morning if I pay extra?
        The app has said out for drop-off for three days now.
        I moved house; please forward what is on its way.
        Nothing was on my doorstep in spite of the photo.
        """,
    "account": """
        I forgot my password.
        The reset link in the email has expired.
        My credentials are refused, though I copied them exactly.
        The six-digit code never reaches my phone.
        My profile is locked after too many attempts.
        Please erase everything you store about me.
        How do I change the email address I sign in with?
        Somebody from another country got into my profile.
        I lost the mobile that generates my one-time codes.
        The site throws me out and asks me to log on again.
        Can two people share one user name?
        I cannot remember which address I registered with.
        The captcha keeps telling me I am a robot.
        Face recognition no longer lets me in since the update.
        Two-factor verification fails every time.
        I typed the answer to the secret question and it was rejected.
        Registration ends with an error about an existing username.
        I would like to close my membership.
        Our former colleague can still enter the admin area.
        Signing up with Google leads to a blank page.
        My permissions are gone; I no longer see the team's dashboard.
        The confirmation message for my new profile did not come.
        Is there a way to stay authenticated on my own computer?
        I think I was hacked.
        """,
    "defect": """
        The kettle stopped heating after two uses.
        There is a crack across the screen.
        It makes a grinding noise and smells of burning.
        One leg of the table is shorter than the others.
        The zip broke the first time I wore the jacket.
        The battery is flat within an hour.
        Water drips from the bottom of the machine.
        The lamp flickers and then goes dark.
        The color came out in the first laundry.
        My headphones only play on the left side.
        The drill overheats and shuts itself off.
        The glass lid is chipped along the rim.
        The buttons on the remote do nothing.
        The stitching on the strap is coming apart.
        It freezes at the start screen and has to be unplugged.
        The wheels wobble so badly that I dare not ride.
        The coating peels off the pan.
        The printer crumples every sheet.
        A screw is loose inside; I can hear it rattle.
        The mattress sagged after a month.
        The fridge is not cold any more.
        The blade was blunt from the first day.
        The keyboard types letters twice.
        The heater trips the fuse whenever I switch it on.
        """,
}
texts, folders = [], []
for folder, messages in FOLDERS.items():
    for message in messages.strip().splitlines():
        texts.append(message.strip())
        folders.append(folder)
X, y = np.array(texts, dtype=object), np.array(folders)
print(f"{len(X)} messages, {len(FOLDERS)} folders")

# %%
# How many words of a new message has TF-IDF seen before? Learn the vocabulary on four
# fifths of the messages and look up the words of the last fifth, without stop words.

splits = RepeatedStratifiedKFold(n_splits=5, n_repeats=4, random_state=0)
analyse = TfidfVectorizer(stop_words="english").build_analyzer()
shares = []
for train, test in splits.split(X, y):
    known = {word for text in X[train] for word in analyse(text)}
    words = [word for text in X[test] for word in analyse(text)]
    shares.append(np.mean([word not in known for word in words]))
unseen_share = np.mean(shares)
print(f"{unseen_share:.0%} of a new message's words were not seen in training")

# %%
# Comparing three pipelines
# -------------------------
# The pipelines differ only in their first step and are scored on the same 20 splits.
# Character n-grams are the usual remedy for unseen words, so one pipeline uses TF-IDF
# with character n-grams. The encoder is frozen and learns nothing from the training
# messages, so a message has the same features in every split: with ``cache="memory"``
# each is encoded only once.

pipelines = {
    "TF-IDF, words": make_pipeline(
        TfidfVectorizer(sublinear_tf=True), LogisticRegression(C=10)
    ),
    "TF-IDF, characters": make_pipeline(
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True),
        LogisticRegression(C=10),
    ),
    "BertVectorizer": make_pipeline(
        BertVectorizer(cache="memory"), LogisticRegression(C=10, max_iter=1000)
    ),
}
accuracy = {
    name: cross_validate(pipeline, X, y, cv=splits)["test_score"]
    for name, pipeline in pipelines.items()
}
for name, scores in accuracy.items():
    print(f"{name:18s} accuracy {scores.mean():.3f} (std {scores.std():.3f})")

# %%
# Learning curves
# ---------------
# How many labeled messages are needed? The splits and sizes need no further encoding.

sizes = [8, 16, 32, 64]
curve_splits = StratifiedShuffleSplit(n_splits=10, test_size=32, random_state=0)
curves = {}
for name, pipeline in pipelines.items():
    _, _, curves[name] = learning_curve(
        pipeline,
        X,
        y,
        train_sizes=sizes,
        cv=curve_splits,
        shuffle=True,
        random_state=0,
    )

# %%
# The figure
# ----------

colors = dict(zip(pipelines, ("tab:gray", "tab:orange", "tab:blue"), strict=True))
fig, (left, right) = plt.subplots(
    ncols=2, figsize=(9, 3.8), sharey=True, layout="constrained"
)
rng = np.random.default_rng(0)
for position, (name, scores) in enumerate(accuracy.items()):
    left.bar(position, scores.mean(), color=colors[name], alpha=0.4, width=0.7)
    jitter = rng.uniform(-0.2, 0.2, size=len(scores))
    left.scatter(position + jitter, scores, color=colors[name], s=12, zorder=3)
    left.text(position, 0.03, f"{scores.mean():.2f}", ha="center", fontsize=12)
left.set_xticks(range(len(accuracy)), [name.replace(", ", ",\n") for name in accuracy])
left.set(ylabel="accuracy", ylim=(0, 1.03), title="77 labeled messages, 20 splits")

for name, scores in curves.items():
    mean, spread = scores.mean(axis=1), scores.std(axis=1)
    right.plot(sizes, mean, "o-", color=colors[name], label=name)
    right.fill_between(
        sizes, mean - spread, mean + spread, color=colors[name], alpha=0.15, lw=0
    )
right.set_xscale("log", base=2)
right.set_xticks(sizes, [str(size) for size in sizes])
right.set(xlabel="labeled messages", title="Learning curve, mean and std of 10 splits")
right.text(64, 0.235, "chance", ha="right", va="top", fontsize=9)
right.legend(loc="center right", bbox_to_anchor=(1, 0.6), frameon=False)
for ax in (left, right):
    ax.axhline(1 / len(FOLDERS), color="black", linestyle=":", linewidth=1)
    ax.spines[["top", "right"]].set_visible(False)
plt.show()

# %%
# With thousands of labeled texts the gap narrows: ``make demo`` shows by how much, on
# ten thousand rated sentences. A frozen encoder reduces the number of labels needed.
