"""Curves of what estimators record, and the epoch whose weights are kept."""

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from sklearn_bert.inspection import TrainingCurveDisplay

pytestmark = pytest.mark.usefixtures("plt")


def legend(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


@pytest.fixture(scope="module")
def stopped(fit):
    return fit(n_epochs=3, early_stopping=True, n_iter_no_change=5)


def test_loss_and_scores_are_drawn_by_epoch(stopped):
    display = TrainingCurveDisplay.from_estimator(make_pipeline("passthrough", stopped))
    loss = display.ax_.get_lines()[0]
    np.testing.assert_array_equal(loss.get_xdata(), [1, 2, 3])
    np.testing.assert_array_equal(loss.get_ydata(), stopped.loss_curve_)
    (score,) = display.score_ax_.get_lines()
    np.testing.assert_array_equal(score.get_ydata(), stopped.validation_scores_)
    kept = display.validation_scores[display.kept_epoch - 1]
    assert kept == stopped.best_validation_score_


def test_the_first_best_epoch_is_kept():
    display = TrainingCurveDisplay([3, 2, 1, 0], [np.nan, 0.5, 0.75, 0.75]).plot()
    assert display.kept_epoch == 3
    assert legend(display)[-1] == "kept: epoch 3"
    assert display.ax_.get_lines()[-1].get_xdata()[0] == 3


def test_the_first_epoch_is_kept_if_all_scores_are_nan():
    assert TrainingCurveDisplay([2, 1], [np.nan, np.nan]).kept_epoch == 1


def test_no_epoch_is_marked_without_scores():
    display = TrainingCurveDisplay([2, 1]).plot()
    assert display.kept_epoch is None
    assert legend(display) == ["training loss"]


def test_the_learning_rate_falls_linearly_after_the_warmup(fit):
    fitted = fit(n_epochs=4, warmup=0.5, learning_rate=1e-3)
    display = TrainingCurveDisplay.from_estimator(fitted)
    np.testing.assert_allclose(display.learning_rates, [5e-4, 1e-3, 5e-4, 0], rtol=2e-3)
    assert display.score_ax_ is None


def test_partial_fit_has_no_schedule(fit, texts):
    fitted = fit(n_epochs=2)
    labels = fitted.predict(texts)
    fitted = fitted.partial_fit(texts, labels)
    assert len(TrainingCurveDisplay.from_estimator(fitted).learning_rates) == 0


def test_axes_may_be_given(plt):
    figure, ax = plt.subplots()
    display = TrainingCurveDisplay([2, 1])
    assert display.plot(ax) is display
    assert (display.ax_, display.figure_) == (ax, figure)
    assert len(plt.get_fignums()) == 1
