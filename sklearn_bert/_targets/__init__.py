"""Validation of y. All errors about y are raised here."""
