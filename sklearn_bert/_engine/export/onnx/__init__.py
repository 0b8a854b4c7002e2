"""ONNX graphs of encoders, and their tokenizers."""
