"""The virtual camera on an in-memory USB: a PyUSB backend whose only devices are virtual.

>>> device = VirtualUsbDevice(VirtualZ8(controls))
>>> transport = UsbTransport(backend=VirtualUsbBackend(device))
"""

from __future__ import annotations

import errno
import os
import struct
import threading
import time
from array import array
from collections import deque
from types import SimpleNamespace
from typing import Any

import usb.core
from usb.backend import IBackend

from nikon_mcn10_driver.ptp import Container, ContainerType, Event, FormatError, ResponseCode
from nikon_mcn10_driver.ptp.codes import EVENT_TRANSACTION, NIKON_VENDOR_ID, Z8_PRODUCT_ID
from nikon_mcn10_driver.ptp.container import HEADER_SIZE, read_header

from .faults import FaultKind
from .responder import Answer, VirtualZ8

BULK_IN, BULK_OUT, INTERRUPT_IN = 0x81, 0x02, 0x83
_CANCEL, _EXTENDED_EVENT, _RESET, _STATUS = 0x64, 0x65, 0x66, 0x67
_BUSY_POLLS = 2
_MAX_WAITING = 4096
"""Packets on bulk-IN, events on the interrupt endpoint."""


def _fail(number: int) -> usb.core.USBError:
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
        raise _fail(errno.ENODEV)

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
                    raise _fail(errno.EOVERFLOW)
                packet = self._packets.popleft()
                data += packet
                if len(packet) < self.packet:
                    return self._spend(data)
            if not data:
                raise _fail(errno.ETIMEDOUT)
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
                    raise _fail(errno.ETIMEDOUT)
                self._changed.wait(left)

    def control(self, generation: int, request_type: int, request: int, value: int, data: bytes, size: int) -> bytes:
        with self._changed:
            self._check(generation, None)
            if (request_type, request) == (0x80, 6) and value >> 8 == 3:
                return self._string(value & 0xFF)[:size]
            if (request_type, request) == (0xA1, _STATUS):
                return self._device_status()[:size]
            if (request_type, request) == (0xA1, _EXTENDED_EVENT):
                raise _fail(errno.EPIPE)
            if (request_type, request) == (0x21, _CANCEL) and len(data) == 6:
                self._clear()
                self._status, self._busy_polls = int(ResponseCode.DEVICE_BUSY), _BUSY_POLLS
                return b""
            if (request_type, request) == (0x21, _RESET):
                self._clear()
                self._status, self._busy_polls = int(ResponseCode.DEVICE_BUSY), 1
                self.camera.end_session()
                return b""
        raise _fail(errno.EPIPE)

    def clear_halt(self, generation: int, endpoint: int) -> None:
        with self._changed:
            self._check(generation, None)
            self._halted.discard(endpoint)

    # inside the camera

    def _check(self, generation: int, endpoint: int | None) -> None:
        if not self.plugged or generation != self._generation:
            raise _fail(errno.ENODEV)
        if endpoint in self._halted:
            raise _fail(errno.EPIPE)

    def _spend(self, data: bytearray) -> bytes:
        if self.camera.faults.spend(len(data)) is not None:
            self.unplug()
            raise _fail(errno.ENODEV)
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
                raise _fail(errno.EPIPE)
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


