"""Everybody who looks at the page: hands them the newest frame and the newest scene, and encodes each frame once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import cv2
import numpy as np

from face_af_common.frames import Frame

from . import protocol
from .pacing import Rung
from .scene import Scene

_TICK_S = 0.04
_STATUS_S = 1.0


class Looker(Protocol):
    """One open page, as the hub knows it."""

    looking: bool
    device_id: str

    def tell(self, text: str) -> None: ...

    def show_scene(self, text: str) -> None: ...

    def wake(self) -> None: ...

    async def close(self) -> None: ...


def encoded(frame: Frame, rung: Rung) -> tuple[bytes, int, int]:
    """The frame as JPEG of ``rung``, and its own columns and rows."""
    bgr = frame.bgr
    height, width = bgr.shape[:2]
    if width > rung.width:
        size = (rung.width, max(1, round(height * rung.width / width)))
        bgr = np.asarray(cv2.resize(bgr, size, interpolation=cv2.INTER_AREA), np.uint8)
    _, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, rung.quality])
    return jpeg.tobytes(), width, height


class Hub:
    """Lives in the web server's event loop; the methods ``post_…`` are for other threads.

    ``watch(looking)`` is called when the first viewer comes and when the last one has gone; ``now_ns`` is the clock of
    the stamps; ``status`` makes the message ``status`` without its type.
    """

    def __init__(
        self, watch: Callable[[bool], None], now_ns: Callable[[], int], status: Callable[[], dict[str, Any]]
    ) -> None:
        self._watch, self.now_ns, self._status = watch, now_ns, status
        self._loop: asyncio.AbstractEventLoop | None = None
        self._viewers: set[Looker] = set()
        self._pool = ThreadPoolExecutor(1, "page_jpeg")
        self._scene = Scene()
        self._jpegs: dict[Rung, asyncio.Future[tuple[bytes, int, int]]] = {}
        self._jpegs_of = -1
        self.frame: Frame | None = None
        self._looking = False

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    # -- from other threads ------------------------------------------------------------------------------------------

    def post_frame(self, frame: Frame) -> None:
        self._post(self._on_frame, frame)

    def post_result(self, part: str, stamp_ns: int, value: Any) -> None:
        self._post(self._on_result, part, stamp_ns, value)

    def _post(self, function: Callable[..., None], *values: Any) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            try:
                loop.call_soon_threadsafe(function, *values)
            except RuntimeError:  # it was closed just now
                pass

    # -- in the loop -------------------------------------------------------------------------------------------------

    @property
    def viewers(self) -> int:
        return len(self._viewers)

    def add(self, viewer: Looker) -> None:
        self._viewers.add(viewer)
        viewer.tell(protocol.text("status", **self._status()))
        self.look()

    def remove(self, viewer: Looker) -> None:
        self._viewers.discard(viewer)
        self.look()

    def look(self) -> None:
        """Who looks has changed."""
        looking = any(viewer.looking for viewer in self._viewers)
        if looking != self._looking:
            self._looking = looking
            if not looking:
                self.frame, self._scene = None, Scene()
                self._jpegs.clear()
            self._watch(looking)

    def tell_all(self, text: str, but: Looker | None = None) -> None:
        for viewer in self._viewers:
            if viewer is not but:
                viewer.tell(text)

    async def close_device(self, device_id: str) -> None:
        for viewer in [viewer for viewer in self._viewers if viewer.device_id == device_id]:
            await viewer.close()

    async def close(self) -> None:
        for viewer in list(self._viewers):
            await viewer.close()
        self._pool.shutdown(wait=False)

    async def encode(self, rung: Rung) -> tuple[Frame, bytes, int, int] | None:
        """The newest frame as JPEG; None where there is none. Viewers of the same rung share it."""
        frame = self.frame
        if frame is None:
            return None
        if frame.stamp_ns != self._jpegs_of:
            self._jpegs, self._jpegs_of = {}, frame.stamp_ns
        if rung not in self._jpegs:
            loop = asyncio.get_running_loop()
            self._jpegs[rung] = asyncio.ensure_future(loop.run_in_executor(self._pool, encoded, frame, rung))
        # shielded: one viewer who leaves must not take it from the others
        return (frame, *await asyncio.shield(self._jpegs[rung]))

    async def keep_time(self) -> None:
        """Runs for ever: sends scenes that wait for a part in vain, and the status once a second."""
        told = 0.0
        while True:
            await asyncio.sleep(_TICK_S if self._looking else _STATUS_S)
            self._send_scene()
            now = time.monotonic()
            if self._viewers and now - told >= _STATUS_S:
                told = now
                self.tell_all(protocol.text("status", **self._status()))

    def _on_frame(self, frame: Frame) -> None:
        if self._looking:
            self.frame = frame
            for viewer in self._viewers:
                viewer.wake()

    def _on_result(self, part: str, stamp_ns: int, value: Any) -> None:
        if self._looking:
            self._scene.add(part, stamp_ns, value, time.monotonic())
            self._send_scene()

    def _send_scene(self) -> None:
        scene = self._scene.take(time.monotonic())
        if scene is not None:
            text = protocol.text("scene", **scene)
            for viewer in self._viewers:
                viewer.show_scene(text)
