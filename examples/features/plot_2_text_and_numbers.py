"""
Combining text and numeric columns
==================================

Tables rarely contain only text. A property manager wants to know how long a repair will
take, given the report of the tenant *and* facts about the flat. A
:class:`~sklearn.compose.ColumnTransformer` applies
:class:`~sklearn_bert.BertVectorizer` to the text column and the usual preprocessing to
the others, all in one pipeline.
"""

# %%
# The table
# ---------
# The reports were written for this example, sixteen for each of five trades. The
# working hours are simulated, so that we know what they depend on: the trade, the
# floor, the age of the building and the number of rooms. The trade is not a column; it
# has to be inferred from the report.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.inspection import permutation_importance
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sklearn_bert import BertVectorizer

REPORTS = {
    "pests": """
        There are mice behind the kitchen units.
        Ants come in through the balcony.
        I saw a cockroach in the pantry.
        Wasps have built a nest under the roof.
        Something scratches in the attic at night.
        Moths have eaten my jumpers and fly everywhere.
        Rats were seen next to the bins.
        The mattress is full of bedbugs.
        Silverfish in the bathroom, dozens of them.
        Pigeons breed on the ledge and soil everything.
        A marten lives between the ceiling and the tiles.
        Tiny beetles crawl out of the flour.
        Droppings on every shelf of the larder.
        Hornets fly in and out of the shutter box.
        Fleas, probably left by the previous tenant's cat.
        Woodworm holes appear in the staircase.
        """,
    "electrics": """
        The light in the corridor flickers.
        Half of the sockets have no power.
        The fuse blows whenever I use the oven.
        The doorbell is silent.
        The switch by the bed gives off sparks.
        A cable hangs out of the ceiling.
        The intercom no longer rings.
        All lamps went off during the storm and stay dark.
        I got a shock from the wall in the kitchen.
        The circuit breaker trips every morning.
        The outdoor lighting burns day and night.
        The plug of the cooker has melted.
        The staircase is dark; a new bulb did not help.
        The meter makes a buzzing sound.
        The extractor fan gets no current.
        The smoke alarm beeps although its battery is new.
        """,
    "plumbing": """
        The kitchen tap drips all night.
        Water comes through the bathroom ceiling.
        The toilet keeps running after the flush.
        The sink empties very slowly.
        A pipe under the washbasin has burst.
        The shower floods the floor because nothing flows off.
        There is a wet patch growing next to the bathtub.
        The cistern does not fill up any more.
        Brown liquid rises from the drain.
        The hose of the washing machine leaks.
        There is no pressure when I take a shower.
        The stopcock cannot be turned.
        The loo is blocked.
        Something gurgles in the waste and it smells.
        The mixer in the bath has come off.
        Drops fall from the joint behind the dishwasher.
        """,
    "doors and windows": """
        The front door does not close any more.
        The bedroom window pane is cracked.
        My key is stuck in the lock.
        The balcony door scrapes over the floor.
        There is a draught from the window frame.
        The handle of the patio door fell off.
        The shutter is jammed halfway.
        Burglars have broken the glass of the entrance.
        The hinge is torn out of the wood.
        The cellar cannot be locked.
        The blinds no longer go up.
        The skylight cannot be shut.
        The garage gate hangs crooked.
        The latch does not catch and it swings open.
        The sliding panel has jumped off its rail.
        Condensation gathers between the two panes.
        """,
    "heating": """
        The radiators stay cold.
        The boiler shows a fault and switches off.
        It is only fifteen degrees in the living room.
        The thermostat has no effect at all.
        No warm air has come from the vents since Monday.
        The radiator in the nursery cannot be turned down.
        Loud knocking from the boiler room all evening.
        The pilot flame goes out again and again.
        The underfloor system warms only one corner.
        Our flat does not get warm before noon.
        The heat pump makes a terrible noise.
        The cellar smells of oil from the tank.
        The burner starts and stops every minute.
        One valve hisses and the room is freezing.
        My children are shivering, the heaters do nothing.
        The furnace has not come on after the summer.
        """,
}
BASE_HOURS = {
    "pests": 1.0,
    "electrics": 1.5,
    "plumbing": 2.5,
    "doors and windows": 4.0,
    "heating": 6.0,
}
texts, base_hours = [], []
for trade, lines in REPORTS.items():
    for line in lines.strip().splitlines():
        texts.append(line.strip())
        base_hours.append(BASE_HOURS[trade])

# %%
# Each report comes from three flats, which gives 240 rows.

