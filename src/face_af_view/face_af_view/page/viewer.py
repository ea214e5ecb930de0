"""One open page: its WebSocket, what goes out on it and what comes in."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

from aiohttp import WSMsgType, web

from . import protocol
from .hub import Hub
from .pacing import Pacer
from .pairing import FULL

Perform = Callable[[protocol.Act, "Viewer"], Awaitable[str]]
"""Does what a page asks for; returns the message that answers it."""

_ACTS_AT_ONCE = 8
_GLASS = 200


class Viewer:
    """Frames and texts go out in tasks of their own: a slow line delays frames, not answers.

    ``max_rate``: most frames a second, asked anew for each.
    """

    def __init__(
        self,
        socket: web.WebSocketResponse,
        hub: Hub,
        perform: Perform,
        max_rate: Callable[[], float],
        role: str,
        device_id: str = "",
        name: str = "",
    ) -> None:
        self._socket, self._hub, self._perform, self._max_rate = socket, hub, perform, max_rate
        self.role, self.device_id, self.name = role, device_id, name
        self.looking = True
        self.pacer = Pacer()
        self.glass_ms: deque[float] = deque(maxlen=_GLASS)
        """From a frame's stamp until the page has drawn it and said so."""
        self._texts: deque[str] = deque(maxlen=100)
        self._scene = ""
        self._text_ready, self._frame_ready = asyncio.Event(), asyncio.Event()
        self._last_stamp = -1
        self._last_sent = -1e9
        self._acts: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until the page goes."""
        tasks = [asyncio.ensure_future(self._send_texts()), asyncio.ensure_future(self._send_frames())]
        self._hub.add(self)
        try:
            async for message in self._socket:
                if message.type is WSMsgType.TEXT:
                    self._on_text(message.data)
                else:
                    break
        finally:
            self.looking = False
            self._hub.remove(self)
            for task in (*tasks, *self._acts):
                task.cancel()
            await asyncio.gather(*tasks, *self._acts, return_exceptions=True)

    async def close(self) -> None:
        await self._socket.close(code=4001, message=b"thrown out")

    def tell(self, text: str) -> None:
        self._texts.append(text)
        self._text_ready.set()

    def show_scene(self, text: str) -> None:
        """A newer scene replaces one that has not gone out yet."""
        if self.looking:
            self._scene = text
            self._text_ready.set()

    def wake(self) -> None:
        """There is a newer frame, or the last one has arrived."""
        self._frame_ready.set()

    async def _send_texts(self) -> None:
        while True:
            await self._text_ready.wait()
            self._text_ready.clear()
            scene, self._scene = self._scene, ""
            try:
                while self._texts:
                    await self._socket.send_str(self._texts.popleft())
                if scene:
                    await self._socket.send_str(scene)
            except (ConnectionError, RuntimeError):
                return

    async def _send_frames(self) -> None:
        while True:
            await self._frame_ready.wait()
            self._frame_ready.clear()
            if not (self.looking and self.pacer.ready):
                continue
            # a little early rather than a frame late: camera and limit are often the same rate
            early = 0.8 / self._max_rate() - (time.monotonic() - self._last_sent)
            if early > 0:
                await asyncio.sleep(early)
            frame = self._hub.frame
            if frame is None or frame.stamp_ns == self._last_stamp:
                continue
            made = await self._hub.encode(self.pacer.rung)
            if made is None or not self.looking:
                continue
            frame, jpeg, width, height = made
            now = time.monotonic()
            self._last_stamp, self._last_sent = frame.stamp_ns, now
            age_s = (self._hub.now_ns() - frame.stamp_ns) / 1e9
            number = self.pacer.sent(now)
            try:
                await self._socket.send_bytes(protocol.frame(number, width, height, age_s, frame.stamp_ns, jpeg))
            except (ConnectionError, RuntimeError):
                return

    def _on_text(self, text: str) -> None:
        try:
            message = protocol.parse(text)
        except protocol.ProtocolError as error:
            self.tell(protocol.text("error", message=str(error)))
            return
        if isinstance(message, protocol.Drawn):
            if self.pacer.drawn(message.number, time.monotonic()) is not None:
                self.glass_ms.append((self._hub.now_ns() - self._last_stamp) / 1e6)
            self.wake()
        elif isinstance(message, protocol.View):
            self.pacer.wanted_width = message.width
            if message.looking != self.looking:
                self.looking = message.looking
                self._hub.look()
                self.wake()
        elif self.role != FULL:
            self._answer(message, ok=False, message="view_only")
        elif len(self._acts) >= _ACTS_AT_ONCE:
            self._answer(message, ok=False, message="too many orders at once; wait for the answers")
        else:
            task = asyncio.ensure_future(self._act(message))
            self._acts.add(task)
            task.add_done_callback(self._acts.discard)

    async def _act(self, act: protocol.Act) -> None:
        self.tell(await self._perform(act, self))

    def _answer(self, act: protocol.Act, *, ok: bool, message: str) -> None:
        self.tell(protocol.text("answer", id=act.id, ok=ok, message=message))
