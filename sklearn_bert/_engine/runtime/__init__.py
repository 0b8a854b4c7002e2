"""Devices, memory, fork safety, worker processes and prefetching."""
