"""Remote profiles: which operations make a press. Their YAML is read and written in :mod:`.profile_format`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from face_af_common.types import ActionKind

from .fields import CounterRule, Field

BUTTONS = tuple(kind for kind in ActionKind if kind != ActionKind.AF_AREA)

SCHEMA = 2
"""Newest version of the file format; 1 had neither fields, counters, measurements nor several heartbeats."""


class ProfileError(ValueError):
    """A profile cannot be used; the text names file and key."""


@dataclass(frozen=True)
class Step:
    """One operation, or (``operation`` None) a pause of ``wait`` seconds; a step may have a pause behind it.

    ``params`` and the parts of ``data`` are constants, or fields that the driver computes.
    """

    operation: int | None
    params: tuple[int | Field, ...] = ()
    data: bytes | tuple[bytes | Field, ...] | None = None
    accept: tuple[int, ...] = (0x2001,)
    wait: float = 0.0


@dataclass(frozen=True)
class Button:
    """``hold`` seconds lie between the last operation of ``press`` and the first of ``release``."""

    press: tuple[Step, ...]
    release: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Heartbeat:
    """Steps that are sent every ``period`` seconds; ``idle``: that long after the end of what was sent last."""

    steps: tuple[Step, ...] = ()
    period: float = 0.5
    idle: bool = True


@dataclass(frozen=True)
class Measured:
    """What was measured on a camera with this profile; None where it was not.

    ``response``: seconds from a press to its effect in the picture (median), ``spread``: standard deviation of that;
    ``loss``: share of presses without effect, 0 to 1; ``presses``: how many that rests on; ``wrap``: whether the
    selection goes from the last subject to the first.
    """

    response: float | None = None
    spread: float | None = None
    loss: float | None = None
    presses: int = 0
    wrap: bool | None = None


NOT_MEASURED = Measured()


@dataclass(frozen=True)
class Profile:
    """A remote grip as a camera sees it. ``shutter`` is no button of steering's: only the service ``shutter`` uses it.

    ``serial``: the profile is used only on cameras whose serial number matches this regular expression;
    ``models``: only on these models (empty: any). ``session``: the id the grip gives to OpenSession. ``poll_events``:
    whether the driver asks for events with every heartbeat, beside what the profile says.
    """

    name: str
    origin: str
    buttons: Mapping[ActionKind, Button]
    init: tuple[Step, ...] = ()
    close: tuple[Step, ...] = ()
    heartbeats: tuple[Heartbeat, ...] = (Heartbeat(),)
    counters: Mapping[str, CounterRule] = field(default_factory=dict)
    shutter: Button | None = None
    hold: float = 0.02
    gap: float = 0.0
    busy_budget: float = 0.15
    serial: str = ""
    models: tuple[str, ...] = ()
    session: int = 1
    poll_events: bool = True
    measured: Measured = NOT_MEASURED

    def mismatch(self, model: str, serial: str) -> str:
        """Why this profile must not be used on that camera; empty when it may."""
        if self.models and model not in self.models:
            names = ", ".join(self.models)
            return f"remote profile {self.name} is for {names}, this camera is a {model or 'unknown model'}"
        if self.serial and not re.search(self.serial, serial):
            return (
                f"remote profile {self.name} ({self.origin}) is not for this camera ({model}, serial {serial});"
                " buttons need a profile from a capture of your own, see docs/driver.md"
            )
        return ""
