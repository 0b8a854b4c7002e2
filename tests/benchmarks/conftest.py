"""The root of the checkout, in which the package `benchmarks` lies."""

import sys
from pathlib import Path

# Last: the tests import the installed sklearn_bert, if there is one.
sys.path.append(str(Path(__file__).parents[2]))
