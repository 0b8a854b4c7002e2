"""Every family can be explained: contributions sum to the change of the output."""

import numpy as np
import pytest

from sklearn_bert import BertClassifier
from sklearn_bert.inspection import token_attributions

TEXTS = ["good film", "great plot and music", "bad film", "dull plot and music"]


@pytest.fixture
def classifier(family):
    options = {"n_epochs": 1, "dtype": "float64", "device": "cpu", "random_state": 0}
    classifier = BertClassifier(family.folder, **options)
    return classifier.fit(TEXTS, ["up", "up", "down", "down"])


def test_contributions_are_complete(classifier):
    (found,) = token_attributions(classifier, TEXTS[1:2], "up", n_steps=500)
    (expected,) = classifier.decision_function(TEXTS[1:2])
    assert found.output == pytest.approx(expected, abs=1e-9)
    assert found.words == TEXTS[1].split()
    assert np.isfinite(found.contributions).all()
    assert abs(found.error) < 0.02 * np.abs(found.contributions).sum()
