"""
Searching parameters
====================

Each fit of a search fine-tunes an encoder, and most settings turn out to be bad ones.
How much time is saved if bad fits end early? This example searches with `Optuna
<https://optuna.org>`_, which proposes settings and, after each epoch, decides by the
validation score whether a fit is worth continuing.

A callback of :class:`~sklearn_bert.BertClassifier` connects the two: it receives the
score of each epoch, and training stops if it returns True.
"""

# %%
# The messages
# ------------
# What does the writer of a message want? There are four answers, with six phrases each,
# and every phrase occurs in three messages about different things. The phrases were
# written for this example.

import matplotlib.pyplot as plt
import numpy as np
import optuna

from sklearn_bert import BertClassifier
from sklearn_bert.model_selection import search_space

PHRASES = {
    "asks": """
        Does {} have a guarantee?
        Who do I talk to about {}?
        What would {} cost me?
        I wonder when {} will be ready.
        Could you tell me more about {}?
        Is there any news of {}?
        """,
    "complains": """
        It is a shame how long {} is taking.
        Nothing about {} is as you promised.
        I am fed up with {}.
        For the third time {} is not right.
        I expected more of {}.
        You should be embarrassed by {}.
        """,
    "thanks": """
        I could not be happier with {}.
        You did a splendid job on {}.
        Everybody here admires {}.
        Many thanks for {}.
        What a joy {} is!
        Without your help, {} would have been a disaster.
        """,
    "orders": """
        Please reserve {} for me.
        Put {} on my account and send it on Monday.
        We will take {}, as discussed.
        Go ahead with {}.
        I hereby commission {}.
        Make {} ready, I will collect it.
        """,
}
THINGS = """
    the kitchen, the garden wall, the blue sofa, the wedding cake, the heating,
    the oak table, the translation, the roof window, the bicycle, the group photo,
    the printed invitation, the piano
    """
things = [thing.strip() for thing in THINGS.split(",")]
rng = np.random.RandomState(0)
X, y, phrase = [], [], []
for wish, block in PHRASES.items():
    for text in block.strip().splitlines():
        for thing in rng.choice(things, size=3, replace=False):
            X.append(text.strip().format(thing))
            y.append(wish)
            phrase.append(text.strip())
X, y, phrase = (np.array(column, dtype=object) for column in (X, y, phrase))
print(f"{len(X)} messages, such as {X[0]!r} and {X[-1]!r}")

# %%
# A trial
# -------
# Messages with the same phrase are almost equal. A validation split that has some of
# them, while others are in the training set, would say nothing about new phrases. The
# phrases are therefore the ``groups`` of the fit, which are never divided.
#
# :func:`~sklearn_bert.model_selection.search_space` tells which learning rates suit the
# model. For Optuna, these are the bounds of its own distribution. All trials have the
# same number of epochs, so that their scores can be compared epoch by epoch, and train
# the upper three of six layers.

N_EPOCHS = 6
SETTINGS = {
    "n_epochs": N_EPOCHS,
    "freeze": 3,
    "init": "zeros",
    "early_stopping": True,
    "validation_fraction": 0.35,
    "n_iter_no_change": N_EPOCHS,
    "scoring": "neg_log_loss",
    "random_state": 0,
}
low, high = search_space(BertClassifier())["learning_rate"].support()
curves = {}


def objective(trial):
    """Fine-tune with the proposed settings, and return the best validation score."""
    curve = curves[trial.number] = []

    def report(state):
        curve.append(state.validation_score)
        trial.report(state.validation_score, step=state.epoch)
        return trial.should_prune()

    classifier = BertClassifier(
        learning_rate=trial.suggest_float("learning_rate", low, high, log=True),
        batch_size=trial.suggest_categorical("batch_size", [8, 32]),
        layer_decay=trial.suggest_float("layer_decay", 0.6, 1.0),
        callbacks=[report],
        **SETTINGS,
    )
    classifier.fit(X, y, groups=phrase)
    if len(curve) < N_EPOCHS:
        raise optuna.TrialPruned
    return max(curve)


# %%
# The search
# ----------
# The median pruner ends a trial whose score is worse than the median of the earlier
# trials at the same epoch. The first three trials are always completed.

optuna.logging.set_verbosity(optuna.logging.WARNING)
study = optuna.create_study(
    direction="maximize",
    sampler=optuna.samplers.TPESampler(seed=0, n_startup_trials=5),
    pruner=optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=1),
)
study.optimize(objective, n_trials=8)

pruned = [
    trial.number
    for trial in study.trials
    if trial.state == optuna.trial.TrialState.PRUNED
]
n_epochs = sum(map(len, curves.values()))
saved = 1 - n_epochs / (N_EPOCHS * len(curves))
print(f"{len(pruned)} of {len(curves)} trials were pruned, {saved:.0%} of the epochs")
print(f"best score {study.best_value:.3f} with")
for name, value in study.best_params.items():
    print(f"    {name}: {value:.3g}")

# %%
# The figure
# ----------
# Every line is a trial. Where it ends early, it was pruned.

fig, (left, right) = plt.subplots(ncols=2, figsize=(9.5, 3.8), layout="constrained")
for number, curve in curves.items():
    is_best = number == study.best_trial.number
    color = "tab:orange" if number in pruned else "tab:blue"
    left.plot(
        range(1, len(curve) + 1),
        curve,
        "o-",
        markersize=3,
        color=color,
        linewidth=2.5 if is_best else 1,
    )
left.set(
    xlabel="epoch",
    ylabel="validation score (negative log loss)",
    title=f"{len(curves)} trials, the best one bold",
)
for is_pruned, color, label in (
    (False, "tab:blue", "completed"),
    (True, "tab:orange", "pruned"),
):
    chosen = [one for one in study.trials if (one.number in pruned) == is_pruned]
    right.scatter(
        [trial.params["learning_rate"] for trial in chosen],
        [max(curves[trial.number]) for trial in chosen],
        color=color,
        label=label,
    )
right.set(xscale="log", xlabel="learning rate", title="The best score of each trial")
rates = [5e-5, 1e-4, 2e-4, 4e-4, 8e-4]
right.set_xticks(rates, [f"{rate:.0e}" for rate in rates])
right.minorticks_off()
right.legend(frameon=False)
for ax in (left, right):
    ax.spines[["top", "right"]].set_visible(False)
plt.show()

# %%
# Refit with the best settings and the same validation split. The result is the
# classifier that was scored, with the weights of its best epoch.

best = BertClassifier(**SETTINGS, **study.best_params).fit(X, y, groups=phrase)
print(f"best score of this fit {max(best.validation_scores_):.3f}")

# %%
# Without Optuna, scikit-learn's `HalvingRandomSearchCV` with
# ``resource="n_epochs"`` and ``search_space(BertClassifier())`` saves time in a similar
# way; see :doc:`../../fine_tuning`.
