"""Film reviews: TF-IDF or BERT features for a logistic regression?

Run by ``make demo``; two to three minutes on two cores. Prints a table and saves the
figure demo.png. The sentences are downloaded once, with pip, from the package index.
"""

import time
from contextlib import contextmanager
from dataclasses import dataclass

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    cross_validate,
    learning_curve,
    train_test_split,
)
from sklearn.pipeline import make_pipeline

from sklearn_bert import BertVectorizer
from sklearn_bert.datasets import fetch_vader_sentiment

N_SAMPLE = 1000
FOLDS = StratifiedKFold(n_splits=5, shuffle=True, random_state=0)
CURVE_SIZES = [100, 300, 1000, 3000, 6000]
FIGURE = "demo.png"


@dataclass(frozen=True)
class Tuned:
    """The best setting that a grid search found.

    Attributes
    ----------
    model : estimator
        Fitted to the training part of `features`.
    features : array of shape (n_samples, ...)
        Input of `model`: the sentences, or their features.
    setting : str
    scores : ndarray of shape (5,)
        Accuracy in each fold of the training part.
    """

    model: BaseEstimator
    features: np.ndarray
    setting: str
    scores: np.ndarray


def main():
    """Run all steps."""
    start = time.perf_counter()
    X, y = load_sentences()
    compare_pipelines(X, y)

    train, test = train_test_split(
        np.arange(len(y)), test_size=0.2, stratify=y, random_state=0
    )
    tuned = {
        "TF-IDF": tune_tfidf(X, y, train),
        "BertVectorizer": tune_bert(X, y, train),
    }
    report(tuned, y, test)
    curves = {name: learn(name, best, y, train) for name, best in tuned.items()}
    plot(tuned, curves)
    print(f"\nFigure saved to {FIGURE}. Total {time.perf_counter() - start:.0f} s.")


@contextmanager
def step(title):
    """Print the title of a step and the time it took."""
    print(f"\n{title} ...", flush=True)
    start = time.perf_counter()
    yield
    print(f"    {time.perf_counter() - start:.1f} s", flush=True)


def load_sentences():
    """Return the sentences and whether people rated them positive."""
    with step("Loading sentences of film reviews, rated by people from -4 to 4"):
        movies = fetch_vader_sentiment(subset="movies")
    rated = movies.target != 0
    X, y = movies.data[rated], movies.target[rated] > 0
    print(
        f"    {len(rated):,} sentences; {np.sum(~rated)} rated exactly 0 are dropped; "
        f"{np.mean(y):.0%} of the others are positive"
    )
    return X, y


def compare_pipelines(X, y):
    """Cross-validate whole pipelines with their default parameters."""
    X, _, y, _ = train_test_split(X, y, train_size=N_SAMPLE, stratify=y, random_state=0)
    pipelines = {
        "TF-IDF": make_pipeline(TfidfVectorizer(), LogisticRegression()),
        "BertVectorizer": make_pipeline(
            BertVectorizer(), LogisticRegression(max_iter=1000)
        ),
    }
    print(
        f"\nTwo default pipelines, on {N_SAMPLE:,} sentences to save time: "
        "each of the 5 folds encodes all of them again"
    )
    for name, pipeline in pipelines.items():
        with step(f"cross_validate({name} + LogisticRegression)"):
            scores = cross_validate(pipeline, X, y, cv=FOLDS)["test_score"]
            print(f"    accuracy {scores.mean():.3f} (std {scores.std():.3f})")


def tune_tfidf(X, y, train):
    """Search the parameters of TF-IDF and of the classifier together."""
    pipeline = make_pipeline(
        TfidfVectorizer(sublinear_tf=True), LogisticRegression(max_iter=1000)
    )
    grid = {
        "tfidfvectorizer__ngram_range": [(1, 1), (1, 2)],
        "logisticregression__C": [1, 3, 10],
    }
    with step("Grid search over the TF-IDF pipeline, 6 settings in 5 folds"):
        search = GridSearchCV(pipeline, grid, cv=FOLDS, n_jobs=2).fit(
            X[train], y[train]
        )
    best = search.best_params_
    setting = (
        f"ngram_range={best['tfidfvectorizer__ngram_range']}, "
        f"C={best['logisticregression__C']}"
    )
    return Tuned(search.best_estimator_, X, setting, fold_scores(search))


