"""What remains of a fitted estimator in a process of its own when it is deleted."""

import gc
import json
import sys
import warnings
from unittest.mock import patch

from reliability.searching import read
from sklearn_bert import BertClassifier
from sklearn_bert._engine.encoding.encoder_cache import LINGER_SECONDS

TEXTS = ["a good film", "the bad plot"] * 8


def main(folder):
    """Print the memory with an estimator, and after it, in three rounds."""
    warnings.simplefilter("ignore")
    print(json.dumps([measure(folder) for _ in range(3)]))


def measure(folder):
    now = [0.0]
    with patch("sklearn_bert._engine.encoding.encoder_cache.monotonic", lambda: now[0]):
        classifier = BertClassifier(folder, n_epochs=1, random_state=0)
        classifier.fit(TEXTS, [0, 1] * 8).predict(TEXTS)
        with_it = read("VmRSS")
        del classifier
        # The first collection finds what is unused, the second one what to drop.
        gc.collect()
        now[0] += LINGER_SECONDS
        gc.collect()
    return with_it, read("VmRSS")


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
