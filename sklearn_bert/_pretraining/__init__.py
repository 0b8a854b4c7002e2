"""Fit and predict of the masked language model."""
