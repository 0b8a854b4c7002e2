"""
Text beside numbers
===================

Tables rarely hold text alone. This example predicts the price of second-hand bicycles
from what the seller writes *and* from the columns beside it: a
:class:`~sklearn.compose.ColumnTransformer` sends the text column through
:class:`~sklearn_bert.BertVectorizer` and the others through the usual preprocessing,
all in one pipeline.
"""

# %%
# The table
# ---------
# The advertisements are simulated, so that it is known what the price depends on: list
# price, age, kind of bicycle and *condition*. No column holds the condition. The seller
# describes it, in one of twelve phrases per level, beside a sentence that says nothing
# about it.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.inspection import permutation_importance
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GroupKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from sklearn_bert import BertVectorizer

# The share of its value that a bicycle keeps, and what sellers write.
CONDITIONS = {
    1.0: """
        It has hardly been ridden and looks like new.
        Not a single scratch, everything works perfectly.
        Bought by mistake and never taken out of the garage.
        Immaculate, you would think it came from the shop today.
        Used on two sunny Sundays, otherwise kept indoors.
        In mint condition, with the original stickers still on.
        Serviced last week by the dealer, runs flawlessly.
        An unwanted gift that nobody ever sat on.
        The paint shines and the gears shift like butter.
        Pristine, the tyres still have their rubber hairs.
        Only tried once around the block.
        Looked after with great love and without any fault.
        """,
    0.7: """
        Normal signs of wear, but mechanically fine.
        A few scuffs on the frame, rides well.
        The saddle is a little worn; the rest is good.
        Some marks from the bike rack at work.
        Used daily and maintained regularly.
        Decent shape for what it is.
        The grips are faded, the brakes were renewed last year.
        Small dent in the mudguard, no effect on riding.
        It has served me well and shows its years.
        The bell is gone, apart from that it is complete.
        Solid, with the usual traces of commuting.
        Could do with a wash, works as it should.
        """,
    0.4: """
        The chain is rusty and both tyres are flat.
        Needs new brakes before anybody rides it.
        The front wheel is buckled and the lights are dead.
        It stood in the rain for two winters.
        For hobbyists: the gearbox has to be replaced.
        Several spokes are missing and the rim is bent.
        The bottom bracket grinds and the saddle is torn.
        Not roadworthy as it stands, best taken for parts.
        After a crash, the fork is no longer straight.
        A project for someone with patience and tools.
        Corroded all over, I have not touched it for ages.
        The pedals wobble and the back brake does not bite.
        """,
}
REMARKS = """
    Pick-up in the evening.
    I am moving abroad.
    The colour is dark green.
    Cash only, please.
    A lock comes with it.
    My daughter has outgrown it.
    I need space in the cellar.
    It suits people of about 1.75 m.
    I can send pictures.
    It has a bottle holder.
    """
PHRASES = [
    (share, line.strip())
    for share, lines in CONDITIONS.items()
    for line in lines.strip().splitlines()
]
KINDS = {"city": 1.0, "road": 1.1, "mountain": 0.9, "folding": 1.2}

rng = np.random.default_rng(0)
n_samples = 360
phrase = rng.integers(len(PHRASES), size=n_samples)
remarks = [line.strip() for line in REMARKS.strip().splitlines()]
ads = pd.DataFrame(
    {
        "description": [
            " ".join(rng.permutation([PHRASES[i][1], rng.choice(remarks)]))
            for i in phrase
        ],
        "kind": rng.choice(list(KINDS), size=n_samples),
        "list_price": rng.lognormal(np.log(900), 0.4, size=n_samples).round(-1),
        "age": rng.uniform(0, 10, size=n_samples).round(1),
        "n_pictures": rng.integers(0, 9, size=n_samples),
    }
)
price = (
    ads["list_price"]
    * 0.9 ** ads["age"]
    * ads["kind"].map(KINDS)
    * [PHRASES[i][0] for i in phrase]
    * rng.lognormal(0, 0.1, size=n_samples)
)
print(ads.assign(price=price.round()).head(4).to_string())

