"""Estimators of texts that keep the contract for kinds that no subject is of.

They show that the checks of such a kind can be passed, and what they find.
"""

from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge

from contract.registry import LENGTHS, SUBJECTS, TEXTS, Subject


class TfidfRegressor(RegressorMixin, BaseEstimator):
    """A ridge regression on weighted counts of words."""

    def fit(self, X, y, sample_weight=None):
        self.vectorizer_ = TfidfVectorizer(token_pattern=r"\w+")
        features = self.vectorizer_.fit_transform(X)
        self.ridge_ = Ridge(alpha=0.1).fit(features, y, sample_weight)
        return self

    def predict(self, X):
        return self.ridge_.predict(self.vectorizer_.transform(X))


REFERENCES = [Subject(TfidfRegressor, {}, TEXTS, LENGTHS)]


def subjects_of(kind):
    """Return all subjects of a kind; references only where there is no other."""
    own = [subject for subject in SUBJECTS if kind in subject.kinds]
    return own or [one for one in REFERENCES if kind in one.kinds]
