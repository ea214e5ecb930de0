"""Captures that were exported as text: hexadecimal lines, and CSV from Total Phase's Data Center."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator

from .packets import CaptureError, Packet
from .transfers import UNKNOWN, Seen, Transfer, Wire

_LINK_USB_2_0 = 288
_LONGEST_LINE = 1 << 21
_COLUMNS = ("Level", "m:s.ms.us", "Dev", "Ep", "Record")
_IN_WORDS, _OUT_WORDS = frozenset(("in", "1", "d2h", "<", "<-")), frozenset(("out", "0", "h2d", ">", "->"))


def is_total_phase(start: str) -> bool:
    return "Level,Sp,Index" in start or "Total Phase" in start


def hexadecimal_transfers(lines: Iterable[str], problems: list[str]) -> Iterator[Transfer]:
    """One transfer a line: ``HEX``, ``TIME HEX`` or ``TIME in|out HEX``; TIME in seconds with a decimal point.

    ``tshark -T fields -e frame.time_relative -e usb.endpoint_address.direction -e usb.capdata`` writes the third
    kind. Lines that are none are named in ``problems`` and left out.
    """
    time = 0.0
    for number, line in enumerate(lines, 1):
        words = line[:_LONGEST_LINE].replace(",", " ").split()
        if not words or words[0].startswith("#"):
            continue
        endpoint = UNKNOWN
        if "." in words[0]:
            try:
                time = float(words.pop(0))
            except ValueError:
                problems.append(f"line {number}: not hexadecimal")
                continue
            if words and words[0].lower() in _IN_WORDS | _OUT_WORDS:
                endpoint = 0x81 if words.pop(0).lower() in _IN_WORDS else 0x01
        try:
            data = bytes.fromhex("".join(words).replace(":", ""))
        except ValueError:
            problems.append(f"line {number}: not hexadecimal")
            continue
        if data:
            yield Transfer(time, number, 0, endpoint, data, True, False)


def total_phase_transfers(lines: Iterable[str], seen: Seen, problems: list[str]) -> Iterator[Transfer]:
    """Transactions, or the packets below them where they were exported too."""
    wire = Wire(seen)
    columns: dict[str, int] = {}
    previous: tuple[int, Transfer] | None = None
    for number, line in enumerate(lines, 1):
        text = line.lstrip("# ").rstrip("\r\n")
        if text.startswith("Level,"):
            columns = {name: i for i, name in enumerate(text.split(","))}
            missing = [name for name in _COLUMNS if name not in columns]
            if missing:
                raise CaptureError(f"the CSV has no column {missing[0]}; export it with Data Center's default columns")
            continue
        if not columns or line.startswith("#") or not text:
            continue
        try:
            row = next(csv.reader([text]))
            level, time = int(row[columns["Level"]]), _seconds(row[columns["m:s.ms.us"]])
        except (csv.Error, StopIteration, IndexError, ValueError):
            problems.append(f"line {number}: no row of this CSV")
            continue
        seen.packets += 1
        if previous is not None and level <= previous[0]:
            yield previous[1]
        previous = None
        record = row[columns["Record"]] if columns["Record"] < len(row) else ""
        data = _row_bytes(row, columns)
        if record.endswith("packet") and data:
            yield from wire.take(Packet(time, _LINK_USB_2_0, data, True), number)
        elif (way := re.match(r"(IN|OUT) txn", record)) and data:
            transfer = _transaction(row, columns, time, number, way[1] == "IN", data)
            if transfer is not None:
                previous = (level, transfer)
    if previous is not None:
        yield previous[1]
    yield from wire.finish()
    if not columns:
        raise CaptureError("the CSV has no line that names its columns (# Level,Sp,Index,…)")


def _transaction(
    row: list[str], columns: dict[str, int], time: float, number: int, to_host: bool, data: bytes
) -> Transfer | None:
    if "NAK" in row[columns["Record"]]:
        return None
    try:
        device, endpoint = int(row[columns["Dev"]], 10), int(row[columns["Ep"]], 10) & 15
    except (ValueError, IndexError):
        return None
    short = len(data) not in (64, 512, 1024)
    return Transfer(time, number, device, endpoint | (0x80 if to_host else 0), data, short, False)


def _row_bytes(row: list[str], columns: dict[str, int]) -> bytes:
    for name in ("Data", "Summary"):
        at = columns.get(name, len(row))
        if at < len(row) and re.fullmatch(r"\s*[0-9A-Fa-f]{2}(\s+[0-9A-Fa-f]{2})*\s*", row[at], re.ASCII):
            return bytes.fromhex(row[at])
    return b""


def _seconds(text: str) -> float:
    """``m:s.ms.us`` or ``m:s.ms.us.ns`` in seconds."""
    minutes, _, rest = text.partition(":")
    seconds, _, fraction = rest.partition(".")
    return int(minutes) * 60 + int(seconds) + float("0." + (fraction.replace(".", "") or "0"))
