"""Offline tuning: a recording replayed over a grid of parameters."""
