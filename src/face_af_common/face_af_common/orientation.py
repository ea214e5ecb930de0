"""How an image is turned against the camera's own frame: for a camera that is held in portrait, or a mirrored one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .encodings import BGR
from .types import Box

ROTATIONS = (0, 90, 180, 270)
FLIPS = ("none", "horizontal", "vertical")


@dataclass(frozen=True)
class Orientation:
    """The camera's frame is turned clockwise by ``rotate`` degrees, then mirrored: that gives the upright image.

    ``rotate``: one of :data:`ROTATIONS`; ``flip``: one of :data:`FLIPS`, left and right or top and bottom swapped.
    """

    rotate: int = 0
    flip: str = "none"

    @property
    def is_identity(self) -> bool:
        return self.rotate == 0 and self.flip == "none"

    @property
    def _transposed(self) -> bool:
        return self.rotate in (90, 270)

    @property
    def _mirrored(self) -> tuple[bool, bool]:
        """Whether x and y run backwards in the upright image, after a transposition where there is one."""
        x, y = {0: (False, False), 90: (True, False), 180: (True, True), 270: (False, True)}[self.rotate]
        return x != (self.flip == "horizontal"), y != (self.flip == "vertical")

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of the upright image of a frame of that size; and the other way round."""
        return (height, width) if self._transposed else (width, height)

    def upright(self, frame: BGR, out: BGR | None = None) -> BGR:
        """The camera's ``frame`` (H x W x 3 uint8) upright, written into ``out`` where given.

        Where nothing turns and there is no ``out``, it is ``frame`` itself.
        """
        import cv2

        if self.is_identity:
            if out is None:
                return frame
            out[:] = frame
            return out
        x, y = self._mirrored
        code = {(True, False): 1, (False, True): 0, (True, True): -1}.get((x, y))
        if self._transposed:
            frame = cv2.transpose(frame, dst=out)  # type: ignore[assignment]
            return frame if code is None else np.asarray(cv2.flip(frame, code, dst=frame), np.uint8)
        assert code is not None
        return np.asarray(cv2.flip(frame, code, dst=out), np.uint8)

    def point_to_camera(self, x: float, y: float) -> tuple[float, float]:
        """A point of the upright image in the camera's frame; both as fractions of width and height."""
        mirrored_x, mirrored_y = self._mirrored
        x, y = 1 - x if mirrored_x else x, 1 - y if mirrored_y else y
        return (y, x) if self._transposed else (x, y)

    def box_to_camera(self, box: Box, width: int, height: int) -> Box:
        """A box of the upright image of ``width`` x ``height`` pixels in the camera's frame."""
        mirrored_x, mirrored_y = self._mirrored
        x = width - box.right if mirrored_x else box.x
        y = height - box.bottom if mirrored_y else box.y
        return Box(y, x, box.height, box.width) if self._transposed else Box(x, y, box.width, box.height)
