"""The file of actions: when what happens, what is done. One line says what is wrong with it, and where.

.. code-block:: yaml

    actions:
      red light:
        when: {event: gets_focus, person: anna}
        do: {gpio: {line: 17, for_s: 2.0}}
      strangers:
        when: {event: unknown}
        do: {mqtt: {topic: hall/alarm, payload: "a person is here"}}
        min_gap_s: 30
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from face_af_common import yaml_files
from face_af_common.names import canonical_name
from face_af_common.params import suggestion

from .events import KINDS, STATES, WITH_PERSON, Event
from .local_http import Request, RequestError

MAX_ACTIONS = 200
MAX_BURST = 10
"""Pictures of one shutter action."""


class ActionFileError(ValueError):
    """The file of actions cannot be used; one line that says where and why."""


@dataclass(frozen=True)
class Gpio:
    line: int
    for_s: float = 1.0
    """Seconds that the line is active; again within them begins them anew."""
    chip: str = "/dev/gpiochip0"
    active_low: bool = False


@dataclass(frozen=True)
class Message:
    topic: str
    payload: str = ""
    """Empty: the event as JSON. ``{person}``, ``{event}``, ``{state}`` and ``{time}`` are filled in."""
    retain: bool = False


@dataclass(frozen=True)
class Command:
    name: str
    """One of the file's own ``commands``; what it runs is fixed there."""


@dataclass(frozen=True)
class Recipe:
    name: str


@dataclass(frozen=True)
class Shutter:
    count: int = 1
    gap_s: float = 0.5


Do = Gpio | Message | Request | Command | Recipe | Shutter


@dataclass(frozen=True)
class When:
    """Which events start an action. Empty ``persons``: anybody; empty ``states``: any."""

    event: str
    persons: frozenset[str] = frozenset()
    states: frozenset[str] = frozenset()

    def matches(self, event: Event) -> bool:
        return (
            event.kind == self.event
            and (not self.persons or event.person in self.persons)
            and (not self.states or event.state in self.states)
        )


@dataclass(frozen=True)
class Action:
    name: str
    when: tuple[When, ...]
    do: tuple[Do, ...]
    min_gap_s: float = 1.0
    per_minute: int = 60


@dataclass(frozen=True)
class ActionFile:
    actions: tuple[Action, ...] = ()
    commands: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def action(self, name: str) -> Action:
        for action in self.actions:
            if action.name == name:
                return action
        known = [action.name for action in self.actions]
        hint = suggestion(name, known)
        raise ActionFileError(f"there is no action {name!r}{hint or '; there are ' + (', '.join(known) or 'none')}")


def load(path: Path) -> ActionFile:
    """Raises :class:`ActionFileError`."""
    try:
        return parse(yaml_files.load(path), str(path))
    except yaml_files.YamlError as error:
        raise ActionFileError(str(error)) from error


def parse(data: Any, source: str) -> ActionFile:
    """The same for what a file holds; ``source`` is what errors call it."""
    where = _Where(source)
    fields = where.mapping(data if data is not None else {}, {"actions", "commands"})
    commands = _commands(where.inside("commands"), fields.get("commands") or {})
    actions = where.inside("actions").mapping(fields.get("actions") or {}, None)
    if len(actions) > MAX_ACTIONS:
        raise ActionFileError(f"{source}: {len(actions)} actions; {MAX_ACTIONS} are the most")
    made = tuple(_action(where.inside("actions").inside(str(name)), str(name), a) for name, a in actions.items())
    for action in made:
        for do in action.do:
            if isinstance(do, Command) and do.name not in commands:
                hint = suggestion(do.name, commands) or f"; there are {', '.join(commands) or 'none'}"
                raise ActionFileError(f"{source}: {action.name}: there is no command {do.name!r} in `commands`{hint}")
    return ActionFile(made, commands)


