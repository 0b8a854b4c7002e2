"""How much each word of a text contributes to an output of a fine-tuned encoder."""
