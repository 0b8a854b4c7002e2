"""
Searching parameters with Optuna
================================

Each fit of a search fine-tunes an encoder, and most settings turn out to be bad ones.
How much time is saved if bad fits end early? `Optuna <https://optuna.org>`_ proposes
settings and, after each epoch, decides by the validation score whether a fit is worth
continuing.
"""

# %%
# The tweets
# ----------

import matplotlib.pyplot as plt
import numpy as np
import optuna

from sklearn_bert import BertClassifier
from sklearn_bert.datasets import fetch_vader_sentiment
from sklearn_bert.model_selection import search_space

X, rating = fetch_vader_sentiment(subset="tweets", return_X_y=True)
is_clear = np.abs(rating) >= 0.5
X, y = X[is_clear][:240], rating[is_clear][:240] > 0
print(f"{len(X)} tweets, {y.mean():.0%} of them positive")

# %%
# A trial
# -------
# A callback of the classifier receives the validation score of each epoch, and training
# stops if it returns True. All trials have the same number of epochs, so that their
# scores can be compared epoch by epoch. Only the last two of six layers are trained:
# the others are then computed once for all trials.

N_EPOCHS = 5
SETTINGS = {
    "n_epochs": N_EPOCHS,
    "freeze": 4,
    "init": "zeros",
    "early_stopping": True,
    "validation_fraction": 0.4,
    "n_iter_no_change": N_EPOCHS,
    "scoring": "neg_log_loss",
    "random_state": 0,
}
curves = {}

# %%
# :func:`~sklearn_bert.model_selection.search_space` tells which learning rates suit the
# model. For Optuna, these are the bounds of its own distribution.

low, high = search_space(BertClassifier())["learning_rate"].support()


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
        callbacks=[report],
        **SETTINGS,
    )
    classifier.fit(X, y)
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
study.optimize(objective, n_trials=10)

pruned = [number for number, curve in curves.items() if len(curve) < N_EPOCHS]
n_epochs = sum(map(len, curves.values()))
saved = 1 - n_epochs / (N_EPOCHS * len(curves))
print(f"{len(pruned)} of {len(curves)} trials were pruned, {saved:.0%} of the epochs")
print(f"best score {study.best_value:.3f} with {study.best_params}")

# %%
# The figure
# ----------
# Every line is a trial. Where it ends early, it was pruned. A short search saves
# little, since its first three trials are always completed.

plt.rc("font", size=14)
plt.rc("axes.spines", top=False, right=False)
fig, ax = plt.subplots(figsize=(6.5, 4), layout="constrained")
for number, curve in curves.items():
    color, width = ("tab:orange", 2) if number in pruned else ("silver", 2)
    if number == study.best_trial.number:
        color, width = "tab:blue", 5
    epochs = np.arange(len(curve)) + 1
    ax.plot(epochs, curve, color=color, linewidth=width, zorder=width)
    ax.scatter(epochs[-1], curve[-1], color=color, s=60, zorder=width)
for height, (label, color) in enumerate(
    (("completed", "gray"), ("pruned", "tab:orange"), ("best", "tab:blue"))
):
    ax.text(1, 0.1 * height, label, transform=ax.transAxes, color=color, size=18)
ax.set(xlabel="epoch", ylabel="validation score (- log loss)")
ax.set_xticks(range(1, N_EPOCHS + 1))
plt.show()

# %%
# Refit with the best settings. ``early_stopping`` keeps the weights of the best epoch.

best = BertClassifier(**SETTINGS, **study.best_params).fit(X, y)
print(f"best score of this fit {max(best.validation_scores_):.3f}")

# %%
# Without Optuna, scikit-learn's `HalvingRandomSearchCV` with ``resource="n_epochs"``
# and ``search_space(BertClassifier())`` saves time in a similar way; see
# :doc:`../../model_selection`.
