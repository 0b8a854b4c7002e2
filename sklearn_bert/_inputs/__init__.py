"""What X may be, and the only place that words errors about X."""
