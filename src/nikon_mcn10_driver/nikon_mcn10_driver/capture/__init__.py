"""Recordings of a remote grip's USB traffic: reading them, and learning a remote profile from them."""
