"""
Regression on texts
===================

How positive is a tweet, on a scale from -4 to 4? The mean rating of twenty people is a
number, not a class. :class:`~sklearn_bert.BertRegressor` trains the encoder to predict
it.
"""

# %%
# The ratings
# -----------

import matplotlib.pyplot as plt
from sklearn.linear_model import RidgeCV
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from sklearn_bert import BertRegressor, BertVectorizer
from sklearn_bert.datasets import fetch_vader_sentiment

X, y = fetch_vader_sentiment(subset="tweets", return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X[:1000], y[:1000], train_size=0.6, random_state=0
)
for row in (y.argmin(), y.argmax()):
    print(f"{y[row]:4.1f} {X[row][:70]}")

# %%
# Two models
# ----------
# The regressor predicts in the units of y, and scales it in between.

models = {
    "frozen features": make_pipeline(BertVectorizer(), RidgeCV([1, 3, 10, 30])),
    "fine-tuned": BertRegressor(freeze=3, random_state=0),
}
predicted, r2 = {}, {}
for name, model in models.items():
    predicted[name] = model.fit(X_train, y_train).predict(X_test)
    r2[name] = r2_score(y_test, predicted[name])
    error = mean_absolute_error(y_test, predicted[name])
    print(f"{name:16s} R² {r2[name]:.2f}, {error:.2f} off on average")

# %%
# The figure
# ----------

plt.rc("font", size=14)
plt.rc("axes.spines", top=False, right=False)
fig, axes = plt.subplots(
    ncols=2, figsize=(8, 4), sharex=True, sharey=True, layout="constrained"
)
for ax, (name, values), color in zip(
    axes, predicted.items(), ("tab:blue", "tab:orange"), strict=True
):
    ax.plot([-4, 4], [-4, 4], color="gray", linestyle="--")
    ax.scatter(y_test, values, color=color, s=40, alpha=0.6)
    ax.set_title(f"{name}\nR² = {r2[name]:.2f}", fontsize=18)
    ax.set(xlabel="rating by people", xlim=(-4.4, 4.4), ylim=(-4.4, 4.4))
axes[0].set_ylabel("prediction")
plt.show()

# %%
# Several numbers per text are the columns of y. :doc:`../../regression_and_tagging`
# describes the losses, and :doc:`../features/plot_2_text_and_numbers` adds other
# columns of a table.
