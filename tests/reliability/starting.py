"""The first calls in a process, in several threads at once."""

import json
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

from reliability.subjects import SUBJECTS


def main(folder):
    """Fit one estimator of each kind, and print the errors."""
    warnings.simplefilter("ignore")
    start = threading.Barrier(len(SUBJECTS))

    def fit(subject):
        start.wait(30)
        subject.fitted(folder)

    with ThreadPoolExecutor(len(SUBJECTS)) as pool:
        fits = [pool.submit(fit, subject) for subject in SUBJECTS]
        print(json.dumps([repr(x) for one in fits if (x := one.exception())]))


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
