"""What is left of BertClassifier when a fit fails or is stopped."""

import numpy as np
import pytest
import torch

from sklearn_bert.exceptions import (
    DivergenceError,
    InterruptedFitWarning,
    MemoryWarning,
)


def test_short_memory_is_told_once_and_changes_nothing(
    make, texts, labels, monkeypatch, disturb_losses
):
    error = torch.OutOfMemoryError("out of memory")
    disturb_losses(lambda call, _: call == 1, error)
    exact = {"dropout": 0.0, "dtype": "float32", "contrastive": 0}
    classifier = make(**exact)
    words = "into parts of 16.*gradient is still that of the whole batch"
    with pytest.warns(MemoryWarning, match=words) as caught:
        classifier.fit(texts, labels)
    assert len(caught) == 1
    assert classifier.batch_size == 32
    monkeypatch.undo()
    expected = make(**exact).fit(texts, labels)
    np.testing.assert_allclose(
        classifier.predict_proba(texts), expected.predict_proba(texts), atol=1e-5
    )


def test_short_memory_limits_which_texts_are_compared(
    make, texts, labels, disturb_losses
):
    error = torch.OutOfMemoryError("out of memory")
    disturb_losses(lambda call, _: call == 1, error)
    with pytest.warns(MemoryWarning, match="compared with the others of their part"):
        make(contrastive=0.5).fit(texts, labels)


@pytest.mark.parametrize("failing", range(4))
def test_prediction_halves_batches_that_do_not_fit(
    fitted, texts, shorten_memory, failing
):
    # So many that they make several batches.
    texts = [f"{text} {k}" for k in range(6) for text in texts]
    expected = fitted.predict_proba(texts)
    batches = shorten_memory(lambda call, ids: call == failing)
    np.testing.assert_allclose(fitted.predict_proba(texts), expected, atol=1e-6)
    assert len(batches) > 5


def test_divergence_is_an_error_that_leaves_a_usable_estimator(make, texts, labels):
    def spoil(state):
        if state.epoch == 1:
            raise DivergenceError("as the loop raises it")

    classifier = make(callbacks=[spoil])
    with pytest.raises(DivergenceError):
        classifier.fit(texts, labels)
    assert np.isfinite(classifier.predict_proba(texts)).all()


def test_an_interrupt_leaves_a_usable_estimator_and_warns(make, texts, labels):
    def interrupt(state):
        if state.epoch == 2:
            raise KeyboardInterrupt

    classifier = make(n_epochs=5, callbacks=[interrupt])
    with pytest.warns(InterruptedFitWarning, match="after 4 steps"):
        classifier.fit(texts, labels)
    assert classifier.n_iter_ == 2
    assert classifier.predict(texts).shape == (40,)


def test_a_failing_fit_leaves_the_estimator_as_it_was(make, texts, labels):
    classifier = make().fit(texts, labels)
    before = vars(classifier).copy()

    def fail(state):
        raise RuntimeError("mine")

    classifier.set_params(callbacks=[fail])
    with pytest.raises(RuntimeError, match="mine"):
        classifier.fit(texts, labels)
    assert vars(classifier) == {**before, "callbacks": [fail]}
