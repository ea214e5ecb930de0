"""An in-memory USB: a PyUSB backend whose only devices are virtual cameras.

>>> device = VirtualUsbDevice(VirtualZ8(controls))
>>> transport = UsbTransport(backend=VirtualUsbBackend(device))
"""

from __future__ import annotations

import errno
from array import array
from types import SimpleNamespace
from typing import Any

from usb.backend import IBackend

from nikon_mcn10_driver.ptp.codes import NIKON_VENDOR_ID

from .usb_device import BULK_IN, BULK_OUT, INTERRUPT_IN, VirtualUsbDevice, usb_error


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
            raise usb_error(errno.ENODEV)
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
            raise usb_error(errno.ENODEV)
        if dev.kernel_driver or dev.held or dev.claimed:
            raise usb_error(errno.EBUSY)
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
