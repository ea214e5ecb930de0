"""Parameters of the capture node."""

from __future__ import annotations

from dataclasses import dataclass

from face_af_common.images import JPEG_QUALITY
from face_af_common.orientation import FLIPS, ROTATIONS, Orientation
from face_af_common.params import ParamError, param


@dataclass(frozen=True)
class CaptureNodeParams:
    """Which frames are captured, and how."""

    source: str = param(
        "v4l2",
        "Where the frames come from: a V4L2 capture device, a GStreamer pipeline, a video file or a folder of images",
        choices=("v4l2", "gstreamer", "file", "folder"),
    )
    device: str = param(
        "/dev/video0", "The V4L2 device, the GStreamer pipeline (without its sink), the video file or the folder"
    )
    width: int = param(1920, "Width to ask a device for; 0: whatever it gives", unit="px", low=0, high=16384)
    height: int = param(1080, "Height to ask a device for; 0: whatever it gives", unit="px", low=0, high=16384)
    fps: float = param(30.0, "Rate to ask a device for; 0.0: whatever it gives", unit="1/s", low=0.0, high=240.0)
    pixel_format: str = param(
        "", "Four-character code to ask a V4L2 device for, such as YUYV, MJPG or NV12; empty: its own choice"
    )
    strict: bool = param(
        False, "Refuse a device that gives another size, rate or format than asked for, instead of a warning"
    )
    rate: float = param(
        0.0,
        "Frames a second from a file or folder; 0.0: the file's own times (30.0 for a folder)",
        unit="1/s",
        low=0.0,
        high=240.0,
    )
    loop: bool = param(False, "Start a file or folder again when it has ended")
    wait: bool = param(
        False, "Show the first frame of a file or folder until perception and overlay have answered it, then play"
    )
    rotate: int = param(
        0,
        "Turn every frame clockwise, for a camera that is held in portrait: 0, 90, 180 or 270",
        unit="deg",
        low=0,
        high=270,
    )
    flip: str = param("none", "Mirror every frame, after it was turned", choices=FLIPS)
    frame_id: str = param("camera", "frame_id of the frames")
    jpeg_quality: int = param(JPEG_QUALITY, "Quality of image_raw/compressed", low=10, high=100)
    stall_timeout_s: float = param(
        3.0,
        "Without a frame for this long the source counts as lost and is opened again",
        unit="s",
        low=0.2,
        high=60.0,
    )
    retry_max_s: float = param(5.0, "Longest pause between attempts to open the source", unit="s", low=0.1, high=60.0)

    def check(self) -> None:
        if self.pixel_format and (len(self.pixel_format) != 4 or not self.pixel_format.isascii()):
            raise ParamError(f"pixel_format: {self.pixel_format!r} is no four-character code such as YUYV or MJPG")
        if (self.width == 0) != (self.height == 0):
            raise ParamError("width and height: give both, or 0 for both")
        if self.rotate not in ROTATIONS:
            raise ParamError(f"rotate: {self.rotate} is none of {', '.join(map(str, ROTATIONS))}")
        if not self.device.strip():
            raise ParamError("device: empty; name the device, pipeline, file or folder")

    @property
    def orientation(self) -> Orientation:
        return Orientation(self.rotate, self.flip)
