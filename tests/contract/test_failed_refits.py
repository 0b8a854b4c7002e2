"""A refit that fails leaves the fit before it whole."""

import pytest

from contract.references import subjects_of
from sklearn_bert.exceptions import TruncationWarning


@pytest.mark.parametrize("subject", subjects_of("transformer of texts"), ids=str)
@pytest.mark.parametrize("method", ["fit", "fit_transform"])
def test_a_warning_that_is_an_error_leaves_the_fit_before_it(subject, method):
    estimator = subject.fit()
    estimator.set_params(max_length=6)
    before = dict(vars(estimator))
    with pytest.raises(TruncationWarning):
        getattr(estimator, method)(subject.X, subject.y)
    assert vars(estimator).keys() == before.keys()
    assert all(vars(estimator)[name] is value for name, value in before.items())
