"""Checkpoints with safetensors in place of pickles."""
