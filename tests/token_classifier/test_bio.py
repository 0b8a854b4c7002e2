"""Tags that begin before they go on."""

import pickle
import re

import numpy as np
import pytest

from token_classifier.comparing import assert_close


def test_constrained_tags_are_bio(make, sentences, tags):
    # A tagger that has learned little breaks the rules in many sentences.
    loose = make(n_epochs=1, init="zeros").fit(sentences, tags)
    loose.intercept_[2] += 3
    noise = np.random.RandomState(0).normal(size=(3, loose.coef_.shape[1]))
    loose.coef_[:3] += 0.3 * noise
    strict = pickle.loads(pickle.dumps(loose)).set_params(constrain_tags="bio")
    free = loose.predict(sentences)
    assert any(_breaks_bio(some) for some in free)
    assert not any(_breaks_bio(some) for some in strict.predict(sentences))
    assert_close(loose.predict_proba(sentences), strict.predict_proba(sentences), 0)


def _breaks_bio(tags):
    pairs = zip(["O", *tags], tags, strict=False)
    return any(now[0] == "I" and (b[0] == "O" or b[1:] != now[1:]) for b, now in pairs)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (["O", "NN"], "Got 'NN' for word 1 of sentence 2"),
        (["O", "B-"], "Got 'B-' for word 1 of sentence 2"),
        (["O", "I-x"], "Got 'I-x' after 'O' for word 1 of sentence 2"),
        (["I-x", "O"], "Got 'I-x' at the start for word 0 of sentence 2"),
        (["B-y", "I-x"], "Got 'I-x' after 'B-y' for word 1 of sentence 2"),
    ],
)
def test_tags_that_are_not_bio_are_refused_where_bio_is_asked(make, bad, words):
    X, y = [["a", "b"]] * 3, [["O", "B-x"], ["B-x", "I-x"], bad]
    with pytest.raises(ValueError, match=re.escape(words)):
        make(constrain_tags="bio").fit(X, y)


@pytest.mark.parametrize("names", [["I-x", "I-y"], ["B-x", "NN"]])
def test_classes_that_cannot_be_bio_are_refused_in_predicting(make, names):
    X, y = [["a", "b"]] * 3, [names] * 3
    tagger = make(n_epochs=1).fit(X, y).set_params(constrain_tags="bio")
    with pytest.raises(ValueError, match=re.escape(f"for the classes {sorted(names)}")):
        tagger.predict(X)
