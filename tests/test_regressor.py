"""BertRegressor: it learns, in the units of y, and says what is wrong."""

import pickle
import re

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_regressor
from sklearn.exceptions import NotFittedError

from sklearn_bert import BertRegressor
from sklearn_bert.exceptions import ConstantTargetWarning, InputError, TruncationWarning

EXACT = {"dtype": "float64", "dropout": 0.0, "batch_size": 999}
NAN = float("nan")


@pytest.fixture(scope="module")
def numbers(texts):
    """How long the texts are, far from mean 0 and standard deviation 1."""
    return np.array([1000.0 + 3 * len(text.split()) for text in texts])


@pytest.fixture(scope="module")
def two_numbers(texts, numbers):
    goods = [text.split().count("good") for text in texts]
    return np.column_stack([numbers, goods])


@pytest.fixture(scope="module")
def make(tiny_bert):
    """Return a function that makes a quick regressor."""

    def make(**changes):
        options = {"n_epochs": 2, "learning_rate": 1e-3, "random_state": 0}
        return BertRegressor(tiny_bert, **{**options, **changes})

    return make


@pytest.fixture(scope="module")
def fitted(make, texts, numbers):
    return make().fit(texts, numbers)


def assert_same(first, second, tolerance=0.0):
    expected = {**second.encoder_.weights, "coef": second.coef_}
    for name, value in {**first.encoder_.weights, "coef": first.coef_}.items():
        np.testing.assert_allclose(value, expected[name], rtol=0, atol=tolerance)


# --- what comes out ----------------------------------------------------------------


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber"])
def test_learns_what_is_to_be_learned(make, texts, numbers, loss):
    regressor = make(n_epochs=60, loss=loss, init="zeros", dropout=0.0)
    regressor.fit(texts, numbers)
    assert regressor.score(texts, numbers) > 0.9
    assert regressor.loss_curve_[-1] < regressor.loss_curve_[0] / 2


def test_every_loss_leads_elsewhere(make, texts, numbers):
    kinds = ("squared_error", "absolute_error", "huber")
    first, second, third = (make(loss=x).fit(texts, numbers).coef_ for x in kinds)
    assert abs(first - second).max() > 1e-6
    assert abs(second - third).max() > 1e-6


def test_predictions_have_the_dimensions_of_y(make, fitted, texts, numbers):
    assert fitted.predict(texts).shape == (40,)
    column = make().fit(texts, numbers[:, None])
    assert column.predict(texts).shape == (40, 1)
    np.testing.assert_array_equal(column.predict(texts)[:, 0], fitted.predict(texts))


def test_several_targets_are_learned_at_once(make, texts, two_numbers):
    regressor = make(n_epochs=60, dropout=0.0).fit(texts, two_numbers)
    assert regressor.predict(texts).shape == (40, 2)
    assert regressor.score(texts, two_numbers) > 0.8
    assert regressor.n_outputs_ == 2


def test_coefficients_are_in_the_units_of_y(make, texts, two_numbers):
    regressor = make().fit(texts, two_numbers)
    assert regressor.coef_.shape == (2, 32)
    by_hand = regressor.transform(texts) @ regressor.coef_.T + regressor.intercept_
    np.testing.assert_allclose(regressor.predict(texts), by_hand, rtol=1e-12)


@pytest.mark.parametrize(("scale", "shift"), [(1e-6, 0.0), (50.0, 1e6), (1e300, 0.0)])
def test_units_change_nothing_but_the_units(make, texts, numbers, scale, shift):
    exact = make(**EXACT)
    plain = clone(exact).fit(texts, numbers).predict(texts)
    other = exact.fit(texts, scale * numbers + shift).predict(texts)
    np.testing.assert_allclose((other - shift) / scale, plain, rtol=1e-7)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e9])
@pytest.mark.parametrize("init", ["probe", "zeros"])
def test_a_constant_is_predicted_as_such(make, texts, value, init):
    regressor = make(init=init, n_epochs=1).fit(texts, np.full(40, value))
    assert regressor.target_scale_.tolist() == [1]
    np.testing.assert_allclose(regressor.predict(texts), value, rtol=0.1, atol=0.1)


def test_the_probe_is_a_start_that_already_predicts(make, texts, numbers):
    start = make(learning_rate=1e-12, n_epochs=1).fit(texts, numbers)
    assert start.score(texts, numbers) > 0.3
    zeros = make(learning_rate=1e-12, n_epochs=1, init="zeros").fit(texts, numbers)
    np.testing.assert_allclose(zeros.predict(texts), numbers.mean(), rtol=1e-6)


def test_pairs_have_numbers_too(make, texts, numbers):
    pairs = list(zip(texts[:20], texts[20:], strict=True))
    regressor = make().fit(pairs, numbers[:20])
    assert regressor.predict(pairs).shape == (20,)
    assert regressor.n_features_in_ == 2
    with pytest.raises(InputError, match="expecting 2 features"):
        regressor.predict(texts)


