"""Parameters of the outputs node."""

from __future__ import annotations

import re
from dataclasses import dataclass

from face_af_common.params import ParamError, group, param


@dataclass(frozen=True)
class MqttParams:
    host: str = param("", "the broker's name or address; empty: no MQTT", read_only=True)
    port: int = param(1883, "the broker's port; 8883 is usual with TLS", low=1, high=65535, read_only=True)
    device: str = param("stage", "this system's name in topics: letters, digits, _ and -", read_only=True)
    username: str = param("", "user at the broker; empty: none", read_only=True)
    password_file: str = param("", "file with the password, readable for you alone (chmod 600)", read_only=True)
    tls: bool = param(
        False, "encrypt, and check the broker's certificate with the system's authorities", read_only=True
    )
    ca_file: str = param(
        "", "encrypt, and check the broker's certificate with this authority's (a PEM file)", read_only=True
    )
    discovery: bool = param(True, "announce this system to Home Assistant (MQTT discovery)", read_only=True)


@dataclass(frozen=True)
class DelayParams:
    appears: float = param(
        0.5, "how long a person must be in sight before the event appears", unit="s", low=0.0, high=60.0
    )
    leaves: float = param(
        2.0, "how long a person must be out of sight before the event leaves", unit="s", low=0.0, high=600.0
    )
    unknown: float = param(
        2.0, "how long a stranger must be in sight before the event unknown", unit="s", low=0.0, high=60.0
    )
    focus: float = param(
        0.3,
        "how long the focus must be on a person, or off them, before the event gets_focus or loses_focus",
        unit="s",
        low=0.0,
        high=60.0,
    )
    speaks: float = param(0.0, "how long a person must be heard before the event speaks", unit="s", low=0.0, high=60.0)
    lost: float = param(3.0, "how long no frame may come before the event capture_lost", unit="s", low=0.5, high=600.0)


@dataclass(frozen=True)
class OutputsNodeParams:
    actions: str = param("", "the file of actions (docs/outputs.md); empty: none", read_only=True)
    dry_run: bool = param(False, "log what would be done, and do nothing")
    gpio: str = param(
        "gpiod",
        "gpiod: the lines of the board's header; terminal: lights drawn in the terminal, to try without a board",
        choices=("gpiod", "terminal"),
        read_only=True,
    )
    mqtt: MqttParams = group(MqttParams)
    delay: DelayParams = group(DelayParams)

    def check(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", self.mqtt.device):
            raise ParamError(f"mqtt.device: 1 to 40 letters, digits, _ and - are needed, got {self.mqtt.device!r}")
