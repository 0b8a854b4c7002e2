"""
Rejecting texts of no known class
=================================

A classifier assigns one of its classes to every text, also if the text belongs to none
of them. This example sorts messages to a hotel by their subject. Some messages are
about subjects that nobody thought of when the training messages were labeled. A person
should answer these, so the classifier has to notice them.

A score tells how well a message fits the known subjects, and a threshold on it decides.
Neither needs a single example of an unknown subject.
"""

# %%
# The messages
# ------------
# There are 96 messages about six subjects, and 24 about three others, written for this
# example. This is a small data set, and the results below hold for *this* data set.

import matplotlib.pyplot as plt
import numpy as np
from scipy.special import logsumexp, softmax
from sklearn.metrics import RocCurveDisplay, accuracy_score, roc_auc_score
from sklearn.model_selection import (
    StratifiedKFold,
    cross_val_predict,
    train_test_split,
)
from sklearn.neighbors import NearestNeighbors

from sklearn_bert import BertClassifier, BertVectorizer

KNOWN = {
    "booking": """
        I would like to reserve a double room for the first week of May.
        Do you have anything free next weekend?
        Can we stay one night longer than planned?
        Please cancel my reservation for Thursday.
        We need two rooms next to each other.
        Is it possible to move our stay to September?
        My confirmation shows the wrong dates.
        What does a suite cost in August?
        I want to change from a single to a twin room.
        Are there still vacancies over Christmas?
        We will be three instead of two people.
        How late can I cancel without a fee?
        Please hold a quiet room for us from the 3rd to the 7th.
        I reserved through a website and got no answer.
        Could you put us on the waiting list for New Year?
        Is the room with the sea view still available?
        """,
    "breakfast": """
        From when on is breakfast served?
        Do you have anything without gluten in the morning?
        Is the buffet included in the price?
        We leave at five; could we get a packed breakfast?
        Can I have my coffee and eggs in the room?
        Are there vegan choices at the buffet?
        Do small children pay for breakfast?
        I am allergic to nuts, what can I eat in the morning?
        Is there fresh bread on Sundays too?
        Until what time can late risers eat?
        May friends who do not stay here join us for breakfast?
        Could you prepare porridge with oat milk?
        Do I have to order breakfast the day before?
        Is the fruit salad made without sugar?
        Where do we go for the morning meal?
        The orange juice was finished at nine, will there be more tomorrow?
        """,
    "parking": """
        Where can I leave my car?
        Is there a garage, and how high is its entrance?
        What do you charge for a parking space per night?
        Can I load an electric car at your place?
        Do I need to reserve a space for my van?
        Is the car park guarded at night?
        The barrier does not open with my ticket.
        May we park the bus of our group in front of the house?
        Somebody has taken the space with my number.
        Is parking on your street free on Sundays?
        How far is the underground car park from the door?
        Can my motorcycle be locked up somewhere?
        Does the garage have room for a trailer?
        I will arrive by car after midnight, is the gate open?
        Is there a charging station for my vehicle?
        Where do disabled guests park?
        """,
    "internet": """
        What is the password of the wireless network?
        The internet in our room is very slow.
        My laptop does not find your network.
        Is the wifi strong enough for video calls?
        How many devices can I connect?
        The connection breaks every few minutes.
        Do I have to pay for the internet?
        Is there a cable for the network on the desk?
        The login page for the wireless does not load.
        There is no signal on the third floor.
        My code for the wifi has expired.
        Can I stream films with your connection?
        Is the network in the lobby encrypted?
        Our phones are online but the tablet is not.
        Which of the two networks is for guests?
        The router in the corridor blinks red and nothing works.
        """,
    "cleaning": """
        Our room was not made up today.
        Could we have fresh towels?
        There are hairs in the shower.
        Please do not clean before noon.
        The bin in the bathroom is full.
        The sheets have stains.
        We spilled wine on the carpet, can somebody come?
        How often do you change the bed linen?
        The last guests left crumbs under the bed.
        We need more soap and toilet paper.
        The window is so dirty that one cannot see the lake.
        Please leave our room alone tomorrow.
        The floor of the balcony is sticky.
        Nobody has emptied the waste since Monday.
        There is dust on all shelves.
        May I have another pillow and a clean blanket?
        """,
    "checkout": """
        Until when do we have to leave the room?
        Can I check out at two in the afternoon?
        May we leave our suitcases with you after checking out?
        Please get the bill ready, we depart at six.
        Where do I put the key when nobody is at the desk?
        I need an invoice with the address of my company.
        Is it possible to pay the day before we leave?
        There is a drink on the bill that we did not have.
        Can we split the bill between two cards?
        How do I check out on the television?
        Is there somewhere to shower after we have given up the room?
        My train goes in the evening, can I keep the room until then?
        Do you take cash when we leave?
        I left without paying for the minibar, what now?
        Could a taxi be here when we check out?
        Please send the receipt of our stay by email.
        """,
}
UNKNOWN = {
    "pets": """
        May we bring our dog?
        Is there a place nearby where a puppy can run?
        Do you have a bowl and a basket for the cat?
        Could somebody feed our parrot while we hike?
        Are animals allowed in the restaurant?
        Which vet is open at night?
        Our old dog cannot climb stairs.
        My daughter travels with a hamster.
        """,
    "lost property": """
        I think I forgot my glasses at your place.
        Has anyone handed in a silver ring?
        My son's teddy bear must be somewhere on the second floor.
        We found a purse in the lift.
        Can you mail me the umbrella that I left behind?
        My passport is gone, have you seen it?
        A scarf that is not ours was in our luggage.
        The charger I am missing is white.
        """,
    "weddings": """
        We would like to marry in your garden.
        How many people fit into the ballroom?
        Could a band play until two in the morning?
        Who decorates the hall with flowers?
        We plan a conference for eighty doctors.
        Is there a projector in the meeting room?
        My parents celebrate their golden wedding, what can you offer?
        Where do the photographer and the cake go?
        """,
}


