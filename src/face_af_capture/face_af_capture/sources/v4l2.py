"""A V4L2 capture device through OpenCV."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from face_af_common.encodings import BGR

from ..params import CaptureNodeParams
from .base import BadFrame, Frame, SourceError

_FOURCC_ALIASES = {"YUY2": "YUYV", "JPEG": "MJPG"}
_CLOCK_TRUST_S = 1.0
"""A driver's stamp is believed where it says that the frame is this young at most."""


class OpenCvDevice:
    """An opened ``cv2.VideoCapture`` of a live device: grabs, stamps, then decodes into the given buffer."""

    notes: Sequence[str] = ()
    period = 0.0

    def __init__(self, capture: Any, name: str, mismatches: Sequence[str] = (), driver_stamps: bool = False) -> None:
        self._capture = capture
        self.name = name
        self.mismatches = mismatches
        self._driver_stamps = driver_stamps

    def read(self, buffer: BGR | None) -> Frame:
        if not self._capture.grab():
            raise SourceError(f"{self.name} gives no frames any more; unplugged, or in use by another program?")
        acquired = self._acquired()
        ok, image = self._capture.retrieve(buffer)
        if not ok:
            raise BadFrame(f"{self.name} gives frames that cannot be decoded")
        return Frame(image, acquired)

    def _acquired(self) -> float:
        now = time.monotonic()
        if self._driver_stamps:
            import cv2

            # V4L2 drivers stamp with the monotonic clock when the frame starts to arrive
            stamp = float(self._capture.get(cv2.CAP_PROP_POS_MSEC)) / 1e3
            if 0 <= now - stamp <= _CLOCK_TRUST_S:
                return stamp
        return now

    def interrupt(self) -> None:
        """Not possible: the read is in the driver. OpenCV gives up by itself after 10 s."""

    def close(self) -> None:
        self._capture.release()


def device_path(device: str) -> Path:
    """``0`` means ``/dev/video0``."""
    return Path(f"/dev/video{device}" if device.isdigit() else device)


def open_v4l2(params: CaptureNodeParams, video_capture: Callable[..., Any] | None = None) -> OpenCvDevice:
    """Opens the device, asks for format, size and rate, and checks what it gives. Raises SourceError."""
    import cv2

    path = device_path(params.device)
    if not path.exists():
        there = ", ".join(str(p) for p in sorted(Path("/dev").glob("video*"))) or "no video devices"
        raise SourceError(f"there is no {path}; there are {there}" if "," in there else f"there is no {path} ({there})")
    if not os.access(path, os.R_OK | os.W_OK):
        raise SourceError(f"no permission to use {path}; is this user in the group video?")
    capture = (video_capture or cv2.VideoCapture)(str(path), cv2.CAP_V4L2)
    if not capture.isOpened():
        capture.release()
        raise SourceError(f"{path} cannot be opened; in use by another program, or no capture device")
    ask(capture, params)
    mismatches = compare(capture, params)
    if mismatches and params.strict:
        capture.release()
        raise SourceError(f"{path}: {'; '.join(mismatches)} (parameter strict)")
    return OpenCvDevice(capture, f"{path} {describe(capture)}", mismatches, driver_stamps=True)


def ask(capture: Any, params: CaptureNodeParams) -> None:
    """Format first: sizes and rates depend on it."""
    import cv2

    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    if params.pixel_format:
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*params.pixel_format))
    if params.width:
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, params.width)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, params.height)
    if params.fps:
        capture.set(cv2.CAP_PROP_FPS, params.fps)


def given_format(capture: Any) -> tuple[int, int, float, str]:
    """Width, height, rate and four-character code that the device says it gives."""
    import cv2

    code = int(capture.get(cv2.CAP_PROP_FOURCC)) & 0xFFFFFFFF
    fourcc = bytes(code >> shift & 0xFF for shift in (0, 8, 16, 24)).decode("ascii", "replace").strip("\0 ")
    width, height = (int(capture.get(p)) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
    return width, height, float(capture.get(cv2.CAP_PROP_FPS)), fourcc


def describe(capture: Any) -> str:
    width, height, fps, fourcc = given_format(capture)
    return f"{width}x{height} {fourcc} at {fps:g}/s"


def compare(capture: Any, params: CaptureNodeParams) -> list[str]:
    """What was asked for and is not given, in words."""
    width, height, fps, fourcc = given_format(capture)
    found = []
    if params.width and (width, height) != (params.width, params.height):
        found.append(f"asked for {params.width}x{params.height}, it gives {width}x{height}")
    if params.fps and abs(fps - params.fps) > 0.05 * params.fps:
        found.append(f"asked for {params.fps:g} frames a second, it gives {fps:g}")
    wanted = params.pixel_format
    if wanted and _FOURCC_ALIASES.get(fourcc, fourcc) != _FOURCC_ALIASES.get(wanted, wanted):
        found.append(f"asked for {wanted}, it gives {fourcc or 'another format'}")
    return found
