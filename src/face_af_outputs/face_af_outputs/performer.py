"""Carries actions out: limits first, then each in the thread of its channel."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from . import commands, local_http
from .action_file import Action, ActionFile, Command, Do, Gpio, Message, Recipe, Shutter
from .events import Event
from .gpio import GpiodLine, Line, Pulses, TerminalLine
from .house import House
from .limits import Limit
from .local_http import Request
from .outbox import Outbox
from .workers import ActionError, Workers

LineMaker = Callable[[Gpio], Line]
LINES: dict[str, LineMaker] = {"gpiod": GpiodLine, "terminal": TerminalLine}


@dataclass(frozen=True)
class Hands:
    """What the graph does for an action; each may raise ``ActionError`` and is called from a worker's thread."""

    recipe: Callable[[str], None]
    shutter: Callable[[int, float], None]


class Performer:
    """One for a file of actions. ``outbox`` None: there is no broker, and messages are refused in one line."""

    def __init__(
        self,
        file: ActionFile,
        outbox: Outbox | None,
        house: House | None,
        hands: Hands,
        say: Callable[[str], None],
        *,
        make_line: LineMaker = GpiodLine,
        dry_run: bool = False,
    ) -> None:
        self.file, self.dry_run = file, dry_run
        self._outbox, self._house, self._hands, self._say = outbox, house, hands, say
        self._make_line = make_line
        self._limits = {action.name: Limit(action.min_gap_s, action.per_minute) for action in file.actions}
        self._lines: dict[tuple[str, int], Pulses] = {}
        self._workers = Workers(say)
        self.performed = 0

    @property
    def limited(self) -> int:
        """Actions that came too soon."""
        return sum(limit.dropped for limit in self._limits.values())

    @property
    def figures(self) -> dict[str, object]:
        workers = self._workers
        return {
            "actions": self.performed,
            "limited": self.limited,
            "dropped": workers.dropped,
            "failed": workers.failed,
        }

    def happened(self, events: Iterable[Event]) -> None:
        """Starts what the file says about these events. Never waits."""
        now = time.monotonic()
        for event in events:
            for action in self.file.actions:
                if any(when.matches(event) for when in action.when) and self._limits[action.name].allows(now):
                    self.perform(action, event)

    def perform(self, action: Action, event: Event) -> None:
        """Starts an action, whatever its limits. Never waits."""
        self.performed += 1
        for do in action.do:
            if self.dry_run:
                self._say(f"dry run: {action.name}: {event.text()}: {do}")
            else:
                self._workers.submit(_channel(do), partial(self._do, do, event))

    def wait(self, seconds: float) -> bool:
        """For tools: until everything that was started has ended, and pulses are over."""
        idle = self._workers.wait_idle(seconds)
        return idle and all(pulses.wait_off(seconds) for pulses in self._lines.values())

    @property
    def failed(self) -> int:
        return self._workers.failed

    def close(self) -> None:
        self._workers.close()
        for pulses in self._lines.values():
            pulses.close()

    def _do(self, do: Do, event: Event) -> None:
        if isinstance(do, Message):
            self._message(do, event)
        elif isinstance(do, Gpio):
            self._pulse(do)
        elif isinstance(do, Request):
            local_http.send(do)
        elif isinstance(do, Command):
            commands.run(self.file.commands[do.name], event)
        elif isinstance(do, Recipe):
            self._hands.recipe(do.name)
        elif isinstance(do, Shutter):
            self._hands.shutter(do.count, do.gap_s)

    def _message(self, message: Message, event: Event) -> None:
        if self._outbox is None or self._house is None:
            raise ActionError(f"{message.topic}: there is no broker; set the parameter mqtt.host")
        payload = filled(message.payload, event) if message.payload else self._house.payload(event)
        (self._outbox.state if message.retain else self._outbox.event)(message.topic, payload)

    def _pulse(self, gpio: Gpio) -> None:
        key = (gpio.chip, gpio.line)
        if key not in self._lines:
            # opened when it is first needed: one that is in use may be free by then
            self._lines[key] = Pulses(self._make_line(gpio), self._say)
        self._lines[key].pulse(gpio.for_s)


def _channel(do: Do) -> Sequence[object]:
    """What one thread does in order: a line, a device of the house, a program, the graph."""
    if isinstance(do, Gpio):
        return ("gpio", do.chip, do.line)
    if isinstance(do, Request):
        return ("http", do.url.split("/")[2])
    if isinstance(do, Command):
        return ("command", do.name)
    return (type(do).__name__.lower(),)


def filled(text: str, event: Event) -> bytes:
    """``{person}``, ``{event}``, ``{state}`` and ``{time}`` replaced, everything else as it stands."""
    for key, value in (
        ("event", event.kind),
        ("state", event.state),
        ("time", f"{event.time:.3f}"),
        ("person", event.person),
    ):
        text = text.replace(f"{{{key}}}", value)
    return text.encode()
