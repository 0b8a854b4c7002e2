"""Masked language modeling: masking, model and loop."""
