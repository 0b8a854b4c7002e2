"""From a model name to a checkpoint in memory."""
