"""PTP over USB bulk endpoints, with PyUSB."""

from __future__ import annotations

import contextlib
import errno
import struct
import threading
import time
from collections.abc import Sequence
from typing import Any

from ..ptp import Container, ContainerAssembler, ContainerType, Event, FormatError, ResponseCode
from .base import MAX_STALE, Deadline, DeviceGone, Interrupted, Reply, TransportError
from .usb_devices import endpoints, find_camera
from .usb_errors import Stalled, is_stall, is_timeout, milliseconds, usb_errors
from .usb_events import UsbEvents
from .usb_holders import advice, holders

_CHUNK = 1 << 16
"""Bytes asked for in one read; a multiple of every packet size, so that no packet overflows it."""

_OUT_REQUEST, _IN_REQUEST = 0x21, 0xA1
_CANCEL, _RESET, _STATUS = 0x64, 0x66, 0x67
_CANCEL_CODE = 0x4001
_CONTROL_TIMEOUT_MS = 1000
_DRAIN_READS, _DRAIN_TIMEOUT = 8, 0.2
_DRAIN_READY = 0.02
"""Seconds: what a camera that is ready has left waits already and comes at once."""

_STATUS_POLLS, _STATUS_PAUSE = 15, 0.2


class UsbTransport:
    """One Nikon body on USB; with ``serial``, that one. ``backend``: a PyUSB backend, None for libusb."""

    name = "usb"

    def __init__(self, serial: str = "", backend: Any = None) -> None:
        self._serial = serial
        self._backend = backend
        self._interrupted = threading.Event()
        self._device: Any = None
        self._interface = 0
        self._reattach = False
        self._claimed = False
        self._in: Any = None
        self._out: Any = None
        self._containers = ContainerAssembler()
        self._events: UsbEvents | None = None
        self.written_at = 0.0

    def connect(self) -> None:
        with usb_errors("opening the camera"):
            self._device, interface = find_camera(self._serial, self._backend)
            self._interface = interface.bInterfaceNumber
            self._claim()
            self._in, self._out, notices = endpoints(interface)
            self._settle()
        self._events = UsbEvents(notices)

    def _claim(self) -> None:
        import usb.core
        import usb.util

        device = self._device
        with contextlib.suppress(NotImplementedError):
            if device.is_kernel_driver_active(self._interface):
                device.detach_kernel_driver(self._interface)
                self._reattach = True
        try:
            usb.util.claim_interface(device, self._interface)
            self._claimed = True
        except usb.core.USBError as error:
            if error.errno == errno.EBUSY:
                raise TransportError(advice(holders(device.bus, device.address))) from error
            raise

    def _settle(self) -> None:
        """Brings a camera that was left in the middle of something back to its first state."""
        ready = self._status() == ResponseCode.OK
        stale = self._drain(_DRAIN_READY if ready else _DRAIN_TIMEOUT)
        if stale or not ready:
            self._reset()

    def _drain(self, wait: float) -> int:
        """Reads and forgets what waits on bulk-IN; how many bytes that were."""
        count = 0
        for _ in range(_DRAIN_READS):
            try:
                data = self._read(wait)
            except Stalled:
                self._clear_halts()
                count += 1
                continue
            if data is None:
                break
            count += len(data)
        self._containers.clear()
        return count

    def reset(self) -> bool:
        with usb_errors("resetting the camera"):
            self._reset()
        return True

    def _reset(self) -> None:
        self._device.ctrl_transfer(_OUT_REQUEST, _RESET, 0, self._interface, None, _CONTROL_TIMEOUT_MS)
        self._clear_halts()
        self._await_ready()
        self._containers.clear()

    def _clear_halts(self) -> None:
        self._in.clear_halt()
        self._out.clear_halt()

    def _status(self) -> int:
        """The camera's own word on its state: a response code, 0x2001 when it is ready."""
        try:
            answer = bytes(
                self._device.ctrl_transfer(_IN_REQUEST, _STATUS, 0, self._interface, 64, _CONTROL_TIMEOUT_MS)
            )
        except Exception as error:
            if is_stall(error):
                # a camera that does not know the request cannot say more
                return ResponseCode.OK
            raise
        if len(answer) < 4:
            raise TransportError(f"the camera's status has {len(answer)} bytes")
        return int(struct.unpack_from("<H", answer, 2)[0])

    def _await_ready(self) -> None:
        for _ in range(_STATUS_POLLS):
            if self._status() == ResponseCode.OK:
                return
            if self._interrupted.wait(_STATUS_PAUSE):
                raise Interrupted("the connection is being closed")
        raise TransportError("the camera does not get ready after a reset; switch it off and on")

    def transact(
        self,
        code: int,
        transaction_id: int,
        params: Sequence[int] = (),
        data_out: bytes | None = None,
        timeout: float = 3.0,
    ) -> Reply:
        if self._device is None:
            raise DeviceGone("not connected")
        deadline = Deadline(timeout, self._interrupted, f"the answer to operation 0x{code:04X}")
        with usb_errors(f"operation 0x{code:04X}"):
            command = Container.of(ContainerType.COMMAND, code, transaction_id, *params).encode()
            cancelled = self._write(command, deadline)
            if not cancelled and data_out is not None:
                data = Container(ContainerType.DATA, code, transaction_id, data_out).encode()
                cancelled = self._write(data, deadline)
            self.written_at = time.monotonic()
            if cancelled:
                return Reply(ResponseCode.TRANSACTION_CANCELLED)
            try:
                return self._reply(transaction_id, deadline)
            except _TimeUp:
                return self._cancel(transaction_id)

    def _write(self, data: bytes, deadline: Deadline) -> bool:
        """Writes one container; True when the camera has cancelled the transaction instead of taking it."""
        try:
            self._write_once(data, deadline)
        except Stalled:
            if self._after_stall():
                return True
            # a command that met a stall has not been taken, so this cannot carry it out twice
            self._write_once(data, deadline)
        return False

    def _write_once(self, data: bytes, deadline: Deadline) -> None:
        parts = [memoryview(data)]
        if len(data) % self._out.wMaxPacketSize == 0:
            # without it the camera could not know that the container ends here
            parts.append(memoryview(b""))
        for part in parts:
            while True:
                try:
                    part = part[self._out.write(part, milliseconds(deadline.slice())) :]
                except Exception as error:
                    if is_timeout(error):
                        continue
                    if is_stall(error):
                        raise Stalled from error
                    raise
                if not part:
                    break

    def _reply(self, transaction_id: int, deadline: Deadline) -> Reply:
        data = b""
        stale = stalls = 0
        while True:
            try:
                container = self._container(deadline)
            except Stalled:
                stalls += 1
                if stalls > 1:
                    raise TransportError("bulk-IN stalls again and again") from None
                if self._after_stall():
                    return Reply(ResponseCode.TRANSACTION_CANCELLED)
                continue
            if container.transaction_id == transaction_id:
                if container.type == ContainerType.DATA:
                    data = container.payload
                    continue
                if container.type == ContainerType.RESPONSE:
                    return Reply(container.code, container.params, data)
                raise FormatError(f"a {container.type.name.lower()} container on bulk-IN")
            if container.transaction_id > transaction_id:
                raise FormatError(f"an answer to transaction {container.transaction_id}, {transaction_id} was asked")
            stale += container.type == ContainerType.RESPONSE
            if stale > MAX_STALE:
                raise FormatError("only answers to earlier transactions")

    def _container(self, deadline: Deadline) -> Container:
        while (container := self._containers.pop()) is None:
            try:
                wait = deadline.slice()
            except Interrupted:
                raise
            except TransportError as error:
                raise _TimeUp(str(error)) from error
            started = time.monotonic()
            data = self._read(wait)
            if data is not None:
                # a read that ends before its time and before it is full has met a short packet
                self._containers.feed(data, len(data) < _CHUNK and time.monotonic() - started < wait)
        return container

    def _read(self, seconds: float) -> bytes | None:
        """What bulk-IN gives, empty for a zero-length packet; None when time is up. Raises :class:`Stalled`."""
        try:
            return bytes(self._in.read(_CHUNK, milliseconds(seconds)))
        except Exception as error:
            if is_timeout(error):
                return None
            if is_stall(error):
                raise Stalled from error
            raise

    def _after_stall(self) -> bool:
        """Clears the halts; True when the camera says that it has cancelled the transaction."""
        cancelled = self._status() in (ResponseCode.TRANSACTION_CANCELLED, ResponseCode.DEVICE_BUSY)
        self._clear_halts()
        if cancelled:
            self._await_ready()
            self._containers.clear()
        return cancelled

    def _cancel(self, transaction_id: int) -> Reply:
        """Gives up a transaction that gets no answer; the connection holds if the camera plays along."""
        request = struct.pack("<HI", _CANCEL_CODE, transaction_id)
        self._device.ctrl_transfer(_OUT_REQUEST, _CANCEL, 0, self._interface, request, _CONTROL_TIMEOUT_MS)
        self._drain(_DRAIN_TIMEOUT)
        self._await_ready()
        return Reply(ResponseCode.TRANSACTION_CANCELLED)

    def events(self) -> list[Event]:
        return self._events.take() if self._events is not None else []

    def interrupt(self) -> None:
        self._interrupted.set()

    def close(self) -> None:
        import usb.util

        if self._events is not None:
            self._events.close()
        device, self._device = self._device, None
        if device is None:
            return
        if self._claimed:
            with contextlib.suppress(Exception):
                usb.util.release_interface(device, self._interface)
        if self._reattach:
            with contextlib.suppress(Exception):
                device.attach_kernel_driver(self._interface)
        with contextlib.suppress(Exception):
            usb.util.dispose_resources(device)
        self._claimed = self._reattach = False


class _TimeUp(Exception):
    """No answer in time."""
