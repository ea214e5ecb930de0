"""The camera's driver, between a policy and the camera: it never sends late what was decided from an old frame."""

from __future__ import annotations

from face_af_common.types import ActionKind
from nikon_mcn10_driver.params import DriverParams

from .camera import Camera

Command = tuple[float, ActionKind]
"""Stamp of the frame that a press was decided from, seconds, and the press."""
_LATE = 1e-6
"""Times are sums of frame times: what differs by less is equal."""


class Driver:
    """Presses, unless the frame is older than the real driver's default limit."""

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._max_age_s = DriverParams().max_command_age
        self.dropped = 0

    def send(self, now: float, command: Command) -> bool:
        """Whether the press went out to the camera."""
        stamp, kind = command
        if now - stamp > self._max_age_s + _LATE:
            self.dropped += 1
            return False
        self._camera.press(now, kind)
        return True
