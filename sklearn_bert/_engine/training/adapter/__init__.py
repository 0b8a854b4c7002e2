"""Adapters: low-rank changes of linear layers, trained in place of the layers."""
