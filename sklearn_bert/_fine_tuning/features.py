"""Features of the fine-tuned encoder."""

from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin


class FeaturesMixin(ClassNamePrefixFeaturesOutMixin, TransformerMixin):
    """Makes an estimator that is fine-tuned on texts also a transformer."""

    def transform(self, X):
        """Turn texts into features with the fine-tuned encoder.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,), (n_samples, 1) or (n_samples, 2)
            Texts, or pairs of texts.

        Returns
        -------
        X_out : ndarray of shape (n_samples, n_features_out)
            Input of the linear layer on top, in the order of X.
        """
        fitted, texts = self._begin(X)
        return fitted._run(texts, with_head=False)

    @property
    def _n_features_out(self) -> int:
        return self.coef_.shape[1]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags
