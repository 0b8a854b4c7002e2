"""The encoder while its weights change: forward, backward, dropout."""
