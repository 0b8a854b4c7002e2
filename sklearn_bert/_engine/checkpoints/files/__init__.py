"""The files of a checkpoint: which there are, where they are, and their content."""
