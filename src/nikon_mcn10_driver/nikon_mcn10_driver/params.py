"""Parameters of the camera driver."""

from __future__ import annotations

from dataclasses import dataclass

from face_af_common.params import ParamError, group, param

TRANSPORTS = ("usb", "ptpip", "nikon_usb_control", "dry_run", "none")


@dataclass(frozen=True)
class ReconnectParams:
    min_pause: float = param(
        0.25, "pause before the first try to connect again; doubles with every try", unit="s", low=0.01, high=60.0
    )
    max_pause: float = param(0.5, "longest pause between two tries to connect", unit="s", low=0.01, high=300.0)

    def check(self) -> None:
        if self.min_pause > self.max_pause:
            raise ParamError(f"reconnect.min_pause {self.min_pause} is above reconnect.max_pause {self.max_pause}")


@dataclass(frozen=True)
class AfAreaParams:
    drive: str = param(
        "auto",
        "AfDrive after the AF area has moved: auto leaves it out where the camera follows by itself"
        " (video with AF-C or AF-F)",
        choices=("auto", "always", "never"),
        read_only=True,
    )
    refresh: float = param(
        1.0,
        "the camera is asked again for the live view's size and the focus mode after this time",
        unit="s",
        low=0.0,
        high=60.0,
        read_only=True,
    )


@dataclass(frozen=True)
class DriverParams:
    """Everything that the ``nikon_mcn10`` node can be told."""

    transport: str = param(
        "usb",
        "how the camera is reached: usb and ptpip speak PTP, nikon_usb_control uses that package, dry_run takes"
        " commands without a camera, none refuses them",
        choices=TRANSPORTS,
        read_only=True,
    )
    host: str = param("127.0.0.1", "name or address of the camera, IPv4 or IPv6 (ptpip)", read_only=True)
    port: int = param(15740, "TCP port of the camera (ptpip)", low=1, high=65535, read_only=True)
    serial: str = param("", "serial number of the camera (usb); empty takes the only one there is", read_only=True)
    profile: str = param(
        "",
        "remote profile: a name in config/remote or a path; empty means no buttons (AF-area mode only)",
        read_only=True,
    )
    # two frames a second, the fewest that steering can do with, must be quick enough
    max_command_age: float = param(
        0.6, "a command whose frame is older than this is dropped, never sent late", unit="s", low=0.01, high=10.0
    )
    reconnect: ReconnectParams = group(ReconnectParams)
    af_area: AfAreaParams = group(AfAreaParams)
