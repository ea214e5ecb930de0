"""The V4L2 device, against an imitation of cv2.VideoCapture."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from face_af_capture.params import CaptureNodeParams
from face_af_capture.sources.base import BadFrame, SourceError
from face_af_capture.sources.v4l2 import OpenCvDevice, compare, device_path, open_v4l2


class FakeCapture:
    """A capture card that knows some formats: what it is not asked for in one of these, it ignores."""

    def __init__(self, opens: bool = True, sizes: tuple[tuple[int, int], ...] = ((1920, 1080), (1280, 720))) -> None:
        self.opens, self.sizes = opens, sizes
        self.asked: list[int] = []
        self.released = False
        self.pictures = 3
        self.damaged = False
        self.values: dict[int, float] = {
            cv2.CAP_PROP_FRAME_WIDTH: 640,
            cv2.CAP_PROP_FRAME_HEIGHT: 480,
            cv2.CAP_PROP_FPS: 30.0,
            cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*"YUYV"),
        }

    def __call__(self, path: str, backend: int) -> FakeCapture:
        assert backend == cv2.CAP_V4L2
        return self

    def isOpened(self) -> bool:
        return self.opens

    def set(self, key: int, value: float) -> bool:
        self.asked.append(key)
        if key == cv2.CAP_PROP_FRAME_WIDTH and value not in [w for w, _ in self.sizes]:
            return False
        if key == cv2.CAP_PROP_FRAME_HEIGHT and value not in [h for _, h in self.sizes]:
            return False
        self.values[key] = value
        return True

    def get(self, key: int) -> float:
        return self.values.get(key, 0.0)

    def grab(self) -> bool:
        self.pictures -= 1
        return self.pictures >= 0

    def retrieve(self, buffer: Any) -> tuple[bool, Any]:
        if self.damaged:
            return False, None
        size = int(self.values[cv2.CAP_PROP_FRAME_HEIGHT]), int(self.values[cv2.CAP_PROP_FRAME_WIDTH]), 3
        return True, buffer if buffer is not None and buffer.shape == size else np.zeros(size, np.uint8)

    def release(self) -> None:
        self.released = True


@pytest.fixture
def device(tmp_path: Path) -> Path:
    path = tmp_path / "video7"
    path.touch()
    return path


def test_what_is_asked_for_is_given(device: Path) -> None:
    capture = FakeCapture()
    source = open_v4l2(CaptureNodeParams(device=str(device), pixel_format="MJPG", fps=60.0), capture)
    assert source.name == f"{device} 1920x1080 MJPG at 60/s"
    assert list(source.mismatches) == []
    # the sizes and rates that a device has depend on the format
    order = [capture.asked.index(key) for key in (cv2.CAP_PROP_FOURCC, cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FPS)]
    assert order == sorted(order)
    assert source.read(None).image.shape == (1080, 1920, 3)


def test_another_size_is_a_mismatch_or_refused(device: Path) -> None:
    params = CaptureNodeParams(device=str(device), width=4096, height=2160)
    source = open_v4l2(params, FakeCapture())
    assert list(source.mismatches) == ["asked for 4096x2160, it gives 640x480"]
    capture = FakeCapture()
    with pytest.raises(SourceError, match=r"asked for 4096x2160, it gives 640x480 \(parameter strict\)"):
        open_v4l2(CaptureNodeParams(device=str(device), width=4096, height=2160, strict=True), capture)
    assert capture.released


@pytest.mark.parametrize(
    ("wanted", "given", "words"),
    [
        ("MJPG", "YUYV", ["asked for MJPG, it gives YUYV"]),
        ("YUYV", "YUY2", []),
        ("", "NV12", []),
        ("MJPG", "\0\0\0\0", ["asked for MJPG, it gives another format"]),
    ],
)
def test_formats_are_compared(wanted: str, given: str, words: list[str]) -> None:
    capture = FakeCapture()
    capture.values[cv2.CAP_PROP_FOURCC] = int.from_bytes(given.encode(), "little")
    assert compare(capture, CaptureNodeParams(pixel_format=wanted, width=0, height=0)) == words


@pytest.mark.parametrize(("asked", "given", "differs"), [(60.0, 59.94, False), (60.0, 30.0, True), (0.0, 5.0, False)])
def test_rates_are_compared(asked: float, given: float, differs: bool) -> None:
    capture = FakeCapture()
    capture.values[cv2.CAP_PROP_FPS] = given
    assert bool(compare(capture, CaptureNodeParams(fps=asked, width=0, height=0))) is differs


def test_absent_busy_and_unplugged_are_said(device: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=f"there is no {tmp_path}/none"):
        open_v4l2(CaptureNodeParams(device=str(tmp_path / "none")), FakeCapture())
    busy = FakeCapture(opens=False)
    with pytest.raises(SourceError, match="in use by another program"):
        open_v4l2(CaptureNodeParams(device=str(device)), busy)
    assert busy.released
    source = open_v4l2(CaptureNodeParams(device=str(device)), FakeCapture())
    for _ in range(3):
        source.read(None)
    with pytest.raises(SourceError, match="gives no frames any more; unplugged"):
        source.read(None)


def test_a_frame_that_cannot_be_decoded_is_not_the_end() -> None:
    capture = FakeCapture()
    source = OpenCvDevice(capture, "it")
    capture.damaged = True
    with pytest.raises(BadFrame, match="it gives frames that cannot be decoded"):
        source.read(None)
    capture.damaged = False
    assert source.read(None).image.shape == (480, 640, 3)


def test_a_real_file_is_no_device(device: Path) -> None:
    with pytest.raises(SourceError, match="cannot be opened"):
        open_v4l2(CaptureNodeParams(device=str(device)))


def test_the_drivers_stamp_is_taken_where_it_can_be_believed() -> None:
    capture = FakeCapture()
    source = OpenCvDevice(capture, "it", driver_stamps=True)
    now = time.monotonic()
    capture.values[cv2.CAP_PROP_POS_MSEC] = (now - 0.05) * 1e3
    assert source.read(None).acquired == pytest.approx(now - 0.05, abs=1e-4)
    capture.values[cv2.CAP_PROP_POS_MSEC] = 12.0  # since it was opened, say
    assert source.read(None).acquired == pytest.approx(time.monotonic(), abs=0.05)


def test_a_number_is_a_device() -> None:
    assert device_path("2") == Path("/dev/video2")
    assert device_path("/dev/v4l/by-id/x") == Path("/dev/v4l/by-id/x")
