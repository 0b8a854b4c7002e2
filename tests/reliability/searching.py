"""A search in a process of its own, which measures its memory after each fit."""

import json
import sys
import warnings

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from sklearn_bert import BertClassifier

WORDS = "a good film the bad plot music and dull story slow fast".split()


def main(folder, n_fits):
    """Print the peak of one fit, the memory after each fit, and the peak of all."""
    warnings.simplefilter("ignore")
    rng = np.random.RandomState(0)
    texts = [" ".join(rng.choice(WORDS, size=n)) for n in rng.randint(3, 30, size=64)]
    labels = [k % 2 for k in range(64)]
    classifier = BertClassifier(folder, n_epochs=1, random_state=0)
    # The first fit also imports transformers.
    clone(classifier).fit(texts, labels)
    forget_peak()
    clone(classifier).fit(texts, labels)
    of_one_fit = read("VmHWM")
    forget_peak()
    after_fits = []

    def score(estimator, X, y):
        after_fits.append(read("VmRSS"))
        return estimator.score(X, y)

    rates = np.geomspace(1e-5, 1e-4, n_fits // 2).tolist()
    search = GridSearchCV(
        classifier, {"learning_rate": rates}, cv=2, scoring=score, refit=False
    )
    search.fit(texts, labels)
    print(json.dumps([of_one_fit, after_fits, read("VmHWM")]))


def read(name):
    """Return resident memory in megabytes: the current one, or its peak."""
    with open("/proc/self/status") as file:
        line = next(line for line in file if line.startswith(name))
    return int(line.split()[1]) / 1024


def forget_peak():
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