@dataclass(frozen=True)
class _Where:
    """A place in the file, for errors."""

    text: str

    def inside(self, key: str) -> _Where:
        return _Where(f"{self.text}: {key}")

    def fail(self, reason: str) -> ActionFileError:
        return ActionFileError(f"{self.text}: {reason}")

    def mapping(self, value: Any, known: set[str] | None) -> dict[str, Any]:
        if not isinstance(value, dict) or not all(isinstance(key, (str, int)) for key in value):
            raise self.fail("names and values are needed here")
        found = {str(key): inner for key, inner in value.items()}
        for key in found:
            if known is not None and key not in known:
                raise self.fail(
                    f"unknown key {key!r}{suggestion(key, known) or '; there are ' + ', '.join(sorted(known))}"
                )
        return found

    def number(self, value: Any, low: float, high: float) -> float:
        good = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        if not good or not low <= value <= high:
            raise self.fail(f"a number from {low:g} to {high:g} is needed, got {value!r}"[:200])
        return float(value)

    def whole(self, value: Any, low: int, high: int) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.fail(f"a whole number is needed, got {value!r}"[:200])
        return int(self.number(value, low, high))

    def text_(self, value: Any) -> str:
        if not isinstance(value, (str, int, float)) or isinstance(value, bool):
            raise self.fail(f"a text is needed, got {value!r}"[:200])
        return str(value)

    def yes(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise self.fail(f"true or false is needed, got {value!r}"[:200])
        return value


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _commands(where: _Where, value: Any) -> dict[str, tuple[str, ...]]:
    commands = {}
    for name, words in where.mapping(value, None).items():
        inside = where.inside(name)
        if not isinstance(words, list) or not words:
            raise inside.fail("a list is needed: the program and its arguments, [/usr/bin/aplay, gong.wav]")
        commands[name] = tuple(inside.text_(word) for word in words)
        if not Path(commands[name][0]).is_absolute():
            raise inside.fail(f"the program's whole path is needed, got {commands[name][0]!r}")
    return commands


def _action(where: _Where, name: str, value: Any) -> Action:
    fields = where.mapping(value, {"when", "do", "min_gap_s", "per_minute"})
    for key in ("when", "do"):
        if not fields.get(key):
            raise where.fail(f"{key!r} is missing")
    return Action(
        name,
        tuple(_when(where.inside("when"), entry) for entry in _listed(fields["when"])),
        tuple(do for entry in _listed(fields["do"]) for do in _dos(where.inside("do"), entry)),
        where.inside("min_gap_s").number(fields.get("min_gap_s", 1.0), 0, 86400),
        where.inside("per_minute").whole(fields.get("per_minute", 60), 1, 6000),
    )


def _when(where: _Where, value: Any) -> When:
    fields = where.mapping({"event": value} if isinstance(value, str) else value, {"event", "person", "state"})
    event = fields.get("event")
    if event not in KINDS:
        hint = suggestion(str(event), KINDS) or f"; there are {', '.join(KINDS)}"
        raise where.fail(f"there is no event {event!r}{hint}")
    persons = [where.inside("person").text_(p) for p in _listed(fields["person"])] if "person" in fields else []
    states = [where.inside("state").text_(s).lower() for s in _listed(fields["state"])] if "state" in fields else []
    if persons and event not in WITH_PERSON:
        raise where.fail(f"{event} is about nobody, so `person` has no meaning")
    if states and event != "state":
        raise where.fail(f"`state` goes with the event state, not with {event}")
    for state in states:
        if state not in STATES:
            raise where.fail(f"there is no state {state!r}{suggestion(state, STATES) or '; ' + ', '.join(STATES)}")
    return When(str(event), frozenset(map(canonical_name, persons)), frozenset(states))


def _dos(where: _Where, value: Any) -> list[Do]:
    fields = where.mapping(value, set(_MAKERS))
    if not fields:
        raise where.fail(f"says nothing to do; one of these is needed: {', '.join(_MAKERS)}")
    return [_MAKERS[kind](where.inside(kind), inner) for kind, inner in fields.items()]


def _gpio(where: _Where, value: Any) -> Gpio:
    fields = where.mapping(value, {"line", "for_s", "chip", "active_low"})
    return Gpio(
        where.inside("line").whole(fields.get("line"), 0, 1023),
        where.inside("for_s").number(fields.get("for_s", 1.0), 0.01, 3600),
        where.inside("chip").text_(fields.get("chip", Gpio.chip)),
        where.inside("active_low").yes(fields.get("active_low", False)),
    )


def _mqtt(where: _Where, value: Any) -> Message:
    fields = where.mapping(value, {"topic", "payload", "retain"})
    topic = where.inside("topic").text_(fields.get("topic", ""))
    if not topic or re.search(r"[+#\0]", topic) or len(topic.encode()) > 1000:
        raise where.inside("topic").fail(f"{topic[:50]!r} is no topic to publish on")
    payload = where.inside("payload").text_(fields.get("payload", ""))
    return Message(topic, payload, where.inside("retain").yes(fields.get("retain", False)))


def _http(where: _Where, value: Any) -> Request:
    fields = where.mapping({"url": value} if isinstance(value, str) else value, {"url", "method", "body", "timeout_s"})
    try:
        return Request.checked(
            where.inside("url").text_(fields.get("url", "")),
            where.inside("method").text_(fields.get("method", "POST")).upper(),
            where.inside("body").text_(fields.get("body", "")),
            where.inside("timeout_s").number(fields.get("timeout_s", 5.0), 0.1, 60),
        )
    except RequestError as error:
        raise where.fail(str(error)) from error


def _command(where: _Where, value: Any) -> Command:
    return Command(where.text_(value))


def _recipe(where: _Where, value: Any) -> Recipe:
    return Recipe(where.text_(value))


def _shutter(where: _Where, value: Any) -> Shutter:
    fields = where.mapping({} if value in (None, True) else value, {"count", "gap_s"})
    return Shutter(
        where.inside("count").whole(fields.get("count", 1), 1, MAX_BURST),
        where.inside("gap_s").number(fields.get("gap_s", 0.5), 0.1, 10),
    )


_MAKERS: Mapping[str, Callable[[_Where, Any], Do]] = {
    "mqtt": _mqtt,
    "gpio": _gpio,
    "http": _http,
    "command": _command,
    "recipe": _recipe,
    "shutter": _shutter,
}
