"""Image messages to and from OpenCV arrays without copying an image twice."""

from __future__ import annotations

import array

import cv2
import numpy as np
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from .encodings import BGR as BGR
from .encodings import ImageError as ImageError
from .encodings import decode

JPEG_QUALITY = 85
"""Of published images: one of 1080p of a stage has 0.13 to 0.2 MB."""


def to_bgr(message: Image) -> BGR:
    """The message's image as BGR; a ``bgr8`` message is viewed in place, not copied (treat it as read-only).

    Raises :class:`ImageError`.
    """
    data = np.frombuffer(message.data, np.uint8)
    return decode(message.encoding, data, message.width, message.height, message.step, bool(message.is_bigendian))


def blank(width: int, height: int) -> BGR:
    """A black image whose memory :func:`from_bgr` puts into the message as it is."""
    return np.frombuffer(array.array("B", bytes(1)) * (height * width * 3), np.uint8).reshape(height, width, 3)


def from_bgr(image: BGR, header: Header) -> Image:
    """A ``bgr8`` message of ``image`` (H x W x 3 uint8) with that header.

    The pixels are copied once; those of a :func:`blank` image not at all, so it must not be changed while the
    message is needed.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ImageError(f"a BGR image of uint8 is needed, got {image.dtype} {image.shape}")
    message = Image()
    message.header = header
    message.height, message.width = image.shape[:2]
    message.encoding = "bgr8"
    message.step = image.shape[1] * 3
    _set_data(message, _memory(image) or _bytes(np.ascontiguousarray(image).data.cast("B")))
    return message


def to_jpeg(image: BGR, header: Header, quality: int = JPEG_QUALITY) -> CompressedImage:
    """``image`` (H x W x 3 uint8) as JPEG of that quality (1 to 100); ``format`` as image_transport writes it."""
    # opencv-python brings libjpeg-turbo; others that build on it were not faster
    done, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ImageError(f"an image of {image.shape} cannot be encoded as JPEG")
    message = CompressedImage(header=header, format="bgr8; jpeg compressed bgr8")
    _set_data(message, _bytes(np.asarray(jpeg).data))
    return message


def _bytes(data: memoryview) -> array.array[int]:
    copy = array.array("B")
    copy.frombytes(data)
    return copy


def _set_data(message: Image | CompressedImage, data: array.array[int]) -> None:
    # An array.array passes the message's type check at once; bytes or a list would be checked element by element.
    # Newer messages check nothing, and copy even an array.array unless they are told to check.
    if hasattr(message, "_check_fields"):
        message._check_fields = True
    message.data = data


def _memory(image: BGR) -> array.array[int] | None:
    """The array that a :func:`blank` image is a view of, whole and in order."""
    owner: object = image
    while isinstance(owner, (np.ndarray, memoryview)):
        owner = owner.base if isinstance(owner, np.ndarray) else owner.obj
    if isinstance(owner, array.array) and owner.typecode == "B" and len(owner) == image.nbytes:
        return owner if image.flags.c_contiguous else None
    return None
