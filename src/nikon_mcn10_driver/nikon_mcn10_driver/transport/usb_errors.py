"""How USB transfers fail, and what the driver says of it."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator

from ..ptp import FormatError
from .base import DeviceGone, TransportError
from .usb_devices import GONE


class Stalled(Exception):
    """An endpoint has stalled."""


@contextlib.contextmanager
def usb_errors(doing: str) -> Iterator[None]:
    """Turns what PyUSB raises inside into :class:`TransportError`. ``doing``: what is being done, for the message."""
    import usb.core

    try:
        yield
    except FormatError as error:
        raise TransportError(f"{doing}: the camera sent something that is not PTP: {error}") from error
    except Stalled as error:
        raise TransportError(f"{doing}: the endpoint stalls") from error
    except usb.core.NoBackendError as error:
        raise TransportError("libusb is missing (Debian and Ubuntu: apt install libusb-1.0-0)") from error
    except usb.core.USBError as error:
        if error.errno in GONE:
            raise DeviceGone("the camera is gone") from error
        if error.errno == errno.EACCES:
            raise TransportError(
                "no permission to use the camera; install the udev rule, see docs/driver.md"
            ) from error
        raise TransportError(f"{doing}: {error.strerror or error}") from error


def is_timeout(error: Exception) -> bool:
    return getattr(error, "errno", None) == errno.ETIMEDOUT


def is_stall(error: Exception) -> bool:
    return getattr(error, "errno", None) == errno.EPIPE


def milliseconds(seconds: float) -> int:
    """As libusb takes it."""
    # 0 would mean "for ever"
    return max(1, round(seconds * 1000))
