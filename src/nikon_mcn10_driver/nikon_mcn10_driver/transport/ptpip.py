"""PTP over TCP: two connections to the camera's port 15740, one for operations and one for events."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
import uuid
from collections.abc import Sequence

from ..ptp import Event, FormatError, Reader, ip
from ..ptp.ip import PacketAssembler, PacketType
from .address import address_text, bare_host
from .base import EVENTS_S, MAX_EVENTS, MAX_STALE, Deadline, DeviceGone, Reply, TransportError

CONNECT_TIMEOUT = 3.0
_CHUNK = 1 << 16
_PART = 1 << 20
"""Bytes of a data phase in one packet."""

_FAIL_REASONS = {1: "the camera rejects this computer (pair it first)", 2: "the camera is busy with another program"}


class PtpIpTransport:
    """One PTP/IP connection. ``guid`` is how the camera recognises this computer."""

    name = "ptpip"

    def __init__(self, host: str, port: int = ip.PORT, guid: bytes | None = None) -> None:
        self._address = (bare_host(host), port)
        # the camera keys its pairing to this, so it must be the same tomorrow
        self._hello = ip.Hello(
            guid or uuid.uuid5(uuid.NAMESPACE_DNS, f"face_af.{socket.gethostname()}").bytes, "face_af"
        )
        self._interrupted = threading.Event()
        self._command: socket.socket | None = None
        self._event: socket.socket | None = None
        self._packets = PacketAssembler()
        self._event_packets = PacketAssembler()
        self.written_at = 0.0

    def connect(self) -> None:
        deadline = Deadline(CONNECT_TIMEOUT, self._interrupted, "the camera's answer to the connection")
        self._command = self._open()
        self._send(self._command, ip.init_command_request(self._hello).encode(), deadline)
        answer = self._receive(self._command, self._packets, deadline)
        with self._format_errors():
            if answer.type == PacketType.INIT_FAIL:
                reason = Reader(answer.payload).u32()
                raise TransportError(_FAIL_REASONS.get(reason, f"the camera refuses the connection (reason {reason})"))
            if answer.type != PacketType.INIT_COMMAND_ACK:
                raise FormatError(f"{answer.type.name} instead of an acknowledgement")
            connection, _ = ip.read_init_command_ack(answer)
        self._event = self._open()
        request = ip.Packet(PacketType.INIT_EVENT_REQUEST, connection.to_bytes(4, "little"))
        self._send(self._event, request.encode(), deadline)
        answer = self._receive(self._event, self._event_packets, deadline)
        if answer.type != PacketType.INIT_EVENT_ACK:
            raise TransportError(f"the camera refuses the event connection ({answer.type.name})")

    def transact(
        self,
        code: int,
        transaction_id: int,
        params: Sequence[int] = (),
        data_out: bytes | None = None,
        timeout: float = 3.0,
    ) -> Reply:
        command = self._connected(self._command)
        deadline = Deadline(timeout, self._interrupted, f"the answer to operation 0x{code:04X}")
        phase = ip.DataPhase.NONE_OR_IN if data_out is None else ip.DataPhase.OUT
        with self._format_errors():
            out = [ip.OperationRequest(code, transaction_id, tuple(params), phase).encode()]
            if data_out is not None:
                out.append(ip.start_data(transaction_id, len(data_out)).encode())
                parts = [data_out[i : i + _PART] for i in range(0, len(data_out), _PART)] or [b""]
                last = len(parts) - 1
                out += [ip.data(transaction_id, part, i == last).encode() for i, part in enumerate(parts)]
        self._send(command, b"".join(out), deadline)
        self.written_at = time.monotonic()
        with self._format_errors():
            return self._reply(command, transaction_id, deadline)

    def _reply(self, command: socket.socket, transaction_id: int, deadline: Deadline) -> Reply:
        data = bytearray()
        expected: int | None = None
        stale = 0
        while True:
            packet = self._receive(command, self._packets, deadline)
            if packet.type == PacketType.OPERATION_RESPONSE:
                response = ip.CodeAndParams.read(packet)
                if response.transaction_id == transaction_id:
                    return Reply(response.code, response.params, bytes(data))
                got, last = response.transaction_id, True
            elif packet.type == PacketType.START_DATA:
                got, total = ip.read_start_data(packet)
                if got == transaction_id:
                    expected = total
                    continue
                last = False
            elif packet.type in (PacketType.DATA, PacketType.END_DATA):
                got, part = ip.read_data(packet)
                if got == transaction_id:
                    data += part
                    if expected is None or len(data) > expected:
                        raise FormatError("more data than the camera had announced")
                    if packet.type == PacketType.END_DATA and expected not in (len(data), ip.MAX_DATA):
                        raise FormatError(f"{len(data)} bytes of data instead of {expected}")
                    continue
                last = False
            elif packet.type in (PacketType.PROBE_REQUEST, PacketType.PROBE_RESPONSE):
                if packet.type == PacketType.PROBE_REQUEST:
                    self._send(command, ip.Packet(PacketType.PROBE_RESPONSE).encode(), deadline)
                continue
            else:
                raise FormatError(f"{packet.type.name} on the command connection")
            if got > transaction_id:
                raise FormatError(f"an answer to transaction {got}, {transaction_id} was asked")
            stale += last
            if stale > MAX_STALE:
                raise FormatError("only answers to earlier transactions")

    def events(self) -> list[Event]:
        connection = self._connected(self._event)
        found: list[Event] = []
        end = time.monotonic() + EVENTS_S
        while len(found) < MAX_EVENTS and time.monotonic() < end and select.select([connection], [], [], 0)[0]:
            self._event_packets.feed(self._read(connection))
            with self._format_errors():
                while (packet := self._event_packets.pop()) is not None:
                    if packet.type == PacketType.EVENT:
                        event = ip.CodeAndParams.read(packet)
                        found.append(Event(event.code, event.params))
                    elif packet.type == PacketType.PROBE_REQUEST:
                        deadline = Deadline(1.0, self._interrupted, "room for a probe's answer")
                        self._send(connection, ip.Packet(PacketType.PROBE_RESPONSE).encode(), deadline)
        return found

    def reset(self) -> bool:
        return False

    def interrupt(self) -> None:
        self._interrupted.set()

    def close(self) -> None:
        for connection in (self._command, self._event):
            if connection is not None:
                with contextlib.suppress(OSError):
                    connection.close()
        self._command = self._event = None

    @staticmethod
    def _connected(connection: socket.socket | None) -> socket.socket:
        if connection is None:
            raise DeviceGone("not connected")
        return connection

    def _open(self) -> socket.socket:
        try:
            connection = socket.create_connection(self._address, timeout=CONNECT_TIMEOUT)
        except OSError as error:
            raise DeviceGone(f"no camera at {address_text(*self._address)} ({error.strerror or error})") from error
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        return connection

    def _send(self, connection: socket.socket, data: bytes, deadline: Deadline) -> None:
        view = memoryview(data)
        while view:
            try:
                view = view[connection.send(view) :]
            except BlockingIOError:
                select.select([], [connection], [], deadline.slice())
            except OSError as error:
                raise DeviceGone(f"connection lost while writing ({error.strerror})") from error

    def _receive(self, connection: socket.socket, packets: PacketAssembler, deadline: Deadline) -> ip.Packet:
        with self._format_errors():
            while (packet := packets.pop()) is None:
                if select.select([connection], [], [], deadline.slice())[0]:
                    packets.feed(self._read(connection))
        return packet

    @staticmethod
    def _read(connection: socket.socket) -> bytes:
        try:
            data = connection.recv(_CHUNK)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise DeviceGone(f"connection lost ({error.strerror})") from error
        if not data:
            raise DeviceGone("the camera has closed the connection")
        return data

    @staticmethod
    @contextlib.contextmanager
    def _format_errors():  # type: ignore[no-untyped-def]
        try:
            yield
        except FormatError as error:
            raise TransportError(f"the camera sent something that is not PTP/IP: {error}") from error