def read(blocks):
    """Return the messages and their subjects."""
    texts, subjects = [], []
    for subject, block in blocks.items():
        for line in block.strip().splitlines():
            texts.append(line.strip())
            subjects.append(subject)
    return np.array(texts, dtype=object), np.array(subjects)


X, y = read(KNOWN)
X_unknown, _ = read(UNKNOWN)
X, X_test, y, y_test = train_test_split(X, y, test_size=24, stratify=y, random_state=0)
print(f"{len(X)} labeled messages, {len(X_test)} new ones on the same subjects")
print(f"{len(X_unknown)} new messages on other subjects")

# %%
# Three scores
# ------------
# * The largest probability. The probabilities of a text sum to 1, so that one of them
#   may be large although no class fits.
# * The logarithm of the sum of the exponentiated logits, which is known as the
#   (negative) energy. It is large only if at least one logit is.
# * The similarity to the most similar labeled message, in the features of an encoder
#   that was *not* fine-tuned. Training keeps what tells the known classes apart, and
#   may discard what tells them from all others.

vectorizer = BertVectorizer()
neighbors = NearestNeighbors(n_neighbors=1, metric="cosine")
neighbors.fit(vectorizer.transform(X))
classifier = BertClassifier(n_epochs=4, random_state=0).fit(X, y)


def score(logits, distances):
    """Return three scores, each higher the better a text fits the known classes."""
    return {
        "largest probability": softmax(logits, axis=1).max(axis=1),
        "energy": logsumexp(logits, axis=1),
        "similarity": 1 - distances[:, 0],
    }


def score_texts(texts):
    """Return the scores of new texts."""
    distances, _ = neighbors.kneighbors(vectorizer.transform(texts))
    return score(classifier.decision_function(texts), distances)


