"""A cache of the vectors of texts, in memory or on disk."""