# %%
# One pipeline for all columns
# ----------------------------
# In a ``ColumnTransformer`` the text column is named like any other. Everything can be
# reached by :class:`~sklearn.model_selection.GridSearchCV`, for instance as
# ``columntransformer__text__pooling``.

NUMBERS = [
    (
        "list_price",
        make_pipeline(FunctionTransformer(np.log), StandardScaler()),
        ["list_price"],
    ),
    ("numbers", StandardScaler(), ["age", "n_pictures"]),
    ("kind", OneHotEncoder(), ["kind"]),
]
TFIDF = ("text", TfidfVectorizer(sublinear_tf=True), "description")
BERT = ("text", BertVectorizer(), "description")


def make_model(*columns):
    """Return a regressor of the logarithm of the price on some columns."""
    return TransformedTargetRegressor(
        make_pipeline(
            ColumnTransformer(list(columns)), RidgeCV(alphas=np.logspace(-2, 3, 11))
        ),
        func=np.log,
        inverse_func=np.exp,
    )


models = {
    "numbers only": make_model(*NUMBERS),
    "text only\n(BertVectorizer)": make_model(BERT),
    "numbers and\nTF-IDF": make_model(*NUMBERS, TFIDF),
    "numbers and\nBertVectorizer": make_model(*NUMBERS, BERT),
}

# %%
# Scores on phrases that no training row holds
# --------------------------------------------
# Rows that share a phrase must stay together: otherwise the score would tell how well
# phrases are recognised again, not how well new ones are understood.
# :class:`~sklearn.model_selection.GroupKFold` keeps them on one side of each split. The
# error is the mean absolute one, in the currency of the price.

splits = list(
    GroupKFold(n_splits=6, shuffle=True, random_state=0).split(ads, groups=phrase)
)
error, fitted = {}, {}
for name, model in models.items():
    result = cross_validate(
        model,
        ads,
        price,
        cv=splits,
        scoring="neg_mean_absolute_error",
        return_estimator=True,
    )
    error[name] = -result["test_score"]
    fitted[name] = result["estimator"]
    print(f"{' '.join(name.split()):28s} mean absolute error {error[name].mean():4.0f}")

# %%
# Which columns matter?
# ---------------------
# :func:`~sklearn.inspection.permutation_importance` shuffles one *column of the table*
# at a time, whatever the pipeline makes of it: the 384 features of the text count as
# one column. It is taken on the test rows of the first split. The number of pictures
# has nothing to do with the price, and it shows.

_, test = splits[0]
importance = permutation_importance(
    fitted["numbers and\nBertVectorizer"][0],
    ads.iloc[test],
    price.iloc[test],
    scoring="neg_mean_absolute_error",
    n_repeats=10,
    random_state=0,
)

fig, (left, right) = plt.subplots(
    ncols=2, figsize=(10, 3.8), width_ratios=[1.3, 1], layout="constrained"
)
for position, (name, errors) in enumerate(error.items()):
    color = "tab:blue" if "Bert" in name else "tab:gray"
    left.bar(position, errors.mean(), color=color, alpha=0.4, width=0.7)
    jitter = np.linspace(-0.15, 0.15, len(errors))
    left.scatter(position + jitter, errors, color=color, s=14, zorder=3)
    left.text(position, 5, f"{errors.mean():.0f}", ha="center", fontsize=12)
left.set_xticks(range(len(error)), list(error))
left.set(ylabel="mean absolute error", title="Error on new phrases, 6 splits")

order = np.argsort(importance.importances_mean)
right.barh(
    ads.columns[order],
    importance.importances_mean[order],
    xerr=importance.importances_std[order],
    color=[
        "tab:blue" if ads.columns[i] == "description" else "tab:gray" for i in order
    ],
    alpha=0.5,
)
right.set(xlabel="increase of the error", title="Shuffling one column")
for ax in (left, right):
    ax.spines[["top", "right"]].set_visible(False)
plt.show()
