"""Photographs as people have them, and files that only look like some."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from face_af_common.encodings import ImageError
from face_af_common.image_files import FOREIGN_SUFFIXES, decode_frame, decode_image, read_image


def shown() -> np.ndarray:
    image = np.empty((40, 60, 3), np.uint8)
    image[:, :30], image[:20, 30:], image[20:, 30:] = (20, 40, 220), (200, 60, 30), (60, 200, 60)
    return image


def assert_alike(image: np.ndarray, expected: np.ndarray) -> None:
    assert image.shape == expected.shape and image.dtype == np.uint8
    # JPEG mixes colours at the patches' edges
    assert np.median(np.abs(image.astype(int) - expected)) <= 2


@pytest.fixture
def pillow() -> Any:
    return pytest.importorskip("PIL.Image", reason="Pillow makes these images")


@pytest.mark.parametrize("suffix", ["jpg", "jfif", "jpe", "png", "bmp", "tif", "webp", "gif", "avif"])
def test_kinds_of_images(pillow: Any, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    kind = "JPEG" if suffix in ("jpg", "jfif", "jpe") else None
    try:
        pillow.fromarray(shown()[..., ::-1]).save(path, kind)
    except (OSError, KeyError, ValueError) as error:
        pytest.skip(f"this Pillow does not write {suffix}: {error}")
    if not cv2.haveImageReader(str(path)):
        with pytest.raises(ImageError, match=f"{path}: an? {suffix.upper()} image.*save it as JPEG"):
            read_image(path)
        return
    assert_alike(read_image(path), shown())


@pytest.mark.parametrize("mode", ["CMYK", "L", "LA", "RGBA", "P"])
def test_colours_that_are_not_bgr(pillow: Any, tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("a.jpg" if mode in ("CMYK", "L") else "a.png")
    image = pillow.fromarray(shown()[..., ::-1])
    if mode == "RGBA":
        image.putalpha(90)
    image.convert(mode).save(path)
    gray = cv2.cvtColor(cv2.cvtColor(shown(), cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    result = read_image(path)
    if mode == "P":
        assert_alike(result // 64, shown() // 64)
    else:
        assert_alike(result, gray if mode in ("L", "LA") else shown())


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_become_eight(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    assert cv2.imwrite(str(path), shown().astype(np.uint16) * 257)
    assert_alike(read_image(path), shown())


@pytest.mark.parametrize("tag", range(1, 9))
def test_a_photograph_is_turned_upright(pillow: Any, tmp_path: Path, tag: int) -> None:
    """EXIF orientations as in TIFF 6.0: where row 0 and column 0 of the file belong."""
    path = tmp_path / "a.jpg"
    exif = pillow.Exif()
    exif[0x0112] = tag
    stored = shown().transpose(1, 0, 2) if tag > 4 else shown()
    stored = {2: stored[:, ::-1], 3: stored[::-1, ::-1], 4: stored[::-1], 6: stored[::-1], 7: stored[::-1, ::-1]}.get(
        tag, stored[:, ::-1] if tag == 8 else stored
    )
    pillow.fromarray(np.ascontiguousarray(stored[..., ::-1])).save(path, exif=exif)
    assert_alike(read_image(path), shown())


@pytest.mark.parametrize("tag", range(1, 9))
def test_an_avif_is_turned_upright(pillow: Any, tmp_path: Path, tag: int) -> None:
    path = tmp_path / "a.avif"
    exif = pillow.Exif()
    exif[0x0112] = tag
    try:
        pillow.fromarray(shown()[..., ::-1]).save(path, exif=exif)
    except (OSError, KeyError, ValueError) as error:
        pytest.skip(f"this Pillow does not write AVIF: {error}")
    if not cv2.haveImageReader(str(path)):
        pytest.skip("this OpenCV does not read AVIF")
    x = shown()
    turned = {
        2: x[:, ::-1], 3: x[::-1, ::-1], 4: x[::-1], 5: x.transpose(1, 0, 2), 6: np.rot90(x, -1),
        7: x[::-1, ::-1].transpose(1, 0, 2), 8: np.rot90(x),
    }  # fmt: skip
    assert_alike(read_image(path), turned.get(tag, x))


@pytest.mark.skipif("FACE_AF_TEST_CASES" not in os.environ, reason="FACE_AF_TEST_CASES names no folder")
def test_a_phones_avif() -> None:
    path = Path(os.environ["FACE_AF_TEST_CASES"]) / "photo.avif"
    if not cv2.haveImageReader(str(path)):
        pytest.skip("this OpenCV does not read AVIF")
    assert min(read_image(path).shape[:2]) > 200


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.heic", b"\0\0\0\x24ftypheic\0\0\0\0mif1heic", "an HEIC photo .*; save it as JPEG"),
        ("a.jpg", b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "an HEIC photo"),
        ("DSC_1.HIF", b"\0\0\0\x18ftypheix\0\0\0\0mif1heic", "an HEIC photo"),
        ("a.jxl", b"\xff\x0a\x01\x02", "a JPEG XL image; save it as JPEG"),
        ("a.jpg", b"\0\0\0\x18ftypqt  \0\0\0\0", "a video"),
        ("a.jpg", b"\r\n<!DOCTYPE html><html>", "a web page"),
        ("a.jpg", b"version https://git-lfs.github.com/spec/v1\n", r"a Git LFS pointer \(git lfs pull"),
        ("a.nef", b"MM\0*", "a camera's raw file; export it as JPEG"),
        ("a.jpg", b"", "empty, 0 bytes"),
        ("a.jpg", b"\xff\xd8\xff\xe0 not quite", "not an image, or a damaged one"),
    ],
)
def test_what_cannot_be_read_is_one_line(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ImageError, match=f"{path}: {words}") as error:
        read_image(path)
    assert "\n" not in str(error.value)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="cannot be read"):
        read_image(tmp_path / "none.jpg")
    with pytest.raises(ImageError, match="cannot be read"):
        read_image(tmp_path)


def test_a_raw_file_is_foreign() -> None:
    assert {".nef", ".heic", ".hif"} <= FOREIGN_SUFFIXES


def jpeg(thumbnail: bytes = b"") -> np.ndarray:
    noise = np.random.default_rng(1).integers(0, 256, (60, 80, 3), np.uint8)
    data = cv2.imencode(".jpg", noise)[1].tobytes()
    if thumbnail:
        data = data[:2] + b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail + data[2:]
    return np.frombuffer(data, np.uint8)


def test_a_frame_that_is_cut_off_is_said() -> None:
    whole = jpeg()
    padded = np.concatenate([whole, np.zeros(100, np.uint8)])
    assert np.array_equal(decode_frame(padded), decode_image(whole))
    for length in range(2, len(whole) - 1, 97):
        with pytest.raises(ImageError):
            decode_frame(whole[:length])
    with pytest.raises(ImageError, match="empty"):
        decode_frame(whole[:0])


def test_the_end_of_a_thumbnail_is_not_the_end() -> None:
    small = cv2.imencode(".jpg", np.zeros((8, 8, 3), np.uint8))[1].tobytes()
    whole = jpeg(small)
    assert decode_frame(whole).shape == (60, 80, 3)
    with pytest.raises(ImageError, match=f"cut off after {len(whole) - 200} bytes"):
        decode_frame(whole[:-200])
