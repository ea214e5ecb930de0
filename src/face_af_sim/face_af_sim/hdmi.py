"""What happens to a picture between the camera's display and the capture card's frame buffer."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

BGR = NDArray[np.uint8]


@dataclass(frozen=True)
class HdmiArtefacts:
    """Which artefacts, each off at its default of zero, and how strong."""

    chroma_422: bool = False
    """Colour at half the horizontal resolution, as 4:2:2 carries it."""
    chroma_420: bool = False
    """Colour at half the resolution both ways, as NV12 and most streams carry it."""
    jpeg_quality: int = 0
    """Motion JPEG of this quality (1 to 100, with 4:2:2 colour)."""
    blur: float = 0.0
    """Gaussian blur of this standard deviation, pixels."""
    noise: float = 0.0
    """Gaussian noise of this standard deviation, gray levels."""
    scale: float = 1.0
    """The card scales the picture by this factor and back again."""


CLEAN = HdmiArtefacts()


def transmit(image: BGR, artefacts: HdmiArtefacts = CLEAN, rng: np.random.Generator | None = None) -> BGR:
    """The picture (H x W x 3 uint8, BGR) as it arrives, same size; the input itself when nothing happens to it.

    ``rng`` draws the noise; without one it is the same for every picture.
    """
    if artefacts.scale != 1.0:
        image = rescale(image, artefacts.scale)
    if artefacts.blur > 0:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), artefacts.blur), np.uint8)
    if artefacts.noise > 0:
        image = add_noise(image, artefacts.noise, rng)
    if artefacts.chroma_422:
        image = halve_chroma(image)
    if artefacts.chroma_420:
        image = quarter_chroma(image)
    if artefacts.jpeg_quality > 0:
        image = compress(image, artefacts.jpeg_quality)
    return image


def rescale(image: BGR, factor: float) -> BGR:
    """Scales by ``factor`` and back to the size it had."""
    height, width = image.shape[:2]
    size = max(2, round(width * factor)), max(2, round(height * factor))
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(cv2.resize(image, size, interpolation=way), (width, height)), np.uint8)


def halve_chroma(image: BGR) -> BGR:
    """Keeps the luma, averages the colour of each two neighbouring columns and spreads it again."""
    height, width = image.shape[:2]
    # bilinear at a factor of exactly two is the mean of two columns, and much quicker than INTER_AREA
    even = cv2.copyMakeBorder(image, 0, 0, 0, width % 2, cv2.BORDER_REPLICATE) if width % 2 else image
    luma, red, blue = cv2.split(cv2.cvtColor(even, cv2.COLOR_BGR2YCrCb))
    half, full = (luma.shape[1] // 2, height), (luma.shape[1], height)
    spread = [cv2.resize(cv2.resize(plane, half), full) for plane in (red, blue)]
    return np.asarray(cv2.cvtColor(cv2.merge([luma, *spread]), cv2.COLOR_YCrCb2BGR)[:, :width], np.uint8)


def quarter_chroma(image: BGR) -> BGR:
    """Through planar 4:2:0 and back; an odd last row or column is repeated for it."""
    height, width = image.shape[:2]
    even = cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    back = cv2.cvtColor(cv2.cvtColor(even, cv2.COLOR_BGR2YUV_I420), cv2.COLOR_YUV2BGR_I420)
    return np.asarray(back[:height, :width], np.uint8)


def compress(image: BGR, quality: int) -> BGR:
    """Through JPEG of that quality with 4:2:2 colour (4:2:0 where OpenCV is too old), one frame of an MJPEG stream."""
    flags = [cv2.IMWRITE_JPEG_QUALITY, quality]
    if hasattr(cv2, "IMWRITE_JPEG_SAMPLING_FACTOR"):
        flags += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422]
    done, coded = cv2.imencode(".jpg", image, flags)
    if not done:
        raise ValueError(f"a picture of {image.shape} cannot be coded as JPEG")
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)


def add_noise(image: BGR, sigma: float, rng: np.random.Generator | None = None) -> BGR:
    """Adds Gaussian noise, cut from a larger sheet at a random place and so the same for the same ``rng``."""
    height, width = image.shape[:2]
    sheet = _noise_sheet(height + _MARGIN, width + _MARGIN)
    y, x = (0, 0) if rng is None else (int(v) for v in rng.integers(0, _MARGIN, 2))
    part = np.ascontiguousarray(sheet[y : y + height, x : x + width])
    return np.asarray(cv2.scaleAdd(part, sigma / _UNIT, image.astype(np.int16)).clip(0, 255), np.uint8)


_MARGIN = 97
_UNIT = 64
"""Standard deviation of the sheet, so that it can be kept in integers."""


@functools.lru_cache(maxsize=2)
def _noise_sheet(height: int, width: int) -> NDArray[np.int16]:
    return np.rint(np.random.default_rng(0).normal(0, _UNIT, (height, width, 3))).astype(np.int16)
