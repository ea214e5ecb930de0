"""Checks of a machine and of a running graph."""
