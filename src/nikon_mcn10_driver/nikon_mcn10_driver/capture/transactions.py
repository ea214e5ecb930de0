"""PTP transactions out of USB transfers, also where a capture begins in the middle of one or has lost pieces."""

from __future__ import annotations

import itertools
import struct
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from ..ptp import ContainerType, OperationCode
from ..ptp.container import HEADER_SIZE, MAX_CONTAINER, UNKNOWN_LENGTH
from .transfers import UNKNOWN, Transfer

KEPT = 4096
"""Bytes kept of what the camera sends in one data phase; live-view images are not needed whole."""

LOST = -1
"""An operation or a response that the capture has lost."""

_COMMAND, _DATA, _RESPONSE, _EVENT = (int(kind) for kind in ContainerType)
_HEADER = struct.Struct("<IHHI")
_LONGEST = {_COMMAND: 32, _RESPONSE: 32, _EVENT: 24}

TO_CAMERA = frozenset(
    (0x100C, 0x100D, OperationCode.SET_DEVICE_PROP_VALUE, OperationCode.NIKON_SET_DEVICE_PROP_VALUE_EX)
)
"""Standard operations whose data phase goes to the camera; needed only where a capture has no directions."""


@dataclass(slots=True)
class Transaction:
    """One operation as it went over the wire. Times in seconds; ``number``: of its first packet in the capture.

    ``params`` None: the command was lost. ``data``: what the host sent, None for no such phase; ``reply``: what the
    camera
    sent, at most :data:`KEPT` bytes. ``damaged``: bytes of a data phase are missing. ``unsure``: nobody knows which
    way its data went.
    """

    time: float
    number: int
    tid: int
    operation: int = LOST
    params: tuple[int, ...] | None = None
    data: bytes | None = None
    reply: bytes = b""
    response: int = LOST
    response_params: tuple[int, ...] = ()
    end: float = 0.0
    damaged: bool = False
    unsure: bool = False

    @property
    def sent_whole(self) -> bool:
        """Whether everything that the host sent is known."""
        return self.params is not None and not self.damaged and not self.unsure


class CameraEvent(NamedTuple):
    """What the camera said by itself."""

    time: float
    number: int
    code: int
    params: tuple[int, ...]


class _Piece(NamedTuple):
    """A container, or what is left of one."""

    time: float
    number: int
    end: float
    kind: int
    code: int
    tid: int
    payload: bytes
    whole: bool
    to_host: bool | None


def _header(data: bytes) -> tuple[int, int, int, int] | None:
    """Length, type, code and transaction of a container that can begin here."""
    if len(data) < HEADER_SIZE:
        return None
    length, kind, code, tid = _HEADER.unpack_from(data)
    if kind == _DATA:
        if length != UNKNOWN_LENGTH and not HEADER_SIZE <= length <= MAX_CONTAINER:
            return None
    elif kind not in _LONGEST or not HEADER_SIZE <= length <= _LONGEST[kind] or length % 4:
        return None
    if kind in (_COMMAND, _DATA) and not 0x1000 <= code <= 0xBFFF:
        return None
    if kind == _RESPONSE and not 0x2000 <= code <= 0xBFFF:
        return None
    return length, kind, code, tid


