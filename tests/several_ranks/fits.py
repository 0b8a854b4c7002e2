"""The script of each rank, and fits that the tests make in one process, too."""

import os
import signal
import sys
import warnings

import joblib
import numpy as np
import torch

from sklearn_bert import (
    BertClassifier,
    BertMaskedLM,
    BertRegressor,
    BertTokenClassifier,
)
from sklearn_bert.exceptions import DistributedError, DivergenceError

_EXACT = {"dropout": 0.0, "dtype": "float32", "random_state": 0, "learning_rate": 1e-3}
# A last batch of one text, of which the second rank has no share.
_N = 33


def make_data():
    """Return texts of different lengths, targets and weights."""
    rng = np.random.RandomState(0)
    words = "the film was good and bad with a dull plot".split()
    texts = [" ".join(rng.choice(words, size=n)) for n in rng.randint(2, 30, size=_N)]
    return texts, np.array([len(text) > 60 for text in texts]), rng.rand(_N) + 0.5


def fit_all(folder, checkpoints):
    """Return fitted estimators by name, whose weights are exact."""
    texts, y, weights = make_data()
    words = [text.split() for text in texts]
    tags = [["B-X" if word == "film" else "O" for word in one] for one in words]
    few = {**_EXACT, "batch_size": 8, "n_epochs": 2}
    # Ten epochs of five batches.
    classifier = BertClassifier(
        folder,
        class_weight="balanced",
        contrastive=0.0,
        **{**few, "n_epochs": 10},
    )
    return {
        "classifier": classifier.fit(texts, y, weights),
        "contrastive": BertClassifier(folder, contrastive=0.5, **few).fit(texts, y),
        "regressor": BertRegressor(folder, **few).fit(texts, [len(x) for x in texts]),
        "tags": BertTokenClassifier(folder, **few).fit(words, tags),
        "masked": BertMaskedLM(
            folder,
            batch_tokens=128,
            n_epochs=2,
            checkpoint_dir=checkpoints,
            **_EXACT,
        ).fit(texts),
        "stopped": BertClassifier(
            folder,
            early_stopping=True,
            n_iter_no_change=1,
            validation_fraction=0.3,
            scoring="neg_log_loss",
            **{**few, "n_epochs": 10, "learning_rate": 5e-3},
        ).fit(texts, y),
    }


def weights_of(estimator):
    """Return arrays of weights by name."""
    packed = getattr(estimator, "_masked_model", None)
    if packed is not None:
        return {**packed.encoder.weights, **packed.head}
    return {
        **estimator.encoder_.weights,
        "coef": estimator.coef_,
        "intercept": estimator.intercept_,
    }


def describe(estimator):
    """Return what the tests compare."""
    return {
        "weights": weights_of(estimator),
        "loss_curve": estimator.loss_curve_,
        "scores": getattr(estimator, "validation_scores_", []),
    }


def _fail(fit):
    """Return the name of the error of a fit, and its message."""
    try:
        fit()
    except (ValueError, DistributedError, DivergenceError) as error:
        return type(error).__name__, str(error)
    return None


def _call_back(folder):
    """Return how often a callback was called that stops after two epochs."""
    calls = []
    texts, y, _ = make_data()

    def stop(state):
        calls.append(state.epoch)
        return state.epoch == 2

    model = BertClassifier(folder, n_epochs=5, callbacks=[stop]).fit(texts, y)
    return len(calls), model.n_iter_


def _refuse(state):
    raise ValueError("no epoch is wanted")


def main(folder, out):
    """Fit in this rank, and write what the tests ask of it."""
    rank = int(os.environ["RANK"])
    texts, y, _ = make_data()
    quick = {"n_epochs": 1, "random_state": 0}
    fitted = fit_all(folder, os.path.join(out, "checkpoints"))
    found = {name: describe(estimator) for name, estimator in fitted.items()}
    found["without a seed"] = describe(
        BertClassifier(folder, n_epochs=1, early_stopping=True).fit(texts, y)
    )
    found["callback"] = _call_back(folder)
    refusing = BertClassifier(folder, callbacks=[_refuse], **quick)
    found["failing callback"] = _fail(lambda: refusing.fit(texts, y))
    found["other texts"] = _fail(
        lambda: BertClassifier(folder, **quick).fit(texts[rank:], y[rank:])
    )
    found["diverging"] = _fail(
        lambda: BertClassifier(folder, learning_rate=1e30, **quick).fit(texts, y)
    )
    BertClassifier(folder, verbose=2, **quick).fit(texts, y)
    os.environ["SKLEARN_BERT_DISTRIBUTED"] = "0"
    seed = {**quick, "random_state": rank}
    found["alone"] = describe(BertClassifier(folder, **seed).fit(texts, y))
    joblib.dump(found, os.path.join(out, f"{rank}.joblib"))


def die(folder, *_):
    """Kill rank 1 in its third step; rank 0 prints the error of its fit."""
    original, n_calls = torch.nn.functional.cross_entropy, 0

    def count(*args, **options):
        nonlocal n_calls
        n_calls += 1
        if n_calls == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*args, **options)

    if os.environ["RANK"] == "1":
        torch.nn.functional.cross_entropy = count
    texts, y, _ = make_data()
    print(*_fail(lambda: BertClassifier(folder, batch_size=8).fit(texts, y)))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    {"main": main, "die": die}[sys.argv[1]](*sys.argv[2:])
