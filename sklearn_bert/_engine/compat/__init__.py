"""Private names of torch and transformers, each with a fallback."""
