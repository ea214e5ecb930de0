"""From parameters to what makes a connection."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from .af_area import AfArea
from .params import DriverParams
from .profile import Profile, ProfileError
from .profile_format import load_profile
from .remote import DryRunRemote, PtpRemote, Remote


def camera_address(params: DriverParams) -> str:
    """Which camera the parameters mean, empty for none: two drivers at one camera throw each other out."""
    if params.transport == "ptpip":
        return f"at {params.host}:{params.port}"
    return f"on USB {params.serial}".rstrip() if params.transport in ("usb", "nikon_usb_control") else ""


def remote_factory(params: DriverParams, profiles: Path) -> Callable[[], Remote] | None:
    """What makes a new connection each time it is called; None for transport ``none``. A profile that has changed
    since is read anew, and left aside when it cannot be used any more.

    Raises :class:`ProfileError` for a profile that cannot be used. Connects to nothing yet.
    """
    if params.transport == "none":
        return None
    if params.transport == "dry_run":
        return DryRunRemote
    if params.transport == "nikon_usb_control":
        from .nikon_usb_control import NikonUsbControlRemote

        return NikonUsbControlRemote
    profile: Profile | None = load_profile(params.profile, profiles) if params.profile else None

    def make() -> Remote:
        nonlocal profile
        if params.profile:
            with suppress(ProfileError):
                profile = load_profile(params.profile, profiles)
        area = AfArea(params.af_area)
        if params.transport == "usb":
            from .transport.usb import UsbTransport

            return PtpRemote(UsbTransport(params.serial), profile, area)
        from .transport.ptpip import PtpIpTransport

        return PtpRemote(PtpIpTransport(params.host, params.port), profile, area)

    return make
