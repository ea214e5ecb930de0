"""``demo.mp4``: H.264 that every browser plays, encoded beside the graph in a thread of its own."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import cv2
import numpy as np

from face_af_common.images import BGR
from face_af_common.types import AfBox, Face
from face_af_view.annotate import Caption, annotated

_TIME_BASE = Fraction(1, 1000)


@dataclass(frozen=True)
class VideoFrame:
    """An image with what is to be drawn on it; ``time`` in seconds since the first."""

    time: float
    picture: BGR
    faces: Sequence[Face]
    boxes: Sequence[AfBox]
    caption: Caption


class VideoWriter:
    """Draws and encodes frames; :meth:`write` never waits unless ``lossless``: a frame too many is left out."""

    def __init__(self, path: Path, height: int = 720, lossless: bool = False) -> None:
        self._path = path
        self._height = height
        self._lossless = lossless
        self._queue: queue.Queue[VideoFrame | None] = queue.Queue(maxsize=2)
        self.left_out = 0
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._work, name="video", daemon=True)
        self._thread.start()

    def write(self, frame: VideoFrame) -> None:
        if self.error is not None:
            return
        try:
            self._queue.put(frame, block=self._lossless, timeout=10.0)
        except queue.Full:
            self.left_out += 1

    def close(self) -> None:
        """Finishes the file; what was written up to here is in it."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _work(self) -> None:
        import av

        container = stream = None
        try:
            last = -1
            while (frame := self._queue.get()) is not None:
                picture = annotated(frame.picture, frame.faces, frame.boxes, frame.caption, self._height)
                if container is None or stream is None:
                    # fragments: a file that is cut off by a kill still plays
                    container = av.open(str(self._path), "w", options={"movflags": "+frag_keyframe+empty_moov"})
                    stream = container.add_stream("libx264", options={"preset": "ultrafast", "crf": "25"})
                    stream.height, stream.width = picture.shape[:2]
                    stream.pix_fmt = "yuv420p"
                    stream.time_base = _TIME_BASE
                    stream.codec_context.time_base = _TIME_BASE
                    stream.codec_context.gop_size = 60
                    stream.codec_context.thread_count = 1
                # PyAV converts too, in twice the time
                planes = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420), np.uint8)
                encoded = av.VideoFrame.from_ndarray(planes, format="yuv420p")
                encoded.pts = max(last + 1, round(frame.time / _TIME_BASE))
                encoded.time_base = _TIME_BASE
                last = encoded.pts
                for packet in stream.encode(encoded):
                    container.mux(packet)
            if container is not None and stream is not None:
                for packet in stream.encode():
                    container.mux(packet)
        except Exception as error:  # a full disk, a missing encoder: the demo goes on without its video
            self.error = error
            while self._queue.get() is not None:
                pass
        finally:
            if container is not None:
                self._close(container)
            if self.error is not None:
                with contextlib.suppress(OSError):
                    self._path.unlink(missing_ok=True)

    def _close(self, container: Any) -> None:
        try:
            container.close()
        except Exception as error:  # writes what was kept back
            self.error = self.error or error
