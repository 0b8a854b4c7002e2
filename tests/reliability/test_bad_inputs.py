"""Bad samples and targets give the errors that users of scikit-learn expect."""

import re
import time
import warnings

import pytest

from reliability.bad_values import CONTAINERS, ELEMENTS, FAILING, SCALARS, TARGETS
from reliability.subjects import SUBJECTS, WITH_Y, assert_close, calls, name_of_call
from sklearn_bert.exceptions import SklearnBertError

SECONDS = 5
# An error states a rule, in one of these words.
RULE = re.compile(r"\b(must|required?s?|expect\w*|supported|should|Found|contains)\b")
# These can be sentences of words.
SENTENCES = {
    "a zip of three",
    "an array of no columns",
    "in row 1, a Series",
    "in row 1, a generator",
    "in row 1, a list of a text",
    "in row 1, an array",
    "in row 1, an empty list",
    "in row 1, an empty tuple",
    "in row 1, three texts",
    "rows of 3 texts",
    "rows of different lengths",
    "three columns of texts",
}
WHOLE = {**SCALARS, **CONTAINERS, **FAILING}
SUPERVISED = [one for one in SUBJECTS if one.y is not None]


def bad_samples(subject):
    """Yield the name and the X of each bad value for a subject."""
    allowed = SENTENCES if subject.name == "BertTokenClassifier" else ()
    for name, make in WHOLE.items():
        if name not in allowed:
            yield name, make
    for name, make in ELEMENTS.items():
        if name not in allowed:
            yield name, lambda make=make: [subject.X[0], make(), *subject.X[2:]]


def some(values, tally, offset):
    """Return all values in the full run, and otherwise every third one."""
    step = tally.count(ci=3, soak=1)
    return list(values)[offset % step :: step]


def refuse(name, call):
    """Check that a call raises an error that is expected, and soon."""
    start = time.monotonic()
    found = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            call()
    except (ValueError, TypeError) as error:
        found = error
    assert found is not None, f"{name} was accepted"
    assert time.monotonic() - start < SECONDS, name
    assert str(found).strip(), name
    if isinstance(found, SklearnBertError):
        assert RULE.search(str(found)), found


@pytest.fixture(scope="module")
def fitted(tiny_bert):
    """A fitted estimator of each kind, with its answers."""
    made = {one.name: one.fitted(str(tiny_bert)) for one in SUBJECTS}
    return {one.name: (made[one.name], one.answers(made[one.name])) for one in SUBJECTS}


def estimator_for(subject, method, fitted, model):
    return subject.make(model) if method == "fit" else fitted[subject.name][0]


CALLS = [*calls(SUBJECTS), (SUBJECTS[3], "split_words")]


@pytest.mark.parametrize(("subject", "method"), CALLS, ids=name_of_call)
def test_bad_samples_are_refused(tiny_bert, fitted, tally, subject, method):
    estimator = estimator_for(subject, method, fitted, str(tiny_bert))
    offset = CALLS.index((subject, method))
    for name, make in some(bad_samples(subject), tally, offset):
        with tally.case("bad samples"):
            refuse(name, lambda make=make: _call(subject, estimator, method, make()))
    if method != "fit":
        assert_close(
            list(subject.answers(estimator).values()),
            list(fitted[subject.name][1].values()),
        )


def _call(subject, estimator, method, X):
    # None is the subject's own X for `call`.
    if X is None:
        return getattr(estimator, method)(X, *[subject.y] * (method in WITH_Y))
    return subject.call(estimator, method, X)


@pytest.mark.parametrize(
    ("subject", "method"),
    [
        (subject, method)
        for subject in SUPERVISED
        for method in (*subject.learning, "score")
    ],
    ids=name_of_call,
)
def test_bad_targets_are_refused(tiny_bert, fitted, tally, subject, method):
    estimator = estimator_for(subject, method, fitted, str(tiny_bert))
    targets = {**SCALARS, **TARGETS}
    for name, make in some(targets.items(), tally, len(method)):
        with tally.case("bad targets"):
            call = getattr(estimator, method)
            refuse(name, lambda call=call, make=make: call(subject.X, make()))
