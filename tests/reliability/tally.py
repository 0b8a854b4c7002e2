"""Counts of the cases of a fault: how many were tried, survived and lost."""

from collections import Counter
from contextlib import contextmanager

# Of the properties of a report that hold the counts of a test.
PROPERTY = "tally"
_MOST_ERRORS = 5


class Tally:
    """What a test tried.

    Parameters
    ----------
    is_soak : bool
        Whether this is the full run.

    Attributes
    ----------
    tried, lost : Counter
        The number of cases by fault.
    """

    def __init__(self, *, is_soak):
        self.tried, self.lost = Counter(), Counter()
        self._is_soak = is_soak
        self._errors = []

    def count(self, *, ci, soak):
        """Return how many cases are tried in this run."""
        return soak if self._is_soak else ci

    @contextmanager
    def case(self, fault):
        """Count what runs in the context as a case of a fault.

        An error makes it a lost one, and the test continues, so that the table is
        complete. :meth:`raise_errors` makes the test fail at its end.
        """
        self.tried[fault] += 1
        try:
            yield
        # Failed assertions, and what the case itself raises.
        except Exception as error:
            self.lost[fault] += 1
            self._errors.append(error)

    def raise_errors(self):
        """Raise the first errors, if there are any."""
        if self._errors:
            message = f"{len(self._errors)} of {self.tried.total()} cases were lost"
            raise ExceptionGroup(message, self._errors[:_MOST_ERRORS])

    def to_property(self):
        """Return the counts in types that a report can send to another process."""
        return {fault: [n, self.lost[fault]] for fault, n in self.tried.items()}


def format_table(properties):
    """Return the lines of a table of the counts of several tests."""
    tried, lost = Counter(), Counter()
    for counts in properties:
        for fault, (n_tried, n_lost) in counts.items():
            tried[fault] += n_tried
            lost[fault] += n_lost
    width = max(map(len, tried), default=5)
    yield f"{'fault':{width}} {'tried':>9} {'survived':>9} {'lost':>9}"
    for fault, n in sorted(tried.items()):
        yield f"{fault:{width}} {n:9} {n - lost[fault]:9} {lost[fault]:9}"
