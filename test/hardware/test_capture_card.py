"""A real capture card: FACE_AF_TEST_CAPTURE=/dev/video0 ./run test --hardware test/hardware."""

from __future__ import annotations

import os
import time

import pytest

from face_af_capture.params import CaptureNodeParams
from face_af_capture.sources.v4l2 import open_v4l2

pytestmark = pytest.mark.hardware


def test_the_card_gives_its_rate_without_a_frame_twice() -> None:
    source = open_v4l2(CaptureNodeParams(device=os.environ.get("FACE_AF_TEST_CAPTURE", "/dev/video0")))
    try:
        assert not source.mismatches
        source.read(None)
        started, stamps = time.monotonic(), []
        while time.monotonic() - started < 5:
            frame = source.read(None)
            assert frame.image.ndim == 3 and frame.image.shape[2] == 3
            stamps.append(frame.acquired)
        assert len(stamps) >= 100
        assert stamps == sorted(set(stamps))
    finally:
        source.close()
