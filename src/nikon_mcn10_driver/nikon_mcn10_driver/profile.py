"""Remote profiles: which operations make a press, read from YAML and checked key by key."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from face_af_common.types import ActionKind

BUTTONS = tuple(kind for kind in ActionKind if kind != ActionKind.AF_AREA)


class ProfileError(ValueError):
    """A profile cannot be used; the text names file and key."""


@dataclass(frozen=True)
class Step:
    """One operation, or (``operation`` None) a pause of ``wait`` seconds; a step may have a pause behind it."""

    operation: int | None
    params: tuple[int, ...] = ()
    data: bytes | None = None
    accept: tuple[int, ...] = (0x2001,)
    wait: float = 0.0


@dataclass(frozen=True)
class Button:
    """``hold`` seconds lie between the last operation of ``press`` and the first of ``release``."""

    press: tuple[Step, ...]
    release: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Profile:
    """A remote grip as a camera sees it.

    ``serial``: the profile is used only on cameras whose serial number matches this regular expression;
    ``models``: only on these models (empty: any).
    """

    name: str
    origin: str
    buttons: Mapping[ActionKind, Button]
    init: tuple[Step, ...] = ()
    close: tuple[Step, ...] = ()
    heartbeat: tuple[Step, ...] = ()
    heartbeat_period: float = 0.5
    hold: float = 0.02
    gap: float = 0.0
    busy_budget: float = 0.15
    serial: str = ""
    models: tuple[str, ...] = ()

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


def load_profile(name: str, folder: Path) -> Profile:
    """The profile ``folder/name.yaml``, or the file ``name`` where that is a path."""
    import yaml

    path = Path(name).expanduser()
    if path.suffix not in (".yaml", ".yml"):
        path = folder / f"{name}.yaml"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        known = sorted(p.stem for p in folder.glob("*.yaml"))
        reason = getattr(error, "strerror", None) or error
        raise ProfileError(f"remote profile {path}: {reason} (there are {', '.join(known) or 'none'})") from error
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise ProfileError(f"{path}{where}: broken YAML ({getattr(error, 'problem', error)})") from error
    return parse_profile(content, path.stem, str(path))


def parse_profile(content: Any, name: str, where: str) -> Profile:
    """A profile from what YAML gave; :class:`ProfileError` begins with ``where`` and names the key."""
    top = _mapping(content, where, "", ("origin", "match", "init", "close", "heartbeat", "timing", "buttons"))
    origin = top.get("origin")
    if not isinstance(origin, str) or not origin.strip():
        raise ProfileError(f"{where}: origin must say where these codes come from")
    match = _mapping(top.get("match", {}), where, "match", ("serial", "models"))
    serial = match.get("serial", "")
    try:
        re.compile(serial)
    except (re.error, TypeError) as error:
        raise ProfileError(f"{where}: match.serial is no regular expression: {serial!r}") from error
    models = match.get("models", [])
    if not isinstance(models, list) or not all(isinstance(model, str) for model in models):
        raise ProfileError(f"{where}: match.models must be a list of model names")
    heartbeat = _mapping(top.get("heartbeat", {}), where, "heartbeat", ("period", "steps"))
    timing = _mapping(top.get("timing", {}), where, "timing", ("hold", "gap", "busy_budget"))
    names = [kind.name.lower() for kind in BUTTONS]
    buttons = {}
    for key, entry in _mapping(top.get("buttons"), where, "buttons", names).items():
        path = f"buttons.{key}"
        entry = _mapping(entry, where, path, ("press", "release"))
        press = _steps(entry.get("press"), where, f"{path}.press")
        if not any(step.operation is not None for step in press):
            raise ProfileError(f"{where}: {path}.press has no operation")
        buttons[ActionKind[key.upper()]] = Button(press, _steps(entry.get("release", []), where, f"{path}.release"))
    if not buttons:
        raise ProfileError(f"{where}: buttons is empty")
    return Profile(
        name=name,
        origin=origin.strip(),
        buttons=buttons,
        init=_steps(top.get("init", []), where, "init"),
        close=_steps(top.get("close", []), where, "close"),
        heartbeat=_steps(heartbeat.get("steps", []), where, "heartbeat.steps"),
        heartbeat_period=_seconds(
            heartbeat.get("period", Profile.heartbeat_period), where, "heartbeat.period", 0.05, 60
        ),
        hold=_seconds(timing.get("hold", Profile.hold), where, "timing.hold"),
        gap=_seconds(timing.get("gap", Profile.gap), where, "timing.gap"),
        busy_budget=_seconds(timing.get("busy_budget", Profile.busy_budget), where, "timing.busy_budget"),
        serial=serial,
        models=tuple(models),
    )


def _steps(content: Any, where: str, path: str) -> tuple[Step, ...]:
    if not isinstance(content, list):
        raise ProfileError(f"{where}: {path} must be a list of steps")
    return tuple(_step(entry, where, f"{path}[{i}]") for i, entry in enumerate(content))


def _step(content: Any, where: str, path: str) -> Step:
    entry = _mapping(content, where, path, ("operation", "params", "data", "accept", "wait"))
    wait = _seconds(entry.get("wait", 0.0), where, f"{path}.wait")
    if "operation" not in entry:
        if set(entry) != {"wait"}:
            raise ProfileError(f"{where}: {path} needs an operation, or wait alone")
        return Step(None, wait=wait)
    data = entry.get("data")
    if data is not None:
        try:
            data = bytes.fromhex(data)
        except (TypeError, ValueError) as error:
            raise ProfileError(
                f'{where}: {path}.data must be hexadecimal digits in quotes, such as "01 00 ff"'
            ) from error
    params = _numbers(entry.get("params", []), where, f"{path}.params", 0xFFFFFFFF)
    if len(params) > 5:
        raise ProfileError(f"{where}: {path}.params has {len(params)} numbers, 5 are possible")
    operation = _numbers([entry["operation"]], where, f"{path}.operation", 0xFFFF)[0]
    accept = _numbers(entry.get("accept", list(Step.accept)), where, f"{path}.accept", 0xFFFF)
    return Step(operation, params, data, accept, wait)


def _numbers(content: Any, where: str, path: str, highest: int) -> tuple[int, ...]:
    if not isinstance(content, list) or any(type(n) is not int or not 0 <= n <= highest for n in content):
        raise ProfileError(f"{where}: {path} must be whole numbers from 0 to 0x{highest:X}, got {content!r}")
    return tuple(content)


def _seconds(content: Any, where: str, path: str, low: float = 0.0, high: float = 5.0) -> float:
    if type(content) not in (int, float) or not low <= content <= high:
        raise ProfileError(f"{where}: {path} must be seconds from {low} to {high}, got {content!r}")
    return float(content)


def _mapping(content: Any, where: str, path: str, known: Iterable[str]) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise ProfileError(f"{where}: {path or 'the file'} must have keys: {', '.join(known)}")
    for key in content:
        if key not in known:
            raise ProfileError(
                f"{where}: there is no key {path + '.' if path else ''}{key}; there are {', '.join(known)}"
            )
    return content
