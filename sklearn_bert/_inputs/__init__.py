"""What X may be, and all errors about X that need neither a fit nor a model."""