class _Stream:
    """Containers of one endpoint."""

    __slots__ = ("_have", "_payload", "_piece", "_to_host", "_wanted", "_whole")

    def __init__(self, to_host: bool | None) -> None:
        self._to_host = to_host
        self._piece: Transfer | None = None
        self._payload = bytearray()
        self._wanted = self._have = 0
        self._whole = True

    def feed(self, transfer: Transfer) -> Iterator[_Piece]:
        """The containers that end with this transfer."""
        data = transfer.data
        if self._piece is not None:
            fresh = _header(data) if len(data) <= 32 else None
            if fresh is not None and fresh[0] == len(data) and fresh[1] != _DATA:
                # a whole command, response or event where the rest of a data phase should be
                self._whole = False
                yield self._end(transfer)
            else:
                self._whole &= not transfer.gap
        while data:
            if self._piece is None and not self._begin(transfer, data):
                return
            rest = self._wanted - self._have
            self._add(data[:rest])
            data = data[rest:]
            header_alone = self._have == HEADER_SIZE == len(transfer.data)
            if self._have < self._wanted and (header_alone or not transfer.short):
                return
            self._whole &= self._have == self._wanted or self._wanted == UNKNOWN_LENGTH
            yield self._end(transfer)
        if self._piece is not None and transfer.short:
            # a zero-length packet ends what the length did not
            self._whole &= self._wanted == UNKNOWN_LENGTH
            yield self._end(transfer)

    def _begin(self, transfer: Transfer, data: bytes) -> bool:
        """Whether a container begins with ``data``."""
        head = _header(data)
        if head is None or (self._to_host is not None and head[1] != _DATA and (head[1] == _COMMAND) == self._to_host):
            return False
        if head[1] != _DATA and len(data) < head[0]:
            # commands, responses and events always fit into one packet
            return False
        self._piece, self._wanted, self._have = transfer, head[0], 0
        self._payload.clear()
        self._whole = True
        return True

    def _add(self, data: bytes) -> None:
        self._have += len(data)
        room = KEPT + HEADER_SIZE - len(self._payload)
        if self._to_host is False:
            room = MAX_CONTAINER - len(self._payload)
        self._payload += data[: max(0, room)]

    def _end(self, transfer: Transfer) -> _Piece:
        assert self._piece is not None
        first, self._piece = self._piece, None
        raw = bytes(self._payload)
        _, kind, code, tid = _HEADER.unpack_from(raw)
        return _Piece(
            first.time, first.number, transfer.time, kind, code, tid, raw[HEADER_SIZE:], self._whole, self._to_host
        )


