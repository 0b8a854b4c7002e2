"""Damaged files of estimators are refused, or give the predictions of the whole file.

A file whose checksums were computed again cannot be told from another file. It is
refused, or it is an estimator that answers in the usual form or with an error.
"""

import numpy as np
import pytest
from saving.cases import CASES, Case

from reliability.mutations import BYTES, forge
from sklearn_bert import load
from sklearn_bert.exceptions import SavedFileError, SklearnBertError

NAMES = ["classes of texts", "a new model", "counts of a learned vocabulary"]


@pytest.fixture(scope="module", params=NAMES)
def case(request, tiny_bert):
    return Case(*CASES[request.param](str(tiny_bert)))


@pytest.fixture
def mutate(case, tmp_path):
    """Return a function that yields what `load` makes of mutated files, or None."""

    def mutants(mutations, n):
        path = tmp_path / "file"
        case.estimator.save(path)
        whole, random = path.read_bytes(), np.random.RandomState(0)
        for k in range(n):
            data = bytearray(whole)
            mutations[k % len(mutations)](data, random)
            path.write_bytes(data)
            yield path

    return mutants


def load_or_none(path):
    try:
        return load(path)
    except SavedFileError:
        return None


def test_no_damage_changes_predictions_silently(case, mutate, tally):
    expected, n_refused = case.answers(), 0
    n = tally.count(ci=300, soak=1000)
    for path in mutate(BYTES, n):
        with tally.case("bytes of a saved file changed"):
            loaded = load_or_none(path)
            n_refused += loaded is None
            assert loaded is None or case.answers(loaded) == expected
    # A few change nothing, such as zeros that become zeros.
    assert n_refused > 0.9 * n


def test_other_content_is_refused_or_an_estimator(case, mutate, tally):
    expected, n_refused = case.answers(), 0
    n = tally.count(ci=40, soak=400)
    for path in mutate([forge], n):
        with tally.case("content of a saved file changed, with its checksums"):
            loaded = load_or_none(path)
            n_refused += loaded is None
            if loaded is not None:
                assert type(loaded) is type(case.estimator)
                check_answers(case, loaded, expected)
    assert n_refused > 0.4 * n


def check_answers(case, loaded, expected):
    try:
        found = case.answers(loaded)
    except (SklearnBertError, ValueError, TypeError):
        return
    assert {*found} == {*expected}
    for answer in found.values():
        # Other numbers of classes, features or tokens are other content.
        assert len(answer) == len(case.X) if isinstance(answer, list) else True
