"""Encoders, tokens and batches: torch and transformers, no scikit-learn.

Nothing here imports an estimator. Imports run one way: ``masked_lm`` → ``training`` →
``encoding`` → ``checkpoints`` → ``text``, and all of them may import ``runtime``.
"""
