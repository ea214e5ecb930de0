"""Every standard encoding of ``sensor_msgs/Image`` to BGR, with padded rows and planes.

Done here and not by cv_bridge: it is absent without ROS 2, knows no NV12, and stops at padded two-plane images.
YUV is read as OpenCV reads it from a V4L2 device: BT.601, 16 to 235.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .names import short

BGR = NDArray[np.uint8]
"""An image: height x width x 3, uint8, blue-green-red."""


class ImageError(ValueError):
    """An image that cannot be shown as BGR, or is none; one line that says why."""


@dataclass(frozen=True)
class Layout:
    """How an encoding lies in memory. ``rows``: rows in the data for each row of the image (1.5: 4:2:0 planes)."""

    depth: int
    channels: int
    convert: Callable[[Any], Any]
    rows: float = 1.0
    even: tuple[int, int] = (1, 1)
    """What width and height must be multiples of."""


def _code(code: int) -> Callable[[Any], Any]:
    return lambda image: cv2.cvtColor(image, code)


def _same(image: Any) -> Any:
    return image


_FULL_LUMA = np.clip((np.arange(256) - 16) * 255 / 219 + 0.5, 0, 255).astype(np.uint8)
_FULL_CHROMA = np.clip((np.arange(256) - 128) * 255 / 224 + 128.5, 0, 255).astype(np.uint8)


def _nv24(data: NDArray[np.uint8], width: int, height: int, step: int) -> BGR:
    """A luma plane, below it the chroma plane: as many rows, each U V U V ... and twice as long."""
    luma = data[: height * step].reshape(height, step)[:, :width]
    chroma = data[height * step : 3 * height * step].reshape(height, 2 * step)[:, : 2 * width].reshape(height, width, 2)
    # OpenCV has no 4:4:4 of limited range
    full = np.dstack([cv2.LUT(luma, _FULL_LUMA), cv2.LUT(chroma, _FULL_CHROMA)[..., ::-1]])
    return np.asarray(cv2.cvtColor(full, cv2.COLOR_YCrCb2BGR), np.uint8)


_YUYV = Layout(8, 2, _code(cv2.COLOR_YUV2BGR_YUY2), even=(2, 1))
_UYVY = Layout(8, 2, _code(cv2.COLOR_YUV2BGR_UYVY), even=(2, 1))
LAYOUTS: dict[str, Layout] = {
    "bgr8": Layout(8, 3, _same),
    "8UC3": Layout(8, 3, _same),
    "bgr16": Layout(16, 3, _same),
    "rgb8": Layout(8, 3, _code(cv2.COLOR_RGB2BGR)),
    "rgb16": Layout(16, 3, _code(cv2.COLOR_RGB2BGR)),
    "bgra8": Layout(8, 4, _code(cv2.COLOR_BGRA2BGR)),
    "8UC4": Layout(8, 4, _code(cv2.COLOR_BGRA2BGR)),
    "bgra16": Layout(16, 4, _code(cv2.COLOR_BGRA2BGR)),
    "rgba8": Layout(8, 4, _code(cv2.COLOR_RGBA2BGR)),
    "rgba16": Layout(16, 4, _code(cv2.COLOR_RGBA2BGR)),
    "mono8": Layout(8, 1, _code(cv2.COLOR_GRAY2BGR)),
    "8UC1": Layout(8, 1, _code(cv2.COLOR_GRAY2BGR)),
    "mono16": Layout(16, 1, _code(cv2.COLOR_GRAY2BGR)),
    "yuv422": _UYVY,
    "uyvy": _UYVY,
    "yuv422_yuy2": _YUYV,
    "yuyv": _YUYV,
    "nv12": Layout(8, 1, _code(cv2.COLOR_YUV2BGR_NV12), 1.5, (2, 2)),
    "nv21": Layout(8, 1, _code(cv2.COLOR_YUV2BGR_NV21), 1.5, (2, 2)),
    "nv24": Layout(8, 1, _same, 3.0),
}
for _depth in (8, 16):
    # OpenCV names a pattern by the second row's second and third pixel
    for _ros, _cv in {"rggb": "BG", "bggr": "RG", "gbrg": "GR", "grbg": "GB"}.items():
        _convert = _code(getattr(cv2, f"COLOR_Bayer{_cv}2BGR"))
        LAYOUTS[f"bayer_{_ros}{_depth}"] = Layout(_depth, 1, _convert, even=(2, 2))

NO_COLOURS = "it holds measurements such as depth, not colours"


def decode(encoding: str, data: NDArray[np.uint8], width: int, height: int, step: int, big_endian: bool) -> BGR:
    """An image message's ``data`` as BGR; ``bgr8`` is viewed in place, everything else converted into a new array.

    ``width``, ``height``: pixels; ``step``: bytes a row, padding included. 16 bits become 8 by dropping the low
    ones. Planes are taken with the message's height either the image's (sensor_msgs) or that of all planes together
    (who fills the message from an OpenCV matrix). Raises :class:`ImageError`.
    """
    layout = LAYOUTS.get(encoding)
    if layout is None:
        measured = encoding[:2] in ("32", "64") or encoding[:3] in ("8SC", "16S", "16U")
        raise ImageError(f"encoding {short(encoding)!r} cannot be shown: {NO_COLOURS if measured else 'it is unknown'}")
    if width <= 0 or height <= 0:
        raise ImageError(f"the image is empty ({width}x{height})")
    bytes_a_row = width * layout.channels * layout.depth // 8
    if step < bytes_a_row:
        raise ImageError(f"{step} bytes a row are too few for {width} pixels of {encoding}, {bytes_a_row} are needed")
    if layout.rows != 1 and len(data) == step * height and height % (2 * layout.rows) == 0:
        height = round(height / layout.rows)
    if width % layout.even[0] or height % layout.even[1]:
        raise ImageError(f"{width}x{height} cannot be {encoding}: an even size is needed")
    rows = round(height * layout.rows)
    if len(data) < step * rows:
        raise ImageError(f"the image has {len(data)} bytes, {step * rows} are needed for {width}x{height} {encoding}")
    if encoding == "nv24":
        return _nv24(data, width, height, step)
    packed = data[: step * rows].reshape(rows, step)[:, :bytes_a_row]
    if layout.depth == 16:
        # the high byte of each number
        packed = packed[:, (0 if big_endian else 1) :: 2]
    if layout.rows != 1:
        # OpenCV before 4.5.2 takes padded planes for packed ones (its issue 17036)
        packed = np.ascontiguousarray(packed)
    if layout.channels > 1:
        packed = packed.reshape(rows, width, layout.channels)
    return np.asarray(layout.convert(packed), np.uint8)
