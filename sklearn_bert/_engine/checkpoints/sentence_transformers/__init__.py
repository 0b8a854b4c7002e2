"""What the sentence-transformers files of a checkpoint declare, and its modules."""
