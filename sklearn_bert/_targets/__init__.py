"""What y may be, and the only place that words errors about y."""
