"""Replays: recorded frames through perception, overlay and steering again, offline or through the running graph."""
