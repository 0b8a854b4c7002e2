"""Fitted estimators in the formats of other programs."""
