"""Private names of torch and transformers, each with what is done without it."""
