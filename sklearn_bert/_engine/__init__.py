"""Encoders, tokens and batches: torch and transformers, no scikit-learn.

Nothing here imports an estimator. Inside, imports run one way: ``training``,
``running``, ``registry`` → ``trainable``, ``encoding`` → ``fused_training``,
``encoders`` → {``fused``, ``checkpoints``} → {``batching``, ``attention``,
``block_attention``, ``gradients``, ``linear``, ``tokenization``, ``locating``,
``architecture``, ``pooling``, ``device`` and the other small ones}.
"""
