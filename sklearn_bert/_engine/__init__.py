"""Encoders, tokens and batches: torch and transformers, no scikit-learn.

Nothing here imports an estimator. Inside, imports run one way: ``encoding`` →
``registry`` → ``encoders`` → {``fused``, ``checkpoints``} → {``batching``,
``attention``, ``linear``, ``tokenization``, ``locating``, ``pooling``, ``device``}.
"""
