"""The YAML form of a remote profile, checked key by key, and back."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from face_af_common import yaml_files
from face_af_common.types import ActionKind

from .fields import CounterRule
from .profile import BUTTONS, SCHEMA, Button, Heartbeat, Measured, Profile, ProfileError, Step
from .profile_fields import Checker, parse_data, parse_params, show_data, show_params

_KEYS: tuple[str, ...] = (
    "schema",
    "origin",
    "match",
    "session",
    "poll_events",
    "init",
    "close",
    "heartbeat",
    "counters",
)
_KEYS += ("timing", "wrap", "buttons", "shutter")
_TIMING = ("hold", "gap", "busy_budget", "response", "spread", "loss", "presses")

Value = TypeVar("Value")


def load_profile(name: str, folder: Path) -> Profile:
    """The profile ``folder/name.yaml``, or the file ``name`` where that is a path."""
    path = Path(name).expanduser()
    if path.suffix not in (".yaml", ".yml"):
        path = folder / f"{name}.yaml"
    if not path.exists():
        known = ", ".join(sorted(p.stem for p in folder.glob("*.yaml"))) or "none"
        raise ProfileError(f"remote profile {path}: No such file or directory (there are {known})")
    try:
        content = yaml_files.load(path)
    except yaml_files.YamlError as error:
        raise ProfileError(f"remote profile {error}") from error
    return parse_profile(content, path.stem, str(path))


def parse_profile(content: Any, name: str, where: str) -> Profile:
    """A profile from what YAML gave; :class:`ProfileError` begins with ``where`` and names the key."""
    check = _Checker(where)
    top = check.mapping(content, "", _KEYS)
    schema = top.get("schema", 1)
    if type(schema) is not int or not 1 <= schema <= SCHEMA:
        raise ProfileError(f"{where}: schema {schema!r} is unknown; this version reads 1 to {SCHEMA}")
    origin = top.get("origin")
    if not isinstance(origin, str) or not origin.strip():
        raise ProfileError(f"{where}: origin must say where these codes come from")
    serial, models = check.match(top.get("match", {}))
    check.counters = check.counter_rules(top.get("counters", {}))
    timing = check.mapping(top.get("timing", {}), "timing", _TIMING)
    wrap = top.get("wrap")
    if wrap is not None and type(wrap) is not bool:
        raise ProfileError(f"{where}: wrap must be true or false, got {wrap!r}")
    poll_events = top.get("poll_events", True)
    if type(poll_events) is not bool:
        raise ProfileError(f"{where}: poll_events must be true or false, got {poll_events!r}")

    def seconds(key: str, default: Value) -> float | Value:
        return check.seconds(timing[key], f"timing.{key}") if key in timing else default

    return Profile(
        name=name,
        origin=origin.strip(),
        buttons=check.buttons(top.get("buttons")),
        init=check.steps(top.get("init", []), "init"),
        close=check.steps(top.get("close", []), "close"),
        heartbeats=check.heartbeats(top.get("heartbeat", {})),
        counters=check.counters,
        shutter=check.button(top["shutter"], "shutter") if top.get("shutter") is not None else None,
        hold=seconds("hold", Profile.hold),
        gap=seconds("gap", Profile.gap),
        busy_budget=seconds("busy_budget", Profile.busy_budget),
        serial=serial,
        models=models,
        session=check.number(top.get("session", Profile.session), "session", 0xFFFFFFFF, lowest=1),
        poll_events=poll_events,
        measured=Measured(
            response=seconds("response", None),
            spread=seconds("spread", None),
            loss=check.seconds(timing["loss"], "timing.loss", 0.0, 1.0) if "loss" in timing else None,
            presses=check.number(timing.get("presses", 0), "timing.presses", 1_000_000),
            wrap=wrap,
        ),
    )


class _Checker(Checker):
    """The parts of a profile."""

    def match(self, content: Any) -> tuple[str, tuple[str, ...]]:
        match = self.mapping(content, "match", ("serial", "models"))
        serial = match.get("serial", "")
        try:
            re.compile(serial)
        except (re.error, TypeError, RecursionError, OverflowError) as error:
            raise ProfileError(f"{self.where}: match.serial is no regular expression: {serial!r}") from error
        models = match.get("models", [])
        if not isinstance(models, list) or not all(isinstance(model, str) for model in models):
            raise ProfileError(f"{self.where}: match.models must be a list of model names")
        return serial, tuple(models)

    def counter_rules(self, content: Any) -> dict[str, CounterRule]:
        if not isinstance(content, dict):
            raise ProfileError(f"{self.where}: counters must have a name and its rule in every line")
        rules = {}
        for name, entry in content.items():
            path = f"counters.{name}"
            entry = self.mapping(entry, path, ("start", "step", "modulo", "lowest"))
            modulo = self.number(entry.get("modulo", CounterRule.modulo), f"{path}.modulo", 1 << 64, lowest=2)
            rules[str(name)] = CounterRule(
                self.number(entry.get("start", 0), f"{path}.start", 1 << 64),
                self.number(entry.get("step", 1), f"{path}.step", 1 << 32, lowest=-(1 << 32)),
                modulo,
                self.number(entry.get("lowest", 0), f"{path}.lowest", 1 << 64),
            )
        return rules

    def buttons(self, content: Any) -> dict[ActionKind, Button]:
        buttons = {}
        for key, entry in self.mapping(content, "buttons", [kind.name.lower() for kind in BUTTONS]).items():
            buttons[ActionKind[key.upper()]] = self.button(entry, f"buttons.{key}")
        if not buttons:
            raise ProfileError(f"{self.where}: buttons is empty")
        return buttons

    def button(self, content: Any, path: str) -> Button:
        entry = self.mapping(content, path, ("press", "release"))
        press = self.steps(entry.get("press"), f"{path}.press")
        if not any(step.operation is not None for step in press):
            raise ProfileError(f"{self.where}: {path}.press has no operation")
        return Button(press, self.steps(entry.get("release", []), f"{path}.release"))

    def heartbeats(self, content: Any) -> tuple[Heartbeat, ...]:
        if isinstance(content, list):
            return tuple(self._heartbeat(entry, f"heartbeat[{i}]") for i, entry in enumerate(content))
        return (self._heartbeat(content, "heartbeat"),)

    def _heartbeat(self, content: Any, path: str) -> Heartbeat:
        entry = self.mapping(content, path, ("period", "idle", "steps"))
        idle = entry.get("idle", True)
        if type(idle) is not bool:
            raise ProfileError(f"{self.where}: {path}.idle must be true or false, got {idle!r}")
        period = self.seconds(entry.get("period", Heartbeat.period), f"{path}.period", 0.05, 60)
        return Heartbeat(self.steps(entry.get("steps", []), f"{path}.steps"), period, idle)

    def steps(self, content: Any, path: str) -> tuple[Step, ...]:
        if not isinstance(content, list):
            raise ProfileError(f"{self.where}: {path} must be a list of steps")
        return tuple(self._step(entry, f"{path}[{i}]") for i, entry in enumerate(content))

    def _step(self, content: Any, path: str) -> Step:
        entry = self.mapping(content, path, ("operation", "params", "data", "accept", "wait"))
        wait = self.seconds(entry.get("wait", 0.0), f"{path}.wait")
        if "operation" not in entry:
            if set(entry) != {"wait"}:
                raise ProfileError(f"{self.where}: {path} needs an operation, or wait alone")
            return Step(None, wait=wait)
        operation = self.number(entry["operation"], f"{path}.operation", 0xFFFF)
        params = parse_params(self, entry.get("params", []), f"{path}.params")
        data = parse_data(self, entry["data"], f"{path}.data") if entry.get("data") is not None else None
        accept = entry.get("accept", list(Step.accept))
        if not isinstance(accept, list):
            raise ProfileError(f"{self.where}: {path}.accept must be a list of response codes, got {accept!r}")
        codes = tuple(self.number(code, f"{path}.accept", 0xFFFF) for code in accept)
        return Step(operation, params, data, codes, wait)


class _Hex(int):
    """Written as 0x…."""


class _Flow(dict[str, Any]):
    """Written in one line."""


class _Line(list[Any]):
    """Written in one line."""


def format_profile(profile: Profile, comments: Iterable[str] = ()) -> str:
    """``profile`` as YAML that :func:`parse_profile` reads back to an equal one; ``comments`` come first."""
    import yaml

    class Dumper(yaml.SafeDumper):
        pass

    def flow(dumper: Any, value: Any) -> Any:
        return dumper.represent_mapping("tag:yaml.org,2002:map", value.items(), flow_style=True)

    Dumper.add_representer(_Hex, lambda d, v: d.represent_scalar("tag:yaml.org,2002:int", f"0x{v:04X}"))
    Dumper.add_representer(_Flow, flow)
    Dumper.add_representer(_Line, lambda d, v: d.represent_sequence("tag:yaml.org,2002:seq", v, flow_style=True))
    text = yaml.dump(_content(profile), Dumper=Dumper, sort_keys=False, allow_unicode=True, width=10_000)
    return "".join(f"# {line}\n" for line in comments) + str(text)


def _content(profile: Profile) -> dict[str, Any]:
    match: dict[str, Any] = {}
    if profile.models:
        match["models"] = _Line(profile.models)
    if profile.serial:
        match["serial"] = profile.serial
    measured = profile.measured
    timing: dict[str, Any] = {"hold": profile.hold, "gap": profile.gap, "busy_budget": profile.busy_budget}
    for key in ("response", "spread", "loss"):
        if (value := getattr(measured, key)) is not None:
            timing[key] = value
    if measured.presses:
        timing["presses"] = measured.presses
    content: dict[str, Any] = {"schema": SCHEMA, "origin": profile.origin}
    if match:
        content["match"] = match
    content |= {"session": profile.session, "poll_events": profile.poll_events}
    if profile.counters:
        content["counters"] = {
            name: _Flow(start=rule.start, step=rule.step, modulo=rule.modulo, lowest=rule.lowest)
            for name, rule in profile.counters.items()
        }
    content["init"] = _steps(profile.init)
    content["close"] = _steps(profile.close)
    content["heartbeat"] = [
        {"period": beat.period, "idle": beat.idle, "steps": _steps(beat.steps)} for beat in profile.heartbeats
    ]
    content["timing"] = timing
    if measured.wrap is not None:
        content["wrap"] = measured.wrap
    content["buttons"] = {kind.name.lower(): _button(button) for kind, button in profile.buttons.items()}
    if profile.shutter is not None:
        content["shutter"] = _button(profile.shutter)
    return content


def _button(button: Button) -> dict[str, Any]:
    return {"press": _steps(button.press), "release": _steps(button.release)}


def _steps(steps: tuple[Step, ...]) -> list[_Flow]:
    return [_show(step) for step in steps]


def _show(step: Step) -> _Flow:
    shown = _Flow()
    if step.operation is not None:
        shown["operation"] = _Hex(step.operation)
    if step.params:
        shown["params"] = _Line(_flowing(entry) for entry in show_params(step.params))
    if step.data is not None:
        data = show_data(step.data)
        shown["data"] = data if isinstance(data, str) else _Line(_flowing(entry) for entry in data)
    if step.operation is not None and step.accept != Step.accept:
        shown["accept"] = _Line(_Hex(code) for code in step.accept)
    if step.wait or step.operation is None:
        shown["wait"] = step.wait
    return shown


def _flowing(entry: Any) -> Any:
    if isinstance(entry, int):
        return _Hex(entry) if entry > 9 else entry
    if not isinstance(entry, dict):
        return entry
    hexadecimal = ("echo", "xor")
    return _Flow(
        (key, _Hex(value) if key in hexadecimal else _Line(value) if isinstance(value, list) else value)
        for key, value in entry.items()
    )
