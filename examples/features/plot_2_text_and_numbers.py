"""
Combining text and numeric columns
==================================

Tables rarely contain only text. How positive is a sentence of a product review, given
its words *and* where it is in the review? A :class:`~sklearn.compose.ColumnTransformer`
applies :class:`~sklearn_bert.BertVectorizer` to the text column, and passes the other
columns on.
"""

# %%
# The table
# ---------
# Each row is a sentence of a review, with its rating by people from -4 to 4. The first
# part of its id is the review. The numbers are the place of the sentence in the review,
# and the rating of the sentence before it, 0 for the first.

import matplotlib.pyplot as plt
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_bert import BertVectorizer
from sklearn_bert.datasets import fetch_vader_sentiment

amazon = fetch_vader_sentiment(subset="amazon", as_frame=True)
table = amazon.frame.assign(review=[name.split("_")[0] for name in amazon.ids])
by_review = table.groupby("review", sort=False)
table["place"] = by_review.cumcount()
table["previous_rating"] = by_review["rating"].shift(fill_value=0)
table = table[:1200]
print(table[5:9].to_string(max_colwidth=40))

# %%
# One pipeline for all columns
# ----------------------------
# The text column is selected by its name, like any other. With ``cache="memory"`` each
# sentence is encoded once for all models and splits.

NUMBERS = ("numbers", StandardScaler(), ["place", "previous_rating"])
TFIDF = ("text", TfidfVectorizer(sublinear_tf=True), "text")
BERT = ("text", BertVectorizer(cache="memory"), "text")

columns = {
    "numbers": [NUMBERS],
    "TF-IDF": [TFIDF],
    "TF-IDF\n+ numbers": [TFIDF, NUMBERS],
    "BERT": [BERT],
    "BERT\n+ numbers": [BERT, NUMBERS],
}

# %%
# Scores on new reviews
# ---------------------
# :class:`~sklearn.model_selection.GroupKFold` keeps the sentences of a review together.
# Otherwise, the previous sentence of a test sentence could be a training sentence.

r2 = {}
for name, parts in columns.items():
    model = make_pipeline(ColumnTransformer(parts), Ridge(alpha=3))
    result = cross_validate(
        model, table, table["rating"], groups=table["review"], cv=GroupKFold(5)
    )
    r2[name] = result["test_score"].mean()
    print(f"{' '.join(name.split()):17s} R² {r2[name]:.3f}")

# %%
# The figure
# ----------

plt.rc("font", size=14)
plt.rc("axes.spines", top=False, right=False)
fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
colors = ["lightgray", "silver", "gray", "lightskyblue", "tab:blue"]
bars = ax.bar(list(r2), list(r2.values()), color=colors)
ax.bar_label(bars, fmt="{:.2f}", fontsize=18)
ax.margins(y=0.15)
ax.set(ylabel="R² on new reviews", title="The columns add to the text")
plt.show()

# %%
# The numbers help both, and without them the encoder is as good as TF-IDF with them.
#
# All parameters can be searched, for example ``columntransformer__text__pooling``; see
# :doc:`plot_4_grid_search`. For gradient boosting, hundreds of text features are too
# many: :class:`~sklearn_bert.BertTargetEncoder` returns a few, see
# :doc:`../../text_columns`.
