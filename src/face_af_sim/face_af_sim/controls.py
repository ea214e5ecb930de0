"""What a virtual Z8's wire protocol needs of the camera body behind it, and nothing of how that body works."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from face_af_common.types import ActionKind, AfBox


@dataclass(frozen=True)
class LiveView:
    """One live-view picture: its JPEG, its size in pixels, the camera's AF boxes in those pixels."""

    jpeg: bytes
    width: int
    height: int
    boxes: tuple[AfBox, ...] = ()


class CameraControls(Protocol):
    """The camera body. Methods are called from the server's threads and must return at once."""

    def press(self, button: ActionKind) -> None:
        """A button of the remote grip went down. Its effect comes after the body's own response time."""

    def set_af_area(self, x: float, y: float) -> None:
        """Puts the AF area at a point of the picture, ``x`` and ``y`` in 0 to 1."""

    def af_drive(self) -> bool:
        """Focuses where the AF area is; False when nothing there can be focused."""

    def live_view(self) -> LiveView | None:
        """The newest picture, or None before the first."""
