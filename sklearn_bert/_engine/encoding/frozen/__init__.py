"""The frozen part of an encoder in training, which is computed once for each text."""
