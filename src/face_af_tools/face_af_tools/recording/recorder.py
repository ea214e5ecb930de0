"""Records a running graph without ever holding it up: a slow disk costs messages of the recording, never time."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from .bag_folder import BagFolder, RecordingError, TopicInfo, free_bytes
from .cdr import CdrError, RawImage, compressed_image, parse_image

COMPRESSED_TYPE = "sensor_msgs/msg/CompressedImage"
_CONVERSIONS = {"rgb8": cv2.COLOR_RGB2BGR, "bgra8": cv2.COLOR_BGRA2BGR, "rgba8": cv2.COLOR_RGBA2BGR}
_YUV = {"yuv422_yuy2": cv2.COLOR_YUV2BGR_YUY2, "yuyv": cv2.COLOR_YUV2BGR_YUY2, "uyvy": cv2.COLOR_YUV2BGR_UYVY}
_CHANNELS = {"bgr8": 3, "rgb8": 3, "bgra8": 4, "rgba8": 4, "mono8": 1, "yuv422_yuy2": 2, "yuyv": 2, "uyvy": 2}


@dataclass(frozen=True)
class RecorderLimits:
    """Bounds of a recording. Bytes and seconds; 0 = no split."""

    jpeg_quality: int = 85
    split_bytes: int = 0
    split_s: float = 0.0
    min_free_bytes: int = 0
    flush_s: float = 0.5
    sync: bool = True


@dataclass
class RecorderCounts:
    """What happened so far."""

    messages: int = 0
    frames: int = 0
    messages_dropped: int = 0
    unreadable: int = 0


class BagRecorder:
    """Takes serialized messages from one thread, in which pictures are encoded; another one writes them.

    What waits for the disk is bounded: when it cannot keep up, messages are dropped and counted.
    ``on_stop`` is called once (from the writing thread) when the recording ends by itself: disk nearly full,
    or an error of the disk. Nothing here raises into the caller's thread.
    """

    _MOST_WAITING = 20_000
    _MOST_WAITING_BYTES = 256_000_000

    def __init__(
        self,
        folder: Path,
        limits: RecorderLimits,
        session: dict[str, str] | None = None,
        on_stop: Callable[[str], None] | None = None,
    ) -> None:
        self.folder = folder
        self.limits = limits
        self.counts = RecorderCounts()
        self.stopped = ""
        """Why the recording has ended by itself; empty while it runs."""
        self._on_stop = on_stop or (lambda reason: None)
        self._check_space()
        self._bag = BagFolder(folder, limits.split_bytes, int(limits.split_s * 1e9), session)
        self._rows: queue.Queue[Callable[[], None] | None] = queue.Queue(self._MOST_WAITING)
        self._bytes_taken = 0
        self._bytes_written = 0
        self._writer = threading.Thread(target=self._write_loop, name="recorder-disk", daemon=True)
        self._writer.start()

    def add_topic(self, topic: TopicInfo) -> None:
        self._put(lambda: self._bag.add_topic(topic))

    def set_session(self, values: dict[str, str]) -> None:
        self._put(lambda: self._bag.set_session(values))

    def add(self, topic: str, log_time: int, data: bytes) -> None:
        """One serialized message of a known topic; ``log_time`` in nanoseconds."""
        if self._bytes_taken - self._bytes_written > self._MOST_WAITING_BYTES:
            self.counts.messages_dropped += 1
            return

        def write() -> None:
            self._bytes_written += len(data)
            self._bag.add(topic, log_time, log_time, data)

        if self._put(write):
            self._bytes_taken += len(data)

    def add_image(self, topic: str, log_time: int, data: bytes) -> None:
        """One serialized ``sensor_msgs/Image``, kept as JPEG on ``topic`` (a ``CompressedImage`` topic)."""
        if self.stopped:
            return
        try:
            image = parse_image(data)
            jpeg = encode(image, self.limits.jpeg_quality)
        except CdrError:
            self.counts.unreadable += 1
            return
        self.counts.frames += 1
        message = compressed_image(image.sec, image.nanosec, image.frame_id, "bgr8; jpeg compressed bgr8", jpeg)
        self.add(topic, log_time, message)

    @property
    def files(self) -> int:
        return self._bag.files

    def close(self) -> None:
        """Writes what waits, closes the bag. A second call does nothing."""
        if self._writer.is_alive():
            self._rows.put(None)
            self._writer.join()

    def _put(self, row: Callable[[], None]) -> bool:
        if self.stopped:
            return False
        try:
            self._rows.put_nowait(row)
        except queue.Full:
            self.counts.messages_dropped += 1
            return False
        return True

    def _write_loop(self) -> None:
        due = time.monotonic() + self.limits.flush_s
        running = True
        while running:
            try:
                row = self._rows.get(timeout=max(0.0, due - time.monotonic()))
                if row is None:
                    running = False
                elif not self.stopped:
                    row()
                    self.counts.messages += 1
            except queue.Empty:
                pass
            except (OSError, RecordingError) as error:
                self._stop(f"{error}")
            if self.stopped or (running and time.monotonic() < due):
                continue
            due = time.monotonic() + self.limits.flush_s
            try:
                self._bag.flush(self.limits.sync)
                self._check_space()
            except (OSError, RecordingError) as error:
                self._stop(getattr(error, "strerror", None) or str(error))
        if not self.stopped:
            self._close_bag()

    def _check_space(self) -> None:
        free = free_bytes(self.folder)
        if free < self.limits.min_free_bytes:
            must = self.limits.min_free_bytes / 1e6
            raise RecordingError(f"{free / 1e6:.0f} MB are free on the disk of {self.folder}, {must:.0f} MB must stay")

    def _stop(self, reason: str) -> None:
        self.stopped = reason
        self._close_bag()
        self._on_stop(reason)

    def _close_bag(self) -> None:
        try:
            self._bag.close()
        except (OSError, RecordingError) as error:
            self.stopped = self.stopped or str(error)


def encode(image: RawImage, quality: int) -> memoryview:
    """The JPEG of a raw image (8 bits a channel, BGR, RGB, gray or packed 4:2:2); :class:`CdrError` for others."""
    channels = _CHANNELS.get(image.encoding)
    if channels is None or image.step < image.width * channels:
        raise CdrError(f"encoding {image.encoding!r} cannot be recorded as JPEG")
    rows = np.frombuffer(image.pixels, np.uint8)[: image.height * image.step].reshape(image.height, image.step)
    picture = rows[:, : image.width * channels]
    picture = picture.reshape(image.height, image.width, channels) if channels > 1 else picture
    conversion = {**_CONVERSIONS, **_YUV}.get(image.encoding)
    try:
        if conversion is not None:
            picture = np.asarray(cv2.cvtColor(picture, conversion))
        done, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    except cv2.error as error:
        raise CdrError(f"an image of {image.width}x{image.height} cannot be encoded ({error.err})") from error
    if not done:
        raise CdrError("the JPEG encoder failed")
    return np.asarray(jpeg, np.uint8).data.cast("B")