class VirtualUsbBackend(IBackend):
    """PyUSB's view of some virtual devices. ``open_handles`` tells whether a client gives everything back."""

    def __init__(self, *devices: VirtualUsbDevice) -> None:
        self.devices = devices
        self.open_handles = 0

    def enumerate_devices(self) -> Any:
        return iter([device for device in self.devices if device.plugged])

    def get_parent(self, dev: VirtualUsbDevice) -> None:
        return None

    def get_device_descriptor(self, dev: VirtualUsbDevice) -> SimpleNamespace:
        return SimpleNamespace(
            bLength=18,
            bDescriptorType=1,
            bcdUSB=0x0200,
            bDeviceClass=0,
            bDeviceSubClass=0,
            bDeviceProtocol=0,
            bMaxPacketSize0=64,
            idVendor=NIKON_VENDOR_ID,
            idProduct=dev.product,
            bcdDevice=0x0100,
            iManufacturer=1,
            iProduct=2,
            iSerialNumber=3,
            bNumConfigurations=1,
            address=dev.address,
            bus=1,
            port_number=1,
            port_numbers=(1,),
            speed=3,
        )

    def get_configuration_descriptor(self, dev: VirtualUsbDevice, config: int) -> SimpleNamespace:
        if config:
            raise IndexError(config)
        return SimpleNamespace(
            bLength=9,
            bDescriptorType=2,
            wTotalLength=39,
            bNumInterfaces=1,
            bConfigurationValue=1,
            iConfiguration=0,
            bmAttributes=0xC0,
            bMaxPower=1,
            extra_descriptors=[],
        )

    def get_interface_descriptor(self, dev: VirtualUsbDevice, intf: int, alt: int, config: int) -> SimpleNamespace:
        if intf or alt or config:
            raise IndexError(intf)
        return SimpleNamespace(
            bLength=9,
            bDescriptorType=4,
            bInterfaceNumber=0,
            bAlternateSetting=0,
            bNumEndpoints=3,
            bInterfaceClass=6,
            bInterfaceSubClass=1,
            bInterfaceProtocol=1,
            iInterface=0,
            extra_descriptors=[],
        )

    def get_endpoint_descriptor(
        self, dev: VirtualUsbDevice, ep: int, intf: int, alt: int, config: int
    ) -> SimpleNamespace:
        address, kind, size = ((BULK_IN, 2, dev.packet), (BULK_OUT, 2, dev.packet), (INTERRUPT_IN, 3, 32))[ep]
        return SimpleNamespace(
            bLength=7,
            bDescriptorType=5,
            bEndpointAddress=address,
            bmAttributes=kind,
            wMaxPacketSize=size,
            bInterval=4,
            bRefresh=0,
            bSynchAddress=0,
            extra_descriptors=[],
        )

    def open_device(self, dev: VirtualUsbDevice) -> tuple[VirtualUsbDevice, int]:
        if not dev.plugged:
            raise _fail(errno.ENODEV)
        self.open_handles += 1
        return dev, dev.generation

    def close_device(self, dev_handle: tuple[VirtualUsbDevice, int]) -> None:
        self.open_handles -= 1

    def set_configuration(self, dev_handle: tuple[VirtualUsbDevice, int], config_value: int) -> None:
        pass

    def get_configuration(self, dev_handle: tuple[VirtualUsbDevice, int]) -> int:
        return 1

    def claim_interface(self, dev_handle: tuple[VirtualUsbDevice, int], intf: int) -> None:
        dev, generation = dev_handle
        if not dev.plugged or generation != dev.generation:
            raise _fail(errno.ENODEV)
        if dev.kernel_driver or dev.held or dev.claimed:
            raise _fail(errno.EBUSY)
        dev.claimed = True

    def release_interface(self, dev_handle: tuple[VirtualUsbDevice, int], intf: int) -> None:
        dev, generation = dev_handle
        if generation == dev.generation:
            dev.claimed = False

    def bulk_write(
        self, dev_handle: tuple[VirtualUsbDevice, int], ep: int, intf: int, data: array[int], timeout: int
    ) -> int:
        dev, generation = dev_handle
        return dev.write(generation, data.tobytes())

    def bulk_read(
        self, dev_handle: tuple[VirtualUsbDevice, int], ep: int, intf: int, buff: array[int], timeout: int
    ) -> int:
        dev, generation = dev_handle
        return _fill(buff, dev.read(generation, len(buff), timeout))

    def intr_read(
        self, dev_handle: tuple[VirtualUsbDevice, int], ep: int, intf: int, buff: array[int], timeout: int
    ) -> int:
        dev, generation = dev_handle
        return _fill(buff, dev.read_event(generation, len(buff), timeout))

    def ctrl_transfer(
        self,
        dev_handle: tuple[VirtualUsbDevice, int],
        bmRequestType: int,
        bRequest: int,
        wValue: int,
        wIndex: int,
        data: array[int],
        timeout: int,
    ) -> int:
        dev, generation = dev_handle
        if bmRequestType & 0x80:
            return _fill(data, dev.control(generation, bmRequestType, bRequest, wValue, b"", len(data)))
        dev.control(generation, bmRequestType, bRequest, wValue, data.tobytes(), 0)
        return len(data)

    def clear_halt(self, dev_handle: tuple[VirtualUsbDevice, int], ep: int) -> None:
        dev, generation = dev_handle
        dev.clear_halt(generation, ep)

    def reset_device(self, dev_handle: tuple[VirtualUsbDevice, int]) -> None:
        dev_handle[0].camera.end_session()

    def is_kernel_driver_active(self, dev_handle: tuple[VirtualUsbDevice, int], intf: int) -> bool:
        return dev_handle[0].kernel_driver

    def detach_kernel_driver(self, dev_handle: tuple[VirtualUsbDevice, int], intf: int) -> None:
        dev_handle[0].kernel_driver = False

    def attach_kernel_driver(self, dev_handle: tuple[VirtualUsbDevice, int], intf: int) -> None:
        dev_handle[0].kernel_driver = True


def _fill(buffer: array[int], data: bytes) -> int:
    buffer[: len(data)] = array("B", data)
    return len(data)
