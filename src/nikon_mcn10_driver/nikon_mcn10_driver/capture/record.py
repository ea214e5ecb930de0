"""Asks for one button after the other while a sniffer's stream comes in."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from typing import BinaryIO

from .packets import CaptureError
from .reader import Capture, read_stream
from .runs import QUIET
from .transactions import Transaction


def record(
    stream: BinaryIO, buttons: Sequence[str], ask: Callable[[str], None] | None = None
) -> dict[str, list[Capture]]:
    """Recordings by name, cut out of one stream where the user said that a part was done.

    ``ask`` shows a text and returns when the user is done (default: Return on the terminal). The stream must end, or is
    left when the last part is done.
    """
    result: list[Capture | CaptureError] = []
    arrived: list[float] = [0.0]

    def read() -> None:
        try:
            result.append(read_stream(stream, "recording", watch=lambda time: arrived.__setitem__(0, time)))
        except CaptureError as error:
            result.append(error)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    ask = ask or _terminal()
    borders: list[tuple[str, float]] = []
    ask("Switch the grip on, and touch nothing for fifteen seconds")
    borders.append((QUIET, arrived[0]))
    for button in buttons:
        ask(f"Switch the grip off and on, wait, press {button.upper()} ten times, slowly, with pauses of two seconds")
        borders.append((button, arrived[0]))
    ask("End the recording in the sniffer's program")
    reader.join(timeout=30.0)
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