def test_long_texts_are_read_in_windows(make, texts, numbers):
    regressor = make(max_length=6, long_text="window").fit(texts, numbers)
    whole = regressor.predict(["good film with a dull plot"])
    windows = regressor.predict(["good film with a", "with a dull plot"])
    np.testing.assert_allclose(whole[0], windows.mean(), rtol=1e-6)
    assert regressor.n_truncated_ == 0


def test_cutting_is_never_silent(make, texts, numbers):
    with pytest.warns(TruncationWarning, match="of 40 texts") as caught:
        make(max_length=8, early_stopping=True).fit(texts, numbers)
    assert len(caught) == 1


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 5e-6), ("float64", 1e-9)])
def test_batch_composition_does_not_matter(make, texts, numbers, dtype, tolerance):
    regressor = make(dtype=dtype).fit(texts, numbers / numbers.std())
    expected = regressor.predict(texts)
    alone = [regressor.predict([text])[0] for text in texts]
    np.testing.assert_allclose(alone, expected, rtol=0, atol=10 * tolerance)


def test_y_may_be_any_column(make, fitted, texts, numbers):
    for y in (numbers.tolist(), pd.Series(numbers, index=range(40, 0, -1))):
        assert_same(make().fit(texts, y), fitted)
    objects = np.array(numbers, dtype=object)
    assert_same(make().fit(texts, objects), fitted)


def test_is_what_scikit_learn_calls_a_regressor(fitted, texts, numbers):
    assert is_regressor(fitted)
    assert fitted.__sklearn_tags__().target_tags.multi_output
    with pytest.raises(NotFittedError):
        clone(fitted).predict(texts)


def test_another_process_predicts_the_same(fitted, texts, call_elsewhere):
    found = call_elsewhere(fitted, "predict", texts)
    np.testing.assert_allclose(found, fitted.predict(texts), rtol=1e-6)


def test_a_pickle_predicts_the_same(fitted, texts):
    unwrap_frozen = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(unwrap_frozen.predict(texts), fitted.predict(texts))


# --- repeatable, weighted ----------------------------------------------------------


def test_a_seed_gives_the_same_weights(make, fitted, texts, numbers):
    assert_same(make().fit(texts, numbers), fitted)


def test_a_refit_equals_a_fresh_fit(make, texts, numbers, two_numbers):
    regressor = make(early_stopping=True).fit(texts[:30], two_numbers[:30])
    regressor.set_params(early_stopping=False).fit(texts, numbers)
    fresh = make().fit(texts, numbers)
    assert_same(regressor, fresh)
    assert vars(regressor).keys() == vars(fresh).keys()


@pytest.mark.parametrize(
    ("loss", "init"),
    [("squared_error", "probe"), ("absolute_error", "zeros"), ("huber", "zeros")],
)
def test_weight_two_is_the_text_twice(make, texts, numbers, loss, init):
    exact = {**EXACT, "loss": loss, "init": init}
    weights = np.where(np.arange(40) < 10, 2, 1)
    weighted = make(**exact).fit(texts, numbers, sample_weight=weights)
    twice = make(**exact).fit([*texts, *texts[:10]], [*numbers, *numbers[:10]])
    assert_same(weighted, twice, 1e-6)


def test_weight_zero_leaves_the_text_out(make, texts, numbers):
    weights = np.where(np.arange(40) < 10, 0, 1)
    without = make(**EXACT).fit(texts[10:], numbers[10:])
    weighted = make(**EXACT).fit(texts, numbers, sample_weight=weights)
    assert_same(weighted, without, 1e-6)


# --- early stopping and going on ---------------------------------------------------


@pytest.mark.parametrize("scoring", [None, "neg_mean_absolute_error", "max_error"])
def test_any_scorer_will_do(make, texts, numbers, scoring):
    scorer = {"scoring": scoring} if scoring != "max_error" else {"scoring": _spread}
    regressor = make(early_stopping=True, validation_fraction=0.25, **scorer)
    regressor.fit(texts, numbers)
    assert len(regressor.validation_scores_) == 2
    assert np.isfinite(regressor.validation_scores_).all()


def _spread(estimator, X, y):
    """Score in the units of y, where a score in those of training would be about 1."""
    assert abs(estimator.predict(X) - y).max() > 2
    return -np.ptp(estimator.predict(X) - y)


def test_a_warm_start_continues_from_the_weights(make, texts, numbers):
    regressor = make(warm_start=True, **EXACT).fit(texts, numbers)
    before = regressor.predict(texts)
    regressor.set_params(learning_rate=1e-14).fit(texts, 3 * numbers)
    np.testing.assert_allclose(regressor.predict(texts), before, rtol=1e-9)
    assert regressor.target_scale_ == pytest.approx(3 * numbers.std())


def test_partial_fit_learns_bit_by_bit(make, texts, numbers):
    regressor = make()
    for _ in range(30):
        for half in (slice(0, 20), slice(20, 40)):
            regressor.partial_fit(texts[half], numbers[half])
    assert regressor.score(texts, numbers) > 0.8
    assert regressor.target_mean_ == pytest.approx(numbers[:20].mean())


def test_a_constant_first_part_is_told(make, texts, numbers):
    with pytest.warns(ConstantTargetWarning, match="1 of 1 targets are constant"):
        regressor = make().partial_fit(texts[:1], numbers[:1])
    regressor.partial_fit(texts[1:2], numbers[1:2])


