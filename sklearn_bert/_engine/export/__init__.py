"""Folders that other programs read: transformers and sentence-transformers."""
