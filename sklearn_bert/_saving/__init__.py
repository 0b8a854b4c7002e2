"""Estimators in files: one safetensors file each, without pickle."""
