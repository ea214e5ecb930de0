"""Opens a capture of whatever kind and gives the PTP transactions in it."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from ..ptp import DeviceInfo, FormatError, OperationCode
from .packets import CaptureError, PacketFile, is_packet_file
from .texts import hexadecimal_transfers, is_total_phase, total_phase_transfers
from .transactions import CameraEvent, Dialogue, Dialogues, Transaction
from .transfers import Seen, Transfer, transfers

NIKON = 0x04B0


@dataclass
class Capture:
    """What one file holds. ``problems``: what could not be read, for a person; ``timed``: whether its times are
    real."""

    name: str
    transactions: list[Transaction] = field(default_factory=list)
    events: list[CameraEvent] = field(default_factory=list)
    seen: Seen = field(default_factory=Seen)
    problems: list[str] = field(default_factory=list)
    timed: bool = True
    device: int = 0

    @property
    def info(self) -> DeviceInfo | None:
        """What the camera said of itself, where the capture has it."""
        for transaction in self.transactions:
            if transaction.operation == OperationCode.GET_DEVICE_INFO and transaction.reply:
                try:
                    return DeviceInfo.decode(transaction.reply)
                except FormatError:
                    continue
        return None


def read_capture(path: str | Path, device: int | None = None) -> Capture:
    """The transactions of the file ``path``; :class:`CaptureError` begins with its name.

    ``device``: the address of the camera, needed only where several devices talk PTP.
    """
    name = Path(path).name
    try:
        with Path(path).open("rb") as stream:
            return read_stream(stream, name, device)
    except OSError as error:
        raise CaptureError(f"{name}: {error.strerror or error}") from error


def read_stream(
    stream: BinaryIO, name: str, device: int | None = None, watch: Callable[[float], None] | None = None
) -> Capture:
    """The same from an open stream, which may be a pipe. ``watch`` is told the time of everything that arrives."""
    capture = Capture(name)
    dialogues = Dialogues()
    try:
        dialogues.feed(_watched(stream_transfers(stream, capture), watch))
    except CaptureError as error:
        raise CaptureError(f"{name}: {error}") from error
    if dialogues.full:
        capture.problems.append(f"only the first {sum(len(d.transactions) for d in dialogues.found()):,} transactions")
    _choose(capture, dialogues, device)
    return capture


def _watched(found: Iterator[Transfer], watch: Callable[[float], None] | None) -> Iterator[Transfer]:
    for transfer in found:
        if watch is not None:
            watch(transfer.time)
        yield transfer


def stream_transfers(stream: BinaryIO, capture: Capture) -> Iterator[Transfer]:
    """Transfers of a stream of any known kind; what is wrong with it goes to ``capture.problems``."""
    start = stream.read(4)
    if not start:
        raise CaptureError("the file is empty")
    if is_packet_file(start):
        file = PacketFile(stream, start)
        yield from transfers(file, capture.seen)
        if file.problem:
            capture.problems.append(file.problem)
        if capture.seen.foreign:
            capture.problems.append(f"{capture.seen.foreign:,} packets are no USB packets and were left out")
        return
    start += stream.read(4092)
    if b"\0" in start:
        raise CaptureError("this is no capture: neither pcap, pcapng, Total Phase CSV nor hexadecimal lines")
    text = io.TextIOWrapper(io.BufferedReader(_Rest(start, stream)), "utf-8", errors="replace")
    if is_total_phase(start.decode("utf-8", "replace")):
        yield from total_phase_transfers(text, capture.seen, capture.problems)
        return
    lines = 0
    times = set()
    for transfer in hexadecimal_transfers(text, capture.problems):
        lines += 1
        times.add(transfer.time)
        if len(times) > 2:
            times.pop()
        yield transfer
    capture.timed = len(times) > 1
    if not lines:
        raise CaptureError("this is no capture: neither pcap, pcapng, Total Phase CSV nor hexadecimal lines")
    if len(capture.problems) > 10:
        capture.problems[10:] = [f"and {len(capture.problems) - 10:,} more lines like these"]


class _Rest(io.RawIOBase):
    """A stream with the bytes put back that have been read from it."""

    def __init__(self, start: bytes, stream: BinaryIO) -> None:
        self._start, self._stream = start, stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]
        data = self._start[: len(buffer)] or self._stream.read(len(buffer))
        self._start = self._start[len(data) :]
        buffer[: len(data)] = data
        return len(data)


def _choose(capture: Capture, dialogues: Dialogues, device: int | None) -> None:
    found = dialogues.found()
    if device is not None:
        found = [dialogue for dialogue in found if dialogue.device & 0xFF == device]
    if not found:
        where = f"from device {device} " if device is not None else ""
        raise CaptureError(
            f"{capture.name}: no PTP {where}in it; {capture.seen.packets:,} packets were read"
            + (f" ({capture.problems[0]})" if capture.problems else "")
        )
    nikon = [d for d in found if dialogues.vendors.get(d.device, (0, 0))[0] == NIKON or _says_nikon(d)]
    chosen = _one_after_another(nikon or found)
    if chosen is None:
        addresses = ", ".join(str(dialogue.device & 0xFF) for dialogue in nikon or found)
        raise CaptureError(f"{capture.name}: devices {addresses} talk PTP; choose one with --device")
    capture.device = chosen[0].device
    for dialogue in chosen:
        capture.transactions += dialogue.transactions
        capture.events += dialogue.events


def _says_nikon(dialogue: Dialogue) -> bool:
    needle = "Nikon".encode("utf-16-le")
    return any(t.operation == OperationCode.GET_DEVICE_INFO and needle in t.reply for t in dialogue.transactions)


def _one_after_another(found: list[Dialogue]) -> list[Dialogue] | None:
    """A camera that was plugged in again has a new address; devices that talk at the same time are several."""
    ordered = sorted(found, key=lambda dialogue: dialogue.transactions[0].time)
    for before, after in itertools.pairwise(ordered):
        if before.transactions[-1].time > after.transactions[0].time:
            return None
    return ordered
