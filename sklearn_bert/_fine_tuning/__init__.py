"""Fit and predict of the estimators that fine-tune an encoder."""
