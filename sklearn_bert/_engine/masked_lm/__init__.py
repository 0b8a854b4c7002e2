"""Masked language modelling: masking, model and loop."""
