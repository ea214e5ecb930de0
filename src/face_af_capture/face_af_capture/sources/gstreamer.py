"""A GStreamer pipeline: inside OpenCV where it was built with GStreamer, else through ``gst-launch-1.0``."""

from __future__ import annotations

import ctypes
import os
import shlex
import shutil
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Sequence

import numpy as np

from face_af_common.encodings import BGR

from ..params import CaptureNodeParams
from .base import Frame, Source, SourceError

_TO_BGR = "queue leaky=downstream max-size-buffers=1 ! videoconvert"
_PR_SET_PDEATHSIG = 1


def open_gstreamer(params: CaptureNodeParams) -> Source:
    """Opens the pipeline, which must not have a sink of its own (``appsink`` is understood). Raises SourceError."""
    import cv2

    if cv2.videoio_registry.hasBackend(cv2.CAP_GSTREAMER):
        from .v4l2 import OpenCvDevice

        capture = cv2.VideoCapture(appsink_pipeline(params.device), cv2.CAP_GSTREAMER)
        if not capture.isOpened():
            capture.release()
            raise SourceError(f"the GStreamer pipeline does not start: {params.device}")
        return OpenCvDevice(capture, "the GStreamer pipeline")
    program = shutil.which("gst-launch-1.0")
    if program is None:
        raise SourceError(
            "there is no GStreamer: this OpenCV is built without it, and gst-launch-1.0 is not installed "
            "(Debian, Ubuntu: gstreamer1.0-tools and gstreamer1.0-plugins-good)"
        )
    return GstLaunch(program, params)


def appsink_pipeline(pipeline: str) -> str:
    """The pipeline for OpenCV, which takes frames from an ``appsink``: the newest only, as soon as it is there."""
    if "appsink" in pipeline:
        return pipeline
    return f"{pipeline} ! {_TO_BGR} ! video/x-raw,format=BGR ! appsink drop=true max-buffers=1 sync=false"


class GstLaunch:
    """``gst-launch-1.0`` as a process that writes raw frames into a pipe."""

    mismatches: Sequence[str] = ()
    notes: Sequence[str] = ()
    period = 0.0

    def __init__(self, program: str, params: CaptureNodeParams) -> None:
        if not params.width:
            raise SourceError("gst-launch-1.0 needs the frame's width and height as parameters")
        self._width, self._height = params.width, params.height
        self._stride = (self._width * 3 + 3) // 4 * 4  # GStreamer pads rows to 4 bytes
        self.name = f"the GStreamer pipeline {self._width}x{self._height}"
        caps = f"video/x-raw,format=BGR,width={self._width},height={self._height}"
        line = f"{params.device} ! {_TO_BGR} ! videoscale ! {caps} ! fdsink fd=1"
        try:
            words = shlex.split(line)
        except ValueError as error:
            raise SourceError(f"the GStreamer pipeline cannot be read: {error}") from error
        libc = ctypes.CDLL(None)
        self._process = subprocess.Popen(
            [program, "-q", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # ends with this node, whatever ends the node
            preexec_fn=lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM),
        )
        self._complaints: deque[str] = deque(maxlen=20)
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._complaints.append(line.decode("utf-8", "replace").strip())

    def read(self, buffer: BGR | None) -> Frame:
        shape = (self._height, self._stride)
        rows = np.empty(shape, np.uint8) if buffer is None or self._padded else buffer.reshape(shape)
        view = memoryview(rows.data).cast("B")
        filled = 0
        acquired = 0.0
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        while filled < len(view):
            count = os.readv(descriptor, [view[filled:]])
            if count == 0:
                raise SourceError(self._why())
            if filled == 0:
                acquired = time.monotonic()
            filled += count
        image = rows[:, : self._width * 3].reshape(self._height, self._width, 3)
        return Frame(image, acquired)

    @property
    def _padded(self) -> bool:
        return self._stride != self._width * 3

    def _why(self) -> str:
        self._listener.join(1.0)
        errors = [line for line in self._complaints if line.startswith("ERROR")] or list(self._complaints)
        return f"the GStreamer pipeline has ended{': ' + errors[0] if errors else ''}"

    def interrupt(self) -> None:
        self._process.kill()

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(2.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