def test_partial_fit_keeps_the_scale_of_a_fit(make, texts, numbers):
    regressor = make().fit(texts, numbers)
    regressor.partial_fit(texts[:3], numbers[:3])
    assert regressor.target_scale_ == pytest.approx(numbers.std())


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_continuing_with_other_targets_is_refused(make, texts, numbers, method):
    regressor = make(warm_start=True, n_epochs=1).fit(texts, numbers)
    with pytest.raises(ValueError, match="y must have 1 targets, as in the previous"):
        getattr(regressor, method)(texts, np.ones((40, 2)))


def test_continuing_from_two_targets_to_three_is_refused(make, texts, two_numbers):
    regressor = make(n_epochs=1).fit(texts, two_numbers)
    with pytest.raises(ValueError, match="y must have 2 targets, as in the previous"):
        regressor.partial_fit(texts, np.ones((40, 3)))


def test_a_validation_without_a_score_speaks_of_no_classes(make, texts, numbers):
    regressor = make(early_stopping=True, scoring=lambda *args: NAN)
    with pytest.raises(
        ValueError, match="provide more samples, choose another scoring"
    ):
        regressor.fit(texts, numbers)


# --- bad input ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (None, "requires y to be passed, but the target y is None"),
        ([0, 1], "inconsistent numbers of samples: [4, 2]"),
        ([0, 1, NAN, 1], "Input y contains NaN."),
        ([0, 1, NAN, 1], "1 of 4 numbers are missing, in row 2. Drop these rows"),
        ([0, None, 2, 1], "Input y contains NaN."),
        ([0, 1, float("inf"), 1], "Input y contains infinity"),
        (["1", "2", "3", "4"], "not compatible with arrays of bytes/strings"),
        (["a", "b", "c", "d"], "y must contain numbers. Got 'a' (str) in row 0"),
        (np.array(["a", 1, 2, 3], dtype=object), "Got 'a' (str) in row 0"),
        ([1 + 2j, 1, 2, 3], "Complex data not supported"),
        ([[0, NAN], [1, 1], [2, 3], [1, 1]], "Input y contains NaN."),
        (np.zeros((4, 1, 1)), "Found array with dim 3"),
        (np.zeros((4, 0)), "Found array with 0 feature(s)"),
    ],
)
def test_bad_targets_are_refused_in_scikit_learns_words(make, y, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        make().fit(["a", "b", "c", "d"], y)


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (
            [1, 1, 1],
            "sample_weight.shape == (3,), expected (4,)!",
        ),
        ([1, -1, 1, 1], "Negative values in data passed to `sample_weight`"),
        ([0, 0, 0, 0], "Sample weights must contain at least one non-zero number."),
    ],
)
def test_bad_weights_are_refused_in_scikit_learns_words(make, weights, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        make().fit(["a", "b", "c", "d"], [0, 1, 0, 1], sample_weight=weights)


def test_a_pair_with_a_missing_half_is_refused(make):
    with pytest.raises(InputError, match=re.escape("Got None (NoneType) in row 1")):
        make().fit([("a", "b"), ("c", None)], [0, 1])
    with pytest.raises(InputError, match="Pass both texts of each pair"):
        make().fit([("a", "b"), ("c",)], [0, 1])


def test_bad_parameters_are_refused_in_scikit_learns_words(make, texts, numbers):
    with pytest.raises(ValueError, match="The 'loss' parameter of BertRegressor"):
        make(loss="log_loss").fit(texts, numbers)


def test_pairs_are_compared_where_the_checkpoint_declares_means(
    own_bert, declare, texts
):
    declare(own_bert, {"pooling_mode_mean_tokens": True})
    pairs, y = list(zip(texts[:20], texts[20:], strict=True)), np.arange(20.0)
    regressor = BertRegressor(own_bert, n_epochs=1, random_state=0).fit(pairs, y)
    assert regressor.pooling_ == "compare"
    assert regressor.transform(pairs).shape == (20, 128)
    assert regressor.coef_.shape == (1, 128)
    again = pickle.loads(pickle.dumps(regressor))
    np.testing.assert_array_equal(again.predict(pairs), regressor.predict(pairs))
    assert regressor.fit(texts[:20], y).pooling_ == "mean"


@pytest.mark.gpu
def test_the_gpu_learns_what_the_cpu_learns(make, texts, two_numbers):
    on_gpu = make(**EXACT).fit(texts, two_numbers)
    assert on_gpu.device_.startswith("cuda")
    on_cpu = make(**EXACT, device="cpu").fit(texts, two_numbers)
    assert_same(on_gpu, on_cpu, 1e-9)


def test_the_predictions_of_a_subclass_are_scored(make, texts, numbers):
    fitted = make(n_epochs=1).fit(texts, numbers)

    class Constant(type(fitted)):
        def predict(self, X):
            return np.full(len(X), np.mean(numbers))

    constant = Constant()
    constant.__dict__.update(vars(fitted))
    assert constant.score(iter(texts), numbers) == pytest.approx(0)
