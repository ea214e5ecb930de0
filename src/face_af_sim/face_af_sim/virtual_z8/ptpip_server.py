"""The virtual camera's PTP/IP port."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from typing import Any

from nikon_mcn10_driver.ptp import Event, FormatError, Reader, ip
from nikon_mcn10_driver.ptp.codes import EVENT_TRANSACTION
from nikon_mcn10_driver.ptp.ip import PacketAssembler, PacketType
from nikon_mcn10_driver.transport.address import bare_host

from .answer import Answer
from .client_connections import Client, shut
from .faults import FaultKind
from .responder import VirtualZ8

_CHUNK = 1 << 16
_PART = 1 << 18
_REJECTED, _BUSY_WITH_OTHER = 1, 2
_MAX_CONNECTIONS = 8
_INIT_TIMEOUT = 5.0
_GUID = bytes(range(0x5A, 0x6A))


class _Broken(Exception):
    """The connection is over."""


class PtpIpServer:
    """Serves one :class:`VirtualZ8` to one client at a time; binds to loopback unless told otherwise.

    >>> server = PtpIpServer(VirtualZ8(controls), host="127.0.0.1", port=0)
    >>> server.start(); server.port; server.stop()

    ``port`` 0 takes a free one; after :meth:`start` it holds the real number and is kept over :meth:`stop`.
    """

    def __init__(self, camera: VirtualZ8, host: str = "127.0.0.1", port: int = ip.PORT) -> None:
        self.camera = camera
        self.host = host
        self.port = port
        self._lock = threading.Lock()
        self._listener: socket.socket | None = None
        self._threads: set[threading.Thread] = set()
        self._sockets: set[socket.socket] = set()
        self._client: Client | None = None
        self._connections = 0

    def start(self) -> None:
        """Opens the port; OSError where it is taken."""
        family, address = _resolve(self.host, self.port)
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(64)
        except OSError:
            listener.close()
            raise
        self.port = listener.getsockname()[1]
        self.camera.on_event = self._send_event
        with self._lock:
            self._listener = listener
            self._spawn(self._accept, listener)

    def stop(self) -> None:
        """Closes port and connections and ends every thread; :meth:`start` may follow."""
        with self._lock:
            listener, self._listener = self._listener, None
            threads = list(self._threads)
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self.disconnect()
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(timeout=5.0)

    def disconnect(self) -> None:
        """Breaks every connection, as pulling the cable does."""
        with self._lock:
            sockets = list(self._sockets)
        for connection in sockets:
            shut(connection)

    def _spawn(self, target, *args) -> None:  # type: ignore[no-untyped-def]
        """Under the lock, so that :meth:`stop` finds every thread, and none that has not begun."""

        def body() -> None:
            try:
                target(*args)
            finally:
                self._threads.discard(threading.current_thread())

        thread = threading.Thread(target=body, name=f"virtual_z8_{target.__name__.strip('_')}", daemon=True)
        self._threads.add(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while self._listener is listener:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                # one that comes while the port is being closed is cut like the others
                wanted = self._listener is listener and len(self._sockets) < _MAX_CONNECTIONS
                if wanted:
                    self._sockets.add(connection)
                    self._spawn(self._serve, connection)
            if not wanted:
                connection.close()

    def _serve(self, connection: socket.socket) -> None:
        packets = PacketAssembler()
        client: Client | None = None
        try:
            connection.settimeout(_INIT_TIMEOUT)
            first = self._receive(connection, packets)
            connection.settimeout(None)
            if first.type == PacketType.INIT_COMMAND_REQUEST:
                client = self._join(connection, ip.Hello.read(Reader(first.payload)))
                if client is not None:
                    self._serve_commands(client, packets)
            elif first.type == PacketType.INIT_EVENT_REQUEST:
                client = self._join_events(connection, Reader(first.payload).u32())
                if client is not None:
                    self._serve_events(connection, packets)
        except (_Broken, FormatError, OSError):
            pass
        finally:
            if client is not None:
                self._part(client)
            with self._lock:
                self._sockets.discard(connection)
            connection.close()

    def _join(self, connection: socket.socket, hello: ip.Hello) -> Client | None:
        with self._lock:
            old = self._client
            taken = old is not None and old.guid != hello.guid and not old.gone
            if not taken:
                self._connections += 1
                client = self._client = Client(hello.guid, self._connections, connection)
        if taken:
            self._refuse(connection, _BUSY_WITH_OTHER)
            return None
        if old is not None:
            # it has closed its connection, which the thread that reads it has not seen yet; or the same client comes
            # anew: then its old connection is dead, whether TCP knows it or not
            old.shut()
            self.camera.end_session()
        return client

    def _join_events(self, connection: socket.socket, number: int) -> Client | None:
        with self._lock:
            client = self._client
            if client is not None and client.number == number and client.event is None:
                # under the lock, so that no event comes before the acknowledgement or gets lost after it
                self._send(connection, ip.Packet(PacketType.INIT_EVENT_ACK).encode())
                client.event = connection
                return client
        self._refuse(connection, _REJECTED)
        return None

    def _part(self, client: Client) -> None:
        """One of the client's connections has ended, so the other one does, and the session."""
        client.shut()
        with self._lock:
            current = self._client is client
            if current:
                self._client = None
        if current:
            self.camera.end_session()

    def _serve_commands(self, client: Client, packets: PacketAssembler) -> None:
        connection = client.command
        self._send(connection, ip.init_command_ack(client.number, ip.Hello(_GUID, "Z_8_VIRTUAL")).encode())
        while True:
            packet = self._receive(connection, packets)
            if packet.type == PacketType.OPERATION_REQUEST:
                self._operate(connection, packets, ip.OperationRequest.read(packet))
            elif packet.type == PacketType.PROBE_REQUEST:
                self._send(connection, ip.Packet(PacketType.PROBE_RESPONSE).encode())

    def _operate(self, connection: socket.socket, packets: PacketAssembler, request: ip.OperationRequest) -> None:
        data = b""
        if request.data_phase == ip.DataPhase.OUT:
            data = self._receive_data(connection, packets, request.transaction_id)
        answer = self.camera.handle(request.code, request.transaction_id, request.params, data)
        self._answer(connection, request, answer)

    def _receive_data(self, connection: socket.socket, packets: PacketAssembler, transaction: int) -> bytes:
        received = bytearray()
        total: int | None = None
        while True:
            packet = self._receive(connection, packets)
            if packet.type == PacketType.START_DATA:
                total = ip.read_start_data(packet)[1]
            elif packet.type in (PacketType.DATA, PacketType.END_DATA):
                received += ip.read_data(packet)[1]
                if total is None or len(received) > total:
                    raise FormatError("more data than announced")
                if packet.type == PacketType.END_DATA:
                    return bytes(received)
            else:
                raise FormatError(f"{packet.type.name} in a data phase")

    def _answer(self, connection: socket.socket, request: ip.OperationRequest, answer: Answer) -> None:
        faults, operation, transaction = self.camera.faults, request.code, request.transaction_id
        if faults.take(FaultKind.SILENCE, operation):
            return
        garbage = faults.take(FaultKind.GARBAGE, operation)
        if garbage is not None:
            self._send(connection, os.urandom(max(1, garbage.value)))
            return
        out = b""
        if faults.take(FaultKind.STALE_REPLY, operation):
            out += ip.CodeAndParams(0x2001, max(0, transaction - 1)).encode(PacketType.OPERATION_RESPONSE)
        if faults.take(FaultKind.FOREIGN_REPLY, operation):
            transaction += 1000
        if answer.data is not None:
            out += ip.start_data(transaction, len(answer.data)).encode()
            parts = [answer.data[i : i + _PART] for i in range(0, len(answer.data), _PART)] or [b""]
            for i, part in enumerate(parts):
                out += ip.data(transaction, part, i == len(parts) - 1).encode()
        out += ip.CodeAndParams(answer.code, transaction, answer.params).encode(PacketType.OPERATION_RESPONSE)
        fragment = faults.take(FaultKind.FRAGMENT, operation)
        size = max(1, fragment.value) if fragment is not None else len(out)
        for i in range(0, len(out), size):
            self._send(connection, out[i : i + size])

    def _refuse(self, connection: socket.socket, reason: int) -> None:
        self._send(connection, ip.Packet(PacketType.INIT_FAIL, reason.to_bytes(4, "little")).encode())

    def _serve_events(self, connection: socket.socket, packets: PacketAssembler) -> None:
        while True:
            packet = self._receive(connection, packets)
            if packet.type == PacketType.PROBE_REQUEST:
                self._send(connection, ip.Packet(PacketType.PROBE_RESPONSE).encode())

    def probe(self) -> None:
        """Asks the client on the event connection whether it is still there."""
        self._send_on_event(ip.Packet(PacketType.PROBE_REQUEST).encode())

    def _send_event(self, event: Event) -> None:
        self._send_on_event(ip.CodeAndParams(event.code, EVENT_TRANSACTION, event.params[:3]).encode(PacketType.EVENT))

    def _send_on_event(self, data: bytes) -> None:
        with self._lock:
            if self._client is not None:
                self._client.send_event(data)

    def _receive(self, connection: socket.socket, packets: PacketAssembler) -> ip.Packet:
        while (packet := packets.pop()) is None:
            data = connection.recv(_CHUNK)
            if not data:
                raise _Broken
            passed = self.camera.faults.spend(len(data))
            if passed is not None:
                # what arrived in full before the break has still been carried out
                packets.feed(data[:passed])
                if (packet := packets.pop()) is not None and packet.type == PacketType.OPERATION_REQUEST:
                    request = ip.OperationRequest.read(packet)
                    if request.data_phase != ip.DataPhase.OUT:
                        self.camera.handle(request.code, request.transaction_id, request.params)
                shut(connection)
                raise _Broken
            packets.feed(data)
        return packet

    def _send(self, connection: socket.socket, data: bytes) -> None:
        passed = self.camera.faults.spend(len(data))
        connection.sendall(data if passed is None else data[:passed])
        if passed is not None:
            shut(connection)
            raise _Broken


def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, Any]:
    """Family and address to listen on; IPv4 for a name that has both. OSError where there is none."""
    found = socket.getaddrinfo(bare_host(host), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    return family, address
