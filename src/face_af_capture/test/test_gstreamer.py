"""GStreamer through a program that stands in for gst-launch-1.0."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from face_af_capture.params import CaptureNodeParams
from face_af_capture.sources.base import SourceError
from face_af_capture.sources.gstreamer import appsink_pipeline, open_gstreamer

FAKE = """#!{python}
import sys, time
words = sys.argv[1:]
assert words[0] == "-q" and words[-2:] == ["fdsink", "fd=1"], words
caps = dict(part.split("=") for part in next(w for w in words if "width" in w).split(",")[1:])
width, height = int(caps["width"]), int(caps["height"])
stride = (width * 3 + 3) // 4 * 4
for shade in (10, 20):
    row = bytes([shade]) * (width * 3) + b"\\xee" * (stride - width * 3)
    sys.stdout.buffer.write(row * height)
    sys.stdout.buffer.flush()
{end}
"""


@pytest.fixture
def gst(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cv2.videoio_registry, "hasBackend", lambda _: False)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path / "gst-launch-1.0"


def install(path: Path, end: str) -> None:
    path.write_text(FAKE.format(python=sys.executable, end=end))
    path.chmod(0o755)


def params(width: int = 64, **more: object) -> CaptureNodeParams:
    return CaptureNodeParams(source="gstreamer", device='src name="a b"', width=width, height=48, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("width", [64, 63])
def test_pictures_and_the_end_of_the_pipeline(gst: Path, width: int) -> None:
    install(gst, "print('ERROR: from element: no signal', file=sys.stderr)")
    source = open_gstreamer(params(width))
    buffer = np.zeros((48, width, 3), np.uint8)
    for shade in (10, 20):
        frame = source.read(buffer)
        assert frame.image.shape == (48, width, 3)
        assert (frame.image == shade).all()
        assert time.monotonic() - frame.acquired < 5.0
    with pytest.raises(SourceError, match="has ended: ERROR: from element: no signal"):
        source.read(buffer)
    source.close()


def test_a_pipeline_that_hangs_can_be_interrupted(gst: Path) -> None:
    install(gst, "time.sleep(60)")
    source = open_gstreamer(params())
    source.read(None)
    source.read(None)
    threading.Timer(0.2, source.interrupt).start()
    with pytest.raises(SourceError, match="has ended"):
        source.read(None)
    source.close()


def test_without_gstreamer_it_says_what_to_install(gst: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(gst.parent))
    with pytest.raises(SourceError, match=r"there is no GStreamer.*gstreamer1\.0-tools"):
        open_gstreamer(params())


def test_mistakes_are_said(gst: Path) -> None:
    install(gst, "")
    with pytest.raises(SourceError, match="width and height"):
        open_gstreamer(CaptureNodeParams(source="gstreamer", device="src", width=0, height=0))
    with pytest.raises(SourceError, match="cannot be read"):
        open_gstreamer(CaptureNodeParams(source="gstreamer", device='src name="open'))


def test_opencv_gets_an_appsink_that_keeps_the_newest() -> None:
    assert appsink_pipeline("a ! b").endswith("appsink drop=true max-buffers=1 sync=false")
    assert appsink_pipeline("a ! appsink") == "a ! appsink"
