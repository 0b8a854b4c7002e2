"""Fine-tuning: batches, loss, optimizer and loop."""
