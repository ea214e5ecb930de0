"""Asks for one button after the other while a sniffer's stream comes in."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import BinaryIO, cast

from .packets import CaptureError
from .reader import Capture, read_stream
from .runs import QUIET
from .transactions import Transaction

_KEEP_UP_S = 30.0
"""Seconds that the reader has to catch up with the stream when a part is done."""


class _Watched:
    """A stream that knows whether its reader waits for more: then everything that has come is read.

    ``arrived``: time of the newest packet, seconds of the capture.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.waiting = False
        self.arrived = 0.0

    def read(self, size: int = -1) -> bytes:
        return self._read(self._stream.read, size)

    def read1(self, size: int = -1) -> bytes:
        return self._read(getattr(self._stream, "read1", self._stream.read), size)

    def _read(self, read: Callable[[int], bytes], size: int) -> bytes:
        self.waiting = True
        data = read(size)
        self.waiting = False
        return data

    def saw(self, at: float) -> None:
        self.arrived = at

    def reached(self, reader: threading.Thread) -> float:
        """``arrived`` once the reader has kept up: it is found waiting twice in a row."""
        end, seen = time.monotonic() + _KEEP_UP_S, 0
        while seen < 2 and reader.is_alive() and time.monotonic() < end:
            seen = seen + 1 if self.waiting else 0
            time.sleep(0.05)
        return self.arrived


def record(
    stream: BinaryIO, buttons: Sequence[str], ask: Callable[[str], None] | None = None
) -> dict[str, list[Capture]]:
    """Recordings by name, cut out of one stream where the user said that a part was done.

    ``ask`` shows a text and returns when the user is done (default: Return on the terminal). The stream must end, or is
    left when the last part is done.
    """
    result: list[Capture | CaptureError] = []
    watched = _Watched(stream)

    def read() -> None:
        try:
            result.append(read_stream(cast(BinaryIO, watched), "recording", watch=watched.saw))
        except CaptureError as error:
            result.append(error)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    ask = ask or _terminal()
    borders: list[tuple[str, float]] = []
    ask("Switch the grip on, and touch nothing for fifteen seconds")
    borders.append((QUIET, watched.reached(reader)))
    for button in buttons:
        ask(f"Switch the grip off and on, wait, press {button.upper()} ten times, slowly, with pauses of two seconds")
        borders.append((button, watched.reached(reader)))
    ask("End the recording in the sniffer's program")
    reader.join(timeout=_KEEP_UP_S)
    if not result:
        raise CaptureError("the stream has not ended; stop the sniffer, then press Return")
    if isinstance(result[0], CaptureError):
        raise result[0]
    return cut(result[0], borders)


def cut(capture: Capture, borders: Sequence[tuple[str, float]]) -> dict[str, list[Capture]]:
    """Parts of one capture: each reaches up to its time (seconds of the capture)."""
    parts: dict[str, list[Capture]] = {}
    rest: list[Transaction] = list(capture.transactions)
    for name, end in borders:
        mine = [t for t in rest if t.time <= end]
        rest = [t for t in rest if t.time > end]
        part = Capture(f"{name} of the recording", mine, [], capture.seen, list(capture.problems), capture.timed)
        parts.setdefault(name, []).append(part)
        capture.problems = []
    return parts


def _terminal() -> Callable[[str], None]:
    """Standard input is the capture, so that the keys come from the terminal itself."""
    try:
        keys = open("/dev/tty", encoding="utf-8")  # noqa: SIM115 - open as long as it asks
    except OSError as error:
        raise CaptureError("--record needs a terminal to ask on") from error

    def ask(text: str) -> None:
        print(f"{text}, then press Return … ", end="", file=sys.stderr, flush=True)
        keys.readline()

    return ask
