"""Finding a Nikon body on USB, and its endpoints."""

from __future__ import annotations

import errno
from typing import Any

from ..ptp.codes import NIKON_VENDOR_ID
from .base import DeviceGone, TransportError

STILL_IMAGE = (6, 1, 1)
"""Class, subclass and protocol of the interface that speaks PTP."""

GONE = {errno.ENODEV, errno.ENXIO, errno.ESHUTDOWN}
"""What libusb says of a device that is not there any more."""


def find_camera(serial: str = "", backend: Any = None) -> tuple[Any, Any]:
    """The camera and its still-image interface; :class:`DeviceGone` says what is there instead."""
    import usb.core
    import usb.util

    found = []
    for device in usb.core.find(find_all=True, idVendor=NIKON_VENDOR_ID, backend=backend):
        try:
            configuration = device.get_active_configuration()
        except usb.core.USBError as error:
            if error.errno in (errno.EACCES, *GONE):
                raise
            device.set_configuration()
            configuration = device.get_active_configuration()
        interface = usb.util.find_descriptor(configuration, custom_match=_speaks_ptp)
        if interface is not None:
            found.append((device, interface))
    if not found:
        raise DeviceGone("no Nikon camera on USB (is it switched on, and its USB mode set to MTP/PTP?)")
    if not serial:
        if len(found) > 1:
            numbers = ", ".join(_serial_number(device) for device, _ in found)
            raise TransportError(f"{len(found)} cameras on USB; set the parameter serial to one of {numbers}")
        return found[0]
    for device, interface in found:
        if _serial_number(device) == serial.lstrip("0"):
            return device, interface
    numbers = ", ".join(_serial_number(device) for device, _ in found)
    raise DeviceGone(f"no camera with serial number {serial} on USB; there is {numbers}")


def _speaks_ptp(interface: Any) -> bool:
    return (interface.bInterfaceClass, interface.bInterfaceSubClass, interface.bInterfaceProtocol) == STILL_IMAGE


def _serial_number(device: Any) -> str:
    try:
        # USB pads the number with zeros where PTP does not
        return (device.serial_number or "").lstrip("0")
    except (ValueError, NotImplementedError):
        return ""


def endpoints(interface: Any) -> tuple[Any, Any, Any]:
    """Bulk-IN, bulk-OUT and interrupt-IN."""
    import usb.util

    def find(direction: int, kind: int) -> Any:
        def fits(endpoint: Any) -> bool:
            return bool(
                usb.util.endpoint_direction(endpoint.bEndpointAddress) == direction
                and usb.util.endpoint_type(endpoint.bmAttributes) == kind
            )

        endpoint = usb.util.find_descriptor(interface, custom_match=fits)
        if endpoint is None:
            raise TransportError("the camera's PTP interface lacks an endpoint")
        return endpoint

    return (
        find(usb.util.ENDPOINT_IN, usb.util.ENDPOINT_TYPE_BULK),
        find(usb.util.ENDPOINT_OUT, usb.util.ENDPOINT_TYPE_BULK),
        find(usb.util.ENDPOINT_IN, usb.util.ENDPOINT_TYPE_INTR),
    )
