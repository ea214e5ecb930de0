"""``ros2 run nikon_mcn10_driver camera_report``: what a body offers by its DeviceInfo, and which mode can work."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from .profile import Profile
from .ptp import DeviceInfo, OperationCode, PropertyCode

_O, _P = OperationCode, PropertyCode


@dataclass(frozen=True)
class Offer:
    """One line of the table. ``there``: whether the body says so."""

    what: str
    code: int
    there: bool
    used_for: str


_LINES: tuple[tuple[str, int, str], ...] = (
    ("StartLiveView", _O.NIKON_START_LIVE_VIEW, "AF-area mode"),
    ("GetLiveViewImageEx", _O.NIKON_GET_LIVE_VIEW_IMAGE_EX, "AF-area mode: the size of its space"),
    ("ChangeAfArea", _O.NIKON_CHANGE_AF_AREA, "AF-area mode: moves the area"),
    ("AfDrive", _O.NIKON_AF_DRIVE, "AF-area mode: focuses, where the body does not by itself"),
    ("DeviceReady", _O.NIKON_DEVICE_READY, "AF-area mode: waits for the focus"),
    ("StartTracking", _O.NIKON_START_TRACKING, "tracking a subject (not used yet)"),
    ("GetEventEx", _O.NIKON_GET_EVENT_EX, "events"),
    ("GetEvent", _O.NIKON_GET_EVENT, "events, where there is no GetEventEx"),
    ("GetDevicePropValueEx", _O.NIKON_GET_DEVICE_PROP_VALUE_EX, "properties with long codes"),
    ("ChangeApplicationMode", _O.NIKON_CHANGE_APPLICATION_MODE, "remote control"),
)
_AF_AREA_NEEDS = (_O.NIKON_START_LIVE_VIEW, _O.NIKON_CHANGE_AF_AREA)


def offers(info: DeviceInfo) -> list[Offer]:
    """What of the driver's needs the body offers."""
    return [Offer(what, int(code), code in info.operations, use) for what, code, use in _LINES]


def modes(info: DeviceInfo, profile: Profile | None) -> dict[str, str]:
    """For each way to steer: "can work", or why not."""
    missing = [offer.what for offer in offers(info) if offer.code in _AF_AREA_NEEDS and not offer.there]
    views = (_O.NIKON_GET_LIVE_VIEW_IMAGE, _O.NIKON_GET_LIVE_VIEW_IMAGE_EX)
    if not any(view in info.operations for view in views):
        missing.append("a live-view image")
    af_area = f"cannot work: the body lacks {', '.join(missing)}" if missing else "can work"
    if profile is None:
        buttons = (
            "needs a remote profile (docs/learn-profile.md); DeviceInfo does not say whether the body takes a grip"
        )
    else:
        buttons = profile.mismatch(info.model, info.serial) or f"can work with profile {profile.name}"
        sent = {step.operation for button in profile.buttons.values() for step in button.press} - {None}
        unknown = sorted(code for code in sent if code is not None and code not in info.operations)
        if buttons.startswith("can work") and unknown:
            codes = ", ".join(f"0x{code:04X}" for code in unknown)
            buttons += f" (the body does not list {codes}; grips may use operations that no body lists)"
    return {"af_area": af_area, "buttons": buttons}


def table(info: DeviceInfo, profile: Profile | None) -> str:
    """The report as text."""
    lines = [f"{info.manufacturer} {info.model}, firmware {info.version}".strip(), ""]
    lines += [f"{'operation':24}{'code':8}{'there':7}used for"]
    for offer in offers(info):
        lines.append(f"{offer.what:24}0x{offer.code:04X}  {'yes' if offer.there else 'no':7}{offer.used_for}")
    lines += ["", *(f"{name + ' mode':24}{text}" for name, text in modes(info, profile).items())]
    lines.append(
        f"{len(info.operations)} operations, {len(info.events)} events, {len(info.properties)} properties in all"
    )
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status 1 when no camera answers, 2 for a mistake in the call."""
    from pathlib import Path

    from .profile import ProfileError
    from .profile_format import load_profile
    from .session import PtpError, Session
    from .transport import TransportError

    parser = argparse.ArgumentParser(prog="camera_report", description="What a body offers, and which mode can work.")
    parser.add_argument("--host", help="a body in the network; without it the one on USB")
    parser.add_argument("--port", type=int, default=15740, help="TCP port (default: %(default)s)")
    parser.add_argument("--serial", default="", help="serial number, if there are several on USB")
    parser.add_argument("--profile", help="remote profile to check against this body")
    parser.add_argument("--json", action="store_true", help="the table as JSON")
    options, _ = parser.parse_known_args(argv)
    try:
        profile = load_profile(options.profile, Path()) if options.profile else None
        if options.host:
            from .transport.ptpip import PtpIpTransport

            session = Session(PtpIpTransport(options.host, options.port))
        else:
            from .transport.usb import UsbTransport

            session = Session(UsbTransport(options.serial))
        try:
            info = session.open()
        finally:
            session.close()
    except ProfileError as error:
        print(f"camera_report: {error}", file=sys.stderr)
        return 2
    except (PtpError, TransportError) as error:
        print(f"camera_report: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps({"operations": [asdict(o) for o in offers(info)], "modes": modes(info, profile)}, indent=2))
    else:
        print(table(info, profile))
    return 0
