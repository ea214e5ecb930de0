"""Cameras that answer but let nobody control them."""

from __future__ import annotations

from .ptp import DeviceInfo

FEWEST_OPERATIONS = 20
"""Bodies that can be controlled offer 40 and more (a D700 45, a Z9 119); a Z8 that is not paired offers about six
(libgphoto2's issue 1135)."""


def why_limited(info: DeviceInfo) -> str:
    """What is missing where the camera offers only a handful of operations, and what to do; empty where it is fine."""
    count = len(info.operations)
    if count >= FEWEST_OPERATIONS:
        return ""
    return (
        f"{info.model or 'the camera'} offers only {count} operations: it is not paired with this computer, or in a "
        "mode without remote control; pair it in its network menu (Connect to computer), or choose MTP/PTP for its USB"
    )
