"""Validation of X. All errors about X are raised here."""
