"""Every standard encoding, made from one known image, with and without padded rows."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sensor_msgs.msg import Image

from face_af_common.encodings import LAYOUTS, ImageError, decode
from face_af_common.images import to_bgr

WIDTH, HEIGHT = 16, 12


def shown() -> np.ndarray:
    """Four patches of plain colours, so that shared and interpolated chroma changes nothing inside a patch."""
    image = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    image[: HEIGHT // 2, : WIDTH // 2] = (40, 60, 200)
    image[: HEIGHT // 2, WIDTH // 2 :] = (200, 90, 30)
    image[HEIGHT // 2 :, : WIDTH // 2] = (70, 180, 60)
    image[HEIGHT // 2 :, WIDTH // 2 :] = (128, 128, 128)
    return image


def yuv() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Y, U and V of BT.601, 16 to 235 (ITU-R BT.601-7), at full size."""
    b, g, r = (shown()[..., i] / 255.0 for i in range(3))
    y = 0.299 * r + 0.587 * g + 0.114 * b
    u, v = (b - y) / 1.772, (r - y) / 1.402
    return tuple(np.rint(plane).astype(np.uint8) for plane in (16 + 219 * y, 128 + 224 * u, 128 + 224 * v))  # type: ignore[return-value]


def packed(encoding: str) -> np.ndarray:
    """The image's rows in that encoding, one row of bytes each, without padding."""
    bgr, (y, u, v) = shown(), yuv()
    sixteen = encoding.endswith("16")
    kind = encoding.removesuffix("16").removesuffix("8")
    alpha = np.full((HEIGHT, WIDTH, 1), 77, np.uint8)
    if kind in ("bgr", "rgb", "bgra", "rgba"):
        data = bgr if kind.startswith("bgr") else bgr[..., ::-1]
        data = np.dstack([data, alpha]) if kind.endswith("a") else data
    elif encoding in ("8UC3", "8UC4"):
        data = bgr if encoding == "8UC3" else np.dstack([bgr, alpha])
    elif kind == "mono" or encoding == "8UC1":
        data = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
    elif kind.startswith("bayer"):
        data = np.empty((HEIGHT, WIDTH), np.uint8)
        for place, letter in enumerate(kind.removeprefix("bayer_")):
            row, column = divmod(place, 2)
            data[row::2, column::2] = bgr[row::2, column::2, "bgr".index(letter)]
    elif encoding in ("yuyv", "yuv422_yuy2", "uyvy", "yuv422"):
        chroma = np.stack([u[:, ::2], v[:, ::2]], 2).reshape(HEIGHT, WIDTH)
        data = np.stack([y, chroma] if encoding.startswith("yuy") or "yuy2" in encoding else [chroma, y], 2)
    else:
        small = slice(None, None, 2 if encoding != "nv24" else 1)
        planes = [v, u] if encoding == "nv21" else [u, v]
        chroma = np.stack([plane[small, small] for plane in planes], 2)
        data = np.vstack([y, chroma.reshape(-1, WIDTH)])
    if sixteen:
        data = (data.astype("<u2") << 8) | 0x35  # the low byte differs, so that their order matters
    return np.ascontiguousarray(data).reshape(len(data), -1).view(np.uint8)


def message(encoding: str, padding: int, big_endian: bool = False, chroma_rows: int = 1) -> Image:
    rows = packed(encoding)
    if big_endian:
        rows = np.ascontiguousarray(rows).view(">u2").astype("<u2").view(np.uint8)
    step = rows.shape[1] + padding
    if encoding == "nv24":
        # a chroma row is twice a row long, and so is its padding
        luma, chroma = rows[:HEIGHT], rows[HEIGHT:].reshape(HEIGHT, -1)
        data = np.pad(luma, ((0, 0), (0, padding))).tobytes() + np.pad(chroma, ((0, 0), (0, 2 * padding))).tobytes()
    else:
        data = np.pad(rows, ((0, 0), (0, padding)), constant_values=99).tobytes()
    return Image(width=WIDTH, height=HEIGHT, step=step, encoding=encoding, is_bigendian=int(big_endian), data=data)


def inner(image: np.ndarray) -> np.ndarray:
    """Without the patches' edges, where colours mix."""
    return np.concatenate([image[1:5, 2:6], image[1:5, 10:14], image[7:11, 2:6], image[7:11, 10:14]])


@pytest.mark.parametrize("padding", [0, 6])
@pytest.mark.parametrize("encoding", sorted(LAYOUTS))
def test_every_encoding_gives_the_same_image(encoding: str, padding: int) -> None:
    gray = encoding.startswith("mono") or encoding == "8UC1"
    expected = cv2.cvtColor(cv2.cvtColor(shown(), cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR) if gray else shown()
    result = to_bgr(message(encoding, padding))
    assert result.shape == (HEIGHT, WIDTH, 3)
    assert np.abs(inner(result).astype(int) - inner(expected)).max() <= 2
    if encoding.endswith("16"):
        assert np.array_equal(to_bgr(message(encoding, padding, big_endian=True)), result)


@pytest.mark.parametrize("encoding", ["nv12", "nv21", "nv24"])
def test_planes_may_be_counted_in_the_height(encoding: str) -> None:
    """As who makes the message from an OpenCV matrix does."""
    right = message(encoding, 0)
    counted = message(encoding, 0)
    counted.height = round(HEIGHT * LAYOUTS[encoding].rows)
    assert np.array_equal(to_bgr(counted), to_bgr(right))


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("32FC1", "holds measurements"),
        ("16UC1", "holds measurements"),
        ("klingon", "'klingon' cannot be shown: it is unknown"),
        ("", "unknown"),
    ],
)
def test_what_is_no_image_is_said(encoding: str, words: str) -> None:
    with pytest.raises(ImageError, match=words):
        to_bgr(Image(width=2, height=2, step=8, encoding=encoding, data=bytes(16)))


def test_sizes_that_do_not_fit_are_said() -> None:
    with pytest.raises(ImageError, match="is empty"):
        to_bgr(Image(encoding="rgb8"))
    with pytest.raises(ImageError, match="5 bytes a row are too few for 2 pixels of rgb8, 6 are needed"):
        to_bgr(Image(width=2, height=1, step=5, encoding="rgb8", data=bytes(6)))
    with pytest.raises(ImageError, match="an even size is needed"):
        to_bgr(Image(width=3, height=2, step=6, encoding="yuyv", data=bytes(12)))
    with pytest.raises(ImageError, match="has 16 bytes, 24 are needed"):
        to_bgr(Image(width=4, height=4, step=4, encoding="nv12", data=bytes(16)))


@given(
    st.sampled_from([*LAYOUTS, "16UC1", "x"]),
    st.binary(max_size=200),
    *[st.integers(0, 12) | st.integers(0, 2**32 - 1)] * 3,
    st.booleans(),
)
def test_no_message_ends_in_anything_else(
    encoding: str, data: bytes, width: int, height: int, step: int, big_endian: bool
) -> None:
    try:
        image = decode(encoding, np.frombuffer(data, np.uint8), width, height, step, big_endian)
    except ImageError:
        return
    assert image.dtype == np.uint8 and image.shape[1:] == (width, 3)