def _params(payload: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(payload) // 4}I", payload[: len(payload) // 4 * 4])


@dataclass
class Dialogue:
    """The transactions with one device, in order."""

    device: int
    transactions: list[Transaction] = field(default_factory=list)
    events: list[CameraEvent] = field(default_factory=list)
    complete: int = 0
    """Transactions with a command and its own response."""
    towards: dict[int, bool] = field(default_factory=dict)
    """Whether an operation's data goes to the camera, where it was seen."""
    _open: Transaction | None = None

    def take(self, piece: _Piece) -> None:
        now = self._open
        if piece.kind == _EVENT:
            self.events.append(CameraEvent(piece.time, piece.number, piece.code, _params(piece.payload)))
        elif piece.kind == _COMMAND:
            newest = now or (self.transactions[-1] if self.transactions else None)
            if newest is not None and newest.tid == piece.tid and newest.operation in (piece.code, LOST):
                # a retry whose first try was seen too
                if newest.params is None:
                    newest.operation, newest.params = piece.code, _params(piece.payload)
                return
            self._close()
            params = _params(piece.payload)
            self._open = Transaction(piece.time, piece.number, piece.tid, piece.code, params, end=piece.end)
        elif piece.kind == _DATA:
            if now is None or now.tid != piece.tid or now.operation not in (piece.code, LOST):
                self._close()
                now = self._open = Transaction(piece.time, piece.number, piece.tid)
            now.operation = piece.code
            now.end = piece.end
            now.damaged |= not piece.whole
            self._data_phase(now, piece)
        else:
            if now is None and self.transactions and self.transactions[-1].tid == piece.tid:
                return
            if now is None or now.tid != piece.tid:
                self._close()
                now = self._open = Transaction(piece.time, piece.number, piece.tid)
            now.response, now.response_params, now.end = piece.code, _params(piece.payload), piece.end
            self._close()

    def _data_phase(self, transaction: Transaction, piece: _Piece) -> None:
        to_host = piece.to_host
        if to_host is None and piece.code in self.towards:
            to_host = not self.towards[piece.code]
        if to_host is None:
            known = piece.code in TO_CAMERA or piece.code in OperationCode._value2member_map_
            to_host = piece.code not in TO_CAMERA
            transaction.unsure = not known
        else:
            self.towards[piece.code] = not to_host
        if to_host:
            transaction.reply = piece.payload[:KEPT]
        else:
            transaction.data = piece.payload

    def doubt(self) -> None:
        """Something that the host sent was lost: perhaps the data of the newest operation."""
        newest = self._open or (self.transactions[-1] if self.transactions else None)
        if newest is not None and newest.data is None:
            newest.damaged = True

    def _close(self) -> None:
        if self._open is not None:
            self.complete += self._open.params is not None and self._open.response != LOST
            self.transactions.append(self._open)
            self._open = None

    def finish(self) -> None:
        self._close()


MAX_TRANSACTIONS = 200_000
"""More than hours of a grip's traffic; a recording is read no further, to bound the memory."""


class Dialogues:
    """Sorts transfers by device and makes transactions of them."""

    def __init__(self) -> None:
        self._streams: dict[tuple[int, int], _Stream] = {}
        self._pieces: dict[int, Dialogue] = {}
        self._newest = UNKNOWN
        self.vendors: dict[int, tuple[int, int]] = {}
        self.full = False

    def feed(self, all_transfers: Iterable[Transfer]) -> None:
        for transfer in all_transfers:
            self.take(transfer)
            if self.full:
                break
        for dialogue in self._pieces.values():
            dialogue.finish()

    def take(self, transfer: Transfer) -> None:
        device, endpoint, data = transfer.device, transfer.endpoint, transfer.data
        if endpoint & 0x7F == 0 and endpoint != UNKNOWN:
            if endpoint & 0x80 and len(data) >= 12 and data[:2] == b"\x12\x01":
                self.vendors[device] = struct.unpack_from("<HH", data, 8)
            return
        if endpoint == UNKNOWN and device == UNKNOWN:
            self._orphan(transfer)
            return
        stream = self._streams.get((device, endpoint))
        if stream is None:
            to_host = None if endpoint == UNKNOWN else bool(endpoint & 0x80)
            stream = self._streams[device, endpoint] = _Stream(to_host)
        if transfer.gap and not endpoint & 0x80 and device in self._pieces:
            self._pieces[device].doubt()
        for piece in stream.feed(transfer):
            dialogue = self._pieces.get(device)
            if dialogue is None:
                dialogue = self._pieces[device] = Dialogue(device)
            dialogue.take(piece)
            self._newest = device
            if len(dialogue.transactions) >= MAX_TRANSACTIONS:
                self.full = True

    def _orphan(self, transfer: Transfer) -> None:
        """Data without its token: a small container says itself where it belongs."""
        head = _header(transfer.data)
        if head is None or head[0] != len(transfer.data) or self._newest == UNKNOWN:
            return
        for piece in _Stream(None).feed(transfer):
            self._pieces[self._newest].take(piece)

    def found(self) -> list[Dialogue]:
        """Devices that talk PTP, the most talkative first."""
        talking = [dialogue for dialogue in self._pieces.values() if dialogue.complete >= 2]
        return sorted(talking, key=lambda dialogue: -dialogue.complete)


def missing_between(before: Transaction, after: Transaction) -> int:
    """How many transactions the capture has lost between two, by their ids (which count up by one)."""
    return max(0, after.tid - before.tid - 1) if after.tid > before.tid else 0


def counts_up(transactions: list[Transaction]) -> bool:
    """Whether the transaction ids count up by one, so that a gap between them is a loss."""
    steps = Counter(b.tid - a.tid for a, b in itertools.pairwise(transactions))
    return not transactions or steps[1] >= 0.7 * max(1, sum(steps.values()))
