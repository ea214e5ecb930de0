"""Encoded images (files, messages, a device's JPEGs) as upright BGR, or one line that says what is wrong with them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .encodings import BGR, ImageError
from .files import FileError, read_bytes
from .orientation import Orientation

IMAGE_SUFFIXES = frozenset(
    ".avif .bmp .gif .jfif .jp2 .jpe .jpeg .jpg .mpo .pbm .pgm .png .pnm .ppm .tif .tiff .webp".split()
)
"""Of image files that OpenCV can read, depending on how it was built."""
FOREIGN_SUFFIXES = frozenset(
    ".arw .cr2 .cr3 .dng .heic .heif .hif .jxl .nef .nrw .orf .pdf .psd .raf .rw2 .svg .tga".split()
)
"""Of files that hold photographs and cannot be read: they are told of, not left out."""
VIDEO_SUFFIXES = frozenset(".3gp .avi .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts .ts .webm .wmv".split())
"""Of videos that OpenCV's FFmpeg reads."""

MAX_BYTES = 300_000_000
"""Of an image file; 45 megapixels of 16 bits without compression have 270 MB."""

_RAW = frozenset(".arw .cr2 .cr3 .dng .nef .nrw .orf .raf .rw2".split())
_HEIC = "an HEIC photo (on an iPhone: Settings, Camera, Formats, Most Compatible takes JPEGs)"
_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (4, b"ftypavi", "an AVIF image, which this OpenCV was built without"),
    *((4, b"ftyp" + brand, _HEIC) for brand in (b"hei", b"hev", b"mif1", b"msf1")),
    (4, b"ftyp", "a video"),
    (4, b"JXL ", "a JPEG XL image"),
    (0, b"\xff\x0a", "a JPEG XL image"),
    (0, b"GIF8", "a GIF image, which this OpenCV was built without, or a damaged one"),
    (0, b"%PDF", "a PDF document"),
    (0, b"8BPS", "a Photoshop document"),
    (0, b"<svg", "an SVG drawing"),
    (0, b"<", "a web page or another text"),
    (0, b"version https://git-lfs", "a Git LFS pointer (git lfs pull fetches the file)"),
)


def read_image(path: Path) -> BGR:
    """The image in ``path`` (H x W x 3 uint8), turned upright as its EXIF data say; of several, the first one.

    Gray, 16-bit, CMYK and transparent ones become BGR too. Raises :class:`ImageError`, whose text begins with the
    path.
    """
    try:
        data = np.frombuffer(read_bytes(path, MAX_BYTES), np.uint8)
    except FileError as error:
        raise ImageError(str(error)) from error
    if path.suffix.lower() in _RAW:
        # OpenCV would take the thumbnail of some for the photograph
        raise ImageError(f"{path}: a camera's raw file; export it as JPEG")
    try:
        return decode_image(data)
    except ImageError as error:
        raise ImageError(f"{path}: {error}") from error


def decode_image(data: NDArray[np.uint8]) -> BGR:
    """An encoded image's bytes as upright BGR (H x W x 3 uint8). Raises :class:`ImageError`."""
    import cv2

    if not len(data):
        raise ImageError("empty, 0 bytes")
    try:
        with _silence():
            image: Any = cv2.imdecode(data, cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise ImageError("too large or damaged") from error
    if image is None:
        raise ImageError(_what_it_is(data[:64].tobytes()))
    return _avif_orientation(data).upright(np.asarray(image, np.uint8))


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """OpenCV would print lines of its own about a broken file."""
    import cv2

    # OpenCV 4.6 has these functions elsewhere, some before have none
    logging: Any = getattr(cv2.utils, "logging", cv2)
    if not hasattr(logging, "setLogLevel"):
        yield
        return
    level = logging.getLogLevel()
    logging.setLogLevel(0)
    try:
        yield
    finally:
        logging.setLogLevel(level)


def decode_frame(data: NDArray[np.uint8]) -> BGR:
    """Like :func:`decode_image`, for one frame of many: a JPEG whose end is missing is an error, not half an image."""
    if is_cut_jpeg(data):
        raise ImageError(f"a JPEG that is cut off after {len(data)} bytes")
    return decode_image(data)


def is_cut_jpeg(data: NDArray[np.uint8]) -> bool:
    """Whether ``data`` begins as a JPEG, and its end (FF D9) is missing; filling after the end is allowed.

    Older OpenCV (4.6) decodes such a JPEG all the same, and leaves the rest as the memory was before.
    """
    raw = data.tobytes()
    # an embedded thumbnail has an end of its own, before the image's last scan (FF DA)
    return raw[:2] == b"\xff\xd8" and raw.rfind(b"\xff\xd9") < raw.rfind(b"\xff\xda")


def _what_it_is(head: bytes) -> str:
    text = head.lstrip(b"\xef\xbb\xbf\r\n\t ")
    for offset, magic, what in _MAGIC:
        if (text if not offset else head)[offset:].startswith(magic):
            return f"{what}; save it as JPEG" if "(git" not in what else what
    return "not an image, or a damaged one"


def _avif_orientation(data: NDArray[np.uint8]) -> Orientation:
    """How an AVIF image is to be turned: unlike EXIF's, OpenCV ignores its boxes irot and imir."""
    head = data[:8192].tobytes()
    if head[4:11] != b"ftypavi":
        return Orientation()
    turned, mirrored = head.find(b"\0\0\0\x09irot"), head.find(b"\0\0\0\x09imir")
    angle = head[turned + 8 : turned + 9] if turned >= 0 else b""
    axis = head[mirrored + 8 : mirrored + 9] if mirrored >= 0 else b""
    # ISO/IEC 23008-12: irot counts quarter turns anticlockwise; imir axis 0 swaps top and bottom; imir comes last
    rotate = (4 - angle[0] % 4) % 4 * 90 if angle else 0
    return Orientation(rotate, ("vertical", "horizontal")[axis[0] & 1] if axis else "none")
