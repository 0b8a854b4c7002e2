"""A small HTTP service for one saved estimator."""
