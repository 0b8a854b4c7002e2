"""Devices, memory, fork safety and prefetching."""
