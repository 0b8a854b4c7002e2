"""Shared parameters and fitted attributes, each defined once."""