rng = np.random.default_rng(0)
report = np.repeat(np.arange(len(texts)), 3)
n_samples = len(report)
orders = pd.DataFrame(
    {
        "report": [texts[i] for i in report],
        "owner": rng.choice(["private", "public"], size=n_samples),
        "floor": rng.integers(0, 9, size=n_samples),
        "building_age": rng.integers(0, 100, size=n_samples),
        "rooms": rng.integers(1, 7, size=n_samples),
    }
)
hours = (
    np.array(base_hours)[report]
    * 1.06 ** orders["floor"]
    * 1.008 ** orders["building_age"]
    * 1.1 ** orders["rooms"]
    * rng.lognormal(0, 0.15, size=n_samples)
)
print(orders.assign(hours=hours.round(1)).iloc[[0, 75, 150, 225]].to_string())

# %%
# One pipeline for all columns
# ----------------------------
# In a ``ColumnTransformer`` the text column is selected by name like any other.
# :class:`~sklearn.model_selection.GridSearchCV` can search all parameters: for example
# the pooling, as ``regressor__columntransformer__text__pooling``. With
# ``cache="memory"`` each report is encoded once, for all models and splits.

NUMBERS = ("numbers", StandardScaler(), ["floor", "building_age", "rooms"])
OWNER = ("owner", OneHotEncoder(), ["owner"])
TFIDF = ("text", TfidfVectorizer(sublinear_tf=True), "report")
BERT = ("text", BertVectorizer(cache="memory"), "report")


def make_model(*columns):
    """Return a regressor of the logarithm of the hours on some columns."""
    return TransformedTargetRegressor(
        make_pipeline(ColumnTransformer(list(columns)), Ridge(alpha=10)),
        func=np.log,
        inverse_func=np.exp,
    )


models = {
    "no text": make_model(NUMBERS, OWNER),
    "text only\n(BERT)": make_model(BERT),
    "all columns\n(TF-IDF)": make_model(NUMBERS, OWNER, TFIDF),
    "all columns\n(BERT)": make_model(NUMBERS, OWNER, BERT),
}

# %%
# Scores on new reports
# ---------------------
# Rows with the same report must be in the same fold. Otherwise the score would measure
# how well known reports are recognized, not how well new ones are understood.
# :class:`~sklearn.model_selection.GroupKFold` keeps them together.

splits = list(
    GroupKFold(n_splits=5, shuffle=True, random_state=0).split(orders, groups=report)
)
error, fitted = {}, {}
for name, model in models.items():
    result = cross_validate(
        model,
        orders,
        hours,
        cv=splits,
        scoring="neg_mean_absolute_error",
        return_estimator=True,
    )
    error[name] = -result["test_score"]
    fitted[name] = result["estimator"]
    print(f"{' '.join(name.split()):20s} {error[name].mean():.2f} hours off on average")

# %%
# Permutation importance of the columns
# -------------------------------------
# :func:`~sklearn.inspection.permutation_importance` shuffles one *column of the table*
# at a time, so the 384 features of the text count as one column. It is computed on the
# test rows of every split. The owner does not affect the hours, and its importance is
# close to zero.

importances = np.hstack(
    [
        permutation_importance(
            model,
            orders.iloc[test],
            hours.iloc[test],
            scoring="neg_mean_absolute_error",
            n_repeats=2,
            random_state=0,
        )["importances"]
        for model, (_, test) in zip(fitted["all columns\n(BERT)"], splits, strict=True)
    ]
)

fig, (left, right) = plt.subplots(
    ncols=2, figsize=(10, 3.8), width_ratios=[1.3, 1], layout="constrained"
)
for position, (name, errors) in enumerate(error.items()):
    color = "tab:blue" if "BERT" in name else "tab:gray"
    left.bar(position, errors.mean(), color=color, alpha=0.4, width=0.7)
    jitter = np.linspace(-0.15, 0.15, len(errors))
    left.scatter(position + jitter, errors, color=color, s=14, zorder=3)
    left.text(position, 0.1, f"{errors.mean():.1f}", ha="center", fontsize=12)
left.set_xticks(range(len(error)), list(error))
left.set(ylabel="mean absolute error (hours)", title="Error on new reports, 5 splits")

order = np.argsort(importances.mean(axis=1))
columns = orders.columns[order]
right.barh(
    columns,
    importances.mean(axis=1)[order],
    xerr=importances.std(axis=1)[order],
    color=["tab:blue" if column == "report" else "tab:gray" for column in columns],
    alpha=0.5,
)
right.set(
    xlabel="increase of the error (hours)", title="Shuffling one column, mean and std"
)
for ax in (left, right):
    ax.spines[["top", "right"]].set_visible(False)
plt.show()