# %%
# AUROC is the probability that a message on a known subject has a higher score than one
# on another subject.

test, unknown = score_texts(X_test), score_texts(X_unknown)
is_known = np.repeat([True, False], [len(X_test), len(X_unknown)])
auroc = {
    name: roc_auc_score(is_known, np.concatenate([test[name], unknown[name]]))
    for name in test
}
for name, value in auroc.items():
    print(f"{name:20s} AUROC {value:.2f}")

# %%
# A threshold
# -----------
# The threshold is the score that four of five labeled messages exceed if the classifier
# has not seen them: their logits come from cross-validation, and each is compared with
# the *other* labeled messages. No messages on unknown subjects are needed, of which
# nobody has examples in advance. How many of these are rejected is therefore not under
# control.

splits = StratifiedKFold(n_splits=4, shuffle=True, random_state=0)
logits = cross_val_predict(classifier, X, y, cv=splits, method="decision_function")
val = score(logits, neighbors.kneighbors()[0])

KEPT = 0.8
thresholds = {name: np.quantile(scores, 1 - KEPT) for name, scores in val.items()}
accuracy = {}
for name, threshold in thresholds.items():
    is_accepted = test[name] >= threshold
    accuracy[name] = accuracy_score(
        y_test[is_accepted], classifier.predict(X_test[is_accepted])
    )
    print(
        f"{name:20s} accepts {is_accepted.mean():.0%} of the known, with accuracy "
        f"{accuracy[name]:.2f}, and rejects {(unknown[name] < threshold).mean():.0%} "
        "of the unknown"
    )

# %%
# In use, a rejected message gets a label of its own. Of the messages on unknown
# subjects, these are the two with the lowest scores and the one with the highest:

best = "energy"


def predict(texts):
    """Return the subject of each message, or "other"."""
    is_accepted = score_texts(texts)[best] >= thresholds[best]
    return np.where(is_accepted, classifier.predict(texts), "other")


shown = X_unknown[np.argsort(unknown[best])[[0, 1, -1]]]
for text, subject in zip(shown, predict(shown), strict=True):
    print(f"{subject:10s} {text}")

# %%
# The figure
# ----------
# Each point is a message. Those to the left of the threshold are rejected.

fig, (left, right) = plt.subplots(
    ncols=2, figsize=(10, 3.9), width_ratios=(1.5, 1), layout="constrained"
)
rng = np.random.default_rng(0)
groups = {
    "labeled,\nheld out": (val, "tab:gray"),
    "new, known\nsubjects": (test, "tab:blue"),
    "new, other\nsubjects": (unknown, "tab:red"),
}
for place, (scores, color) in enumerate(groups.values()):
    jitter = rng.uniform(-0.2, 0.2, size=len(scores[best]))
    left.scatter(scores[best], place + jitter, color=color, s=18, alpha=0.7)
left.axvline(thresholds[best], color="black", linestyle="--", linewidth=1)
left.text(thresholds[best], -0.62, "rejected ", ha="right", va="center")
left.text(thresholds[best], -0.62, " accepted", ha="left", va="center")
left.set_yticks(range(len(groups)), list(groups))
left.set(ylim=(2.5, -0.85), xlabel=best, title="Messages and the threshold")
for name in val:
    RocCurveDisplay.from_predictions(
        is_known, np.concatenate([test[name], unknown[name]]), name=name, ax=right
    )
right.set(
    xlabel="share of the unknown that is accepted",
    ylabel="share of the known that is accepted",
    title="All thresholds",
)
right.legend(frameon=False, loc="lower right")
for ax in (left, right):
    ax.spines[["top", "right"]].set_visible(False)
plt.show()

# %%
# The energy has the highest AUROC of the three here, and it costs nothing, since the
# classifier has computed the logits anyway. Yet about half of the messages on unknown
# subjects pass. A higher threshold rejects more of them, and more of the others too.
