"""Ways for PTP transactions to reach a camera. Above :class:`Transport` nothing knows which one it is."""

from .base import DeviceGone, Interrupted, Reply, Transport, TransportError

__all__ = ["DeviceGone", "Interrupted", "Reply", "Transport", "TransportError"]
