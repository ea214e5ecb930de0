"""The virtual camera's USB side: endpoints, halts, packets, class requests."""

from __future__ import annotations

import errno
import os
import struct
import threading
import time
from collections import deque

import usb.core

from nikon_mcn10_driver.ptp import Container, ContainerType, Event, FormatError, ResponseCode
from nikon_mcn10_driver.ptp.codes import EVENT_TRANSACTION, Z8_PRODUCT_ID
from nikon_mcn10_driver.ptp.container import HEADER_SIZE, read_header

from .answer import Answer
from .faults import FaultKind
from .responder import VirtualZ8

BULK_IN, BULK_OUT, INTERRUPT_IN = 0x81, 0x02, 0x83
_CANCEL, _EXTENDED_EVENT, _RESET, _STATUS = 0x64, 0x65, 0x66, 0x67
_BUSY_POLLS = 2
_MAX_WAITING = 4096
"""Packets on bulk-IN, events on the interrupt endpoint."""


def usb_error(number: int) -> usb.core.USBError:
    if number == errno.ETIMEDOUT:
        return usb.core.USBTimeoutError(os.strerror(number), errno=number)
    return usb.core.USBError(os.strerror(number), errno=number)


class VirtualUsbDevice:
    """One virtual camera's USB side: endpoints, halts, class requests. Thread-safe.

    ``packet``: wMaxPacketSize of the bulk endpoints. ``kernel_driver``: one is bound until it is detached.
    ``held``: another program has claimed the interface.
    """

    def __init__(self, camera: VirtualZ8, *, packet: int = 512, product: int = Z8_PRODUCT_ID, address: int = 7) -> None:
        self.camera = camera
        self.packet = packet
        self.product = product
        self.address = address
        self.kernel_driver = True
        self.held = False
        self.plugged = True
        self.claimed = False
        self._changed = threading.Condition()
        self._generation = 0
        self._packets: deque[bytes] = deque()
        self._events: deque[bytes] = deque(maxlen=_MAX_WAITING)
        self._received = bytearray()
        self._command: Container | None = None
        self._halted: set[int] = set()
        self._status = int(ResponseCode.OK)
        self._busy_polls = 0
        camera.on_event = self._on_event

    def unplug(self) -> None:
        """Pulls the cable: every transfer fails with ENODEV, also those that wait."""
        with self._changed:
            self.plugged = False
            self._generation += 1
            self.claimed = False
            self.kernel_driver = True
            self._clear()
            self._changed.notify_all()
        self.camera.end_session()

    def plug(self) -> None:
        with self._changed:
            self.plugged = True

    def leave_stale(self, data: bytes) -> None:
        """Bulk-IN data that an earlier host has not read."""
        with self._changed:
            self._transfer(data)

    def leave_half_command(self) -> None:
        """The first bytes of a command whose sender was killed."""
        with self._changed:
            self._received += struct.pack("<IHH", 16, ContainerType.COMMAND, 0x1015)

    # transfers, called by the backend

    def write(self, generation: int, data: bytes) -> int:
        with self._changed:
            self._check(generation, BULK_OUT)
            passed = self.camera.faults.spend(len(data))
            if passed is None:
                self._take(data)
                return len(data)
            self._take(data[:passed])
        self.unplug()
        raise usb_error(errno.ENODEV)

    def read(self, generation: int, size: int, timeout_ms: int) -> bytes:
        """Packets until the buffer is full or a short one ends the transfer."""
        end = time.monotonic() + timeout_ms / 1000
        data = bytearray()
        with self._changed:
            while len(data) < size:
                self._check(generation, BULK_IN)
                if not self._packets:
                    left = end - time.monotonic()
                    if left <= 0:
                        break
                    self._changed.wait(left)
                    continue
                if len(data) + len(self._packets[0]) > size:
                    raise usb_error(errno.EOVERFLOW)
                packet = self._packets.popleft()
                data += packet
                if len(packet) < self.packet:
                    return self._spend(data)
            if not data:
                raise usb_error(errno.ETIMEDOUT)
            return self._spend(data)

    def read_event(self, generation: int, size: int, timeout_ms: int) -> bytes:
        end = time.monotonic() + timeout_ms / 1000
        with self._changed:
            while True:
                self._check(generation, INTERRUPT_IN)
                if self._events:
                    return self._events.popleft()[:size]
                left = end - time.monotonic()
                if left <= 0:
                    raise usb_error(errno.ETIMEDOUT)
                self._changed.wait(left)

    def control(self, generation: int, request_type: int, request: int, value: int, data: bytes, size: int) -> bytes:
        with self._changed:
            self._check(generation, None)
            if (request_type, request) == (0x80, 6) and value >> 8 == 3:
                return self._string(value & 0xFF)[:size]
            if (request_type, request) == (0xA1, _STATUS):
                return self._device_status()[:size]
            if (request_type, request) == (0xA1, _EXTENDED_EVENT):
                raise usb_error(errno.EPIPE)
            if (request_type, request) == (0x21, _CANCEL) and len(data) == 6:
                self._clear()
                self._status, self._busy_polls = int(ResponseCode.DEVICE_BUSY), _BUSY_POLLS
                return b""
            if (request_type, request) == (0x21, _RESET):
                self._clear()
                self._status, self._busy_polls = int(ResponseCode.DEVICE_BUSY), 1
                self.camera.end_session()
                return b""
        raise usb_error(errno.EPIPE)

    def clear_halt(self, generation: int, endpoint: int) -> None:
        with self._changed:
            self._check(generation, None)
            self._halted.discard(endpoint)

    # inside the camera

    def _check(self, generation: int, endpoint: int | None) -> None:
        if not self.plugged or generation != self._generation:
            raise usb_error(errno.ENODEV)
        if endpoint in self._halted:
            raise usb_error(errno.EPIPE)

    def _spend(self, data: bytearray) -> bytes:
        if self.camera.faults.spend(len(data)) is not None:
            self.unplug()
            raise usb_error(errno.ENODEV)
        return bytes(data)

    def _clear(self) -> None:
        self._packets.clear()
        self._events.clear()
        self._received.clear()
        self._command = None
        self._halted.clear()
        self._status, self._busy_polls = int(ResponseCode.OK), 0

    def _string(self, index: int) -> bytes:
        text = {1: "Nikon", 2: "NIKON DSC Z 8", 3: self.camera.serial}.get(index, "")
        body = b"\x09\x04" if index == 0 else text.encode("utf-16-le")
        return bytes([len(body) + 2, 3]) + body

    def _device_status(self) -> bytes:
        if self._busy_polls:
            self._busy_polls -= 1
        elif self._status != ResponseCode.OK and not self._halted:
            self._status = int(ResponseCode.OK)
        halted = sorted(self._halted)
        code = int(ResponseCode.DEVICE_BUSY) if self._received and self._status == ResponseCode.OK else self._status
        return struct.pack(f"<HH{len(halted)}I", 4 + 4 * len(halted), code, *halted)

    def _take(self, data: bytes) -> None:
        self._received += data
        while len(self._received) >= HEADER_SIZE:
            try:
                length = read_header(self._received)[0]
                if len(self._received) < length:
                    return
                container = Container.decode(bytes(self._received[:length]))
            except FormatError:
                # a camera that understands nothing stalls until it is reset
                self._received.clear()
                self._halted |= {BULK_IN, BULK_OUT}
                return
            del self._received[:length]
            self._obey(container)

    def _obey(self, container: Container) -> None:
        faults = self.camera.faults
        if container.type == ContainerType.COMMAND:
            if faults.take(FaultKind.STALL_OUT, container.code):
                self._halted.add(BULK_OUT)
                raise usb_error(errno.EPIPE)
            if faults.take(FaultKind.CANCEL, container.code):
                self._status, self._busy_polls = int(ResponseCode.TRANSACTION_CANCELLED), _BUSY_POLLS
                self._halted |= {BULK_IN, BULK_OUT}
                self._changed.notify_all()
                return
            if self.camera.takes_data(container.code):
                self._command = container
                return
            command, data = container, b""
        elif container.type == ContainerType.DATA and self._command is not None:
            command, data = self._command, container.payload
            self._command = None
        else:
            return
        answer = self.camera.handle(command.code, command.transaction_id, command.params, data)
        self._answer(command, answer)
        self._changed.notify_all()

    def _answer(self, command: Container, answer: Answer) -> None:
        faults, operation, transaction = self.camera.faults, command.code, command.transaction_id
        if faults.take(FaultKind.SILENCE, operation):
            return
        if faults.take(FaultKind.ZERO_PACKET, operation):
            self._packets.append(b"")
        garbage = faults.take(FaultKind.GARBAGE, operation)
        if garbage is not None:
            self._transfer(os.urandom(max(1, garbage.value)))
            return
        if faults.take(FaultKind.STALE_REPLY, operation):
            self._transfer(Container.of(ContainerType.RESPONSE, 0x2001, max(0, transaction - 1)).encode())
        if faults.take(FaultKind.FOREIGN_REPLY, operation):
            transaction += 1000
        transfers = []
        if answer.data is not None:
            transfers.append(Container(ContainerType.DATA, operation, transaction, answer.data).encode())
        elif answer.code != ResponseCode.OK and faults.take(FaultKind.EMPTY_DATA, operation):
            transfers.append(Container(ContainerType.DATA, operation, transaction).encode())
        transfers.append(Container.of(ContainerType.RESPONSE, answer.code, transaction, *answer.params).encode())
        if faults.take(FaultKind.COALESCE, operation):
            transfers = [b"".join(transfers)]
        fragment = faults.take(FaultKind.FRAGMENT, operation)
        for data in transfers:
            size = max(1, fragment.value) if fragment is not None else len(data)
            for i in range(0, len(data), size):
                self._transfer(data[i : i + size])
        if faults.take(FaultKind.STALL_IN, operation):
            self._halted.add(BULK_IN)

    def _transfer(self, data: bytes) -> None:
        """Cuts a transfer into packets; one of full packets is ended by an empty one."""
        if len(self._packets) > _MAX_WAITING * 64:
            self._packets.clear()
        self._packets.extend(data[i : i + self.packet] for i in range(0, len(data), self.packet))
        if len(data) % self.packet == 0:
            self._packets.append(b"")

    def _on_event(self, event: Event) -> None:
        with self._changed:
            container = Container.of(ContainerType.EVENT, event.code, EVENT_TRANSACTION, *event.params[:3])
            self._events.append(container.encode())
            self._changed.notify_all()

    @property
    def generation(self) -> int:
        return self._generation