def tune_bert(X, y, train):
    """Search the parameters of encoder and classifier, encoding once per pooling.

    The encoder is frozen and learns nothing from the data, so encoding all sentences
    outside the cross-validation causes no leakage. A search over the pipeline gives the
    same scores, but encodes again for each value of C.
    """
    features = {}
    for pooling in ("cls", "mean"):
        with step(f"Encoding all sentences once, pooling={pooling!r}"):
            vectorizer = BertVectorizer(
                pooling=pooling, layers=[-4, -3, -2, -1], verbose=1
            )
            joined = vectorizer.fit_transform(X)
            print(f"    {joined.shape[1]} features on {vectorizer.device_}")
        # The layers are concatenated: the last layer is the last quarter.
        width = joined.shape[1] // 4
        features[f"pooling={pooling!r}, layers=-1"] = joined[:, -width:]
        features[f"pooling={pooling!r}, layers=[-4, -3, -2, -1]"] = joined

    grid = {"C": [0.01, 0.1, 1]}
    searches = {}
    with step("Grid search over pooling, layers and C, 12 settings in 5 folds"):
        for setting, columns in features.items():
            search = GridSearchCV(
                LogisticRegression(max_iter=1000), grid, cv=FOLDS, n_jobs=2
            )
            searches[setting] = search.fit(columns[train], y[train])
            print(f"    {setting:39s} accuracy {search.best_score_:.3f}", flush=True)
    setting, search = max(searches.items(), key=lambda item: item[1].best_score_)
    return Tuned(
        search.best_estimator_,
        features[setting],
        f"{setting}, C={search.best_params_['C']}",
        fold_scores(search),
    )


def fold_scores(search):
    """Return the accuracy of the best setting in each fold."""
    results = search.cv_results_
    return np.array(
        [
            results[f"split{fold}_test_score"][search.best_index_]
            for fold in range(FOLDS.n_splits)
        ]
    )


def report(tuned, y, test):
    """Print the scores in the folds of the search and on held-out sentences."""
    print(f"\n{'':15s}  5 folds        held out: accuracy  ROC AUC   best setting")
    for name, best in tuned.items():
        held_out = best.features[test]
        accuracy = accuracy_score(y[test], best.model.predict(held_out))
        auc = roc_auc_score(y[test], best.model.predict_proba(held_out)[:, 1])
        print(
            f"{name:15s}  {best.scores.mean():.3f} ± {best.scores.std():.3f}"
            f"  {accuracy:18.3f}  {auc:7.3f}   {best.setting}"
        )


def learn(name, best, y, train):
    """Return the accuracy by number of labeled sentences, one column per fold."""
    with step(f"Learning curve of {name}, best setting, 5 folds"):
        _, _, scores = learning_curve(
            best.model,
            best.features[train],
            y[train],
            train_sizes=CURVE_SIZES,
            cv=FOLDS,
            shuffle=True,
            random_state=0,
            n_jobs=2,
        )
        for size, mean in zip(CURVE_SIZES, scores.mean(axis=1), strict=True):
            print(f"    {size:5,d} labeled sentences: accuracy {mean:.3f}")
    return scores


def plot(tuned, curves):
    """Save the figure with the scores in the folds and the learning curves."""
    colors = dict(zip(tuned, ("tab:gray", "tab:blue"), strict=True))
    fig, (left, right) = plt.subplots(
        ncols=2,
        figsize=(9, 4),
        sharey=True,
        width_ratios=(1, 1.6),
        layout="constrained",
    )
    for position, (name, best) in enumerate(tuned.items()):
        mean = best.scores.mean()
        left.bar(position, mean, color=colors[name], alpha=0.4, width=0.7)
        jitter = np.linspace(-0.15, 0.15, len(best.scores))
        left.scatter(position + jitter, best.scores, color=colors[name], s=16, zorder=3)
        left.text(position, 0.51, f"{mean:.3f}", ha="center", fontsize=12)
    left.set_xticks(range(len(tuned)), list(tuned))
    left.set(
        ylabel="accuracy (0.5 is chance)",
        ylim=(0.5, 0.85),
        title="Best setting, 5 folds",
    )

    for name, scores in curves.items():
        mean, spread = scores.mean(axis=1), scores.std(axis=1)
        right.plot(CURVE_SIZES, mean, "o-", color=colors[name], label=name)
        right.fill_between(
            CURVE_SIZES,
            mean - spread,
            mean + spread,
            color=colors[name],
            alpha=0.2,
            lw=0,
        )
    right.set_xscale("log")
    right.set_xticks(CURVE_SIZES, [f"{size:,}" for size in CURVE_SIZES])
    right.minorticks_off()
    right.set(
        xlabel="labeled sentences", title="Learning curve, mean and std of 5 folds"
    )
    right.legend(loc="lower right", frameon=False)
    for ax in (left, right):
        ax.spines[["top", "right"]].set_visible(False)
    fig.savefig(FIGURE, dpi=120)


if __name__ == "__main__":
    main()
