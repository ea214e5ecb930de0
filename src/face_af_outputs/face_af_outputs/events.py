"""What happens in front of the camera, as events: from who is seen, chosen, focused and heard at each moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

KINDS: Mapping[str, str] = {
    "appears": "a known person is seen",
    "leaves": "a known person is not seen any more",
    "unknown": "a person is seen whom the gallery does not know",
    "target": "a person becomes the target",
    "gets_focus": "the camera's focus comes to a person",
    "loses_focus": "the camera's focus leaves a person",
    "speaks": "a known person begins to speak",
    "falls_silent": "a known person stops speaking",
    "state": "steering changes its state; `state` names which one",
    "camera_lost": "the connection to the camera is lost",
    "camera_back": "the camera is connected again",
    "capture_lost": "no frames come any more",
    "capture_back": "frames come again",
}
"""Every event that an action can wait for, and when it happens."""
WITH_PERSON = frozenset("appears leaves target gets_focus loses_focus speaks falls_silent".split())

STATES = ("idle", "no_target", "confirming", "steering", "waiting", "on_target", "yielding", "gave_up")
"""Steering's states by their number in ``SteeringState``."""


@dataclass(frozen=True)
class Event:
    """One thing that happened. ``person``: a name, where it is about a person; ``state``: the new one's name."""

    kind: str
    time: float
    """Seconds, of the system's clock."""
    person: str = ""
    state: str = ""

    def text(self) -> str:
        """``appears: anna``; for logs and messages."""
        about = self.person or self.state
        return f"{self.kind}: {about}" if about else self.kind


@dataclass(frozen=True)
class Delays:
    """How long something must last before it counts, seconds."""

    appears: float = 0.5
    leaves: float = 2.0
    unknown: float = 2.0
    focus: float = 0.3
    speaks: float = 0.0
    lost: float = 3.0
    """Without frames, or without a word from the driver."""


@dataclass
class _Steady:
    """A yes or no that changes only after it has been the other way for so long."""

    value: bool = False
    _since: float | None = None

    def update(self, seen: bool, now: float, on_s: float, off_s: float) -> bool:
        """Whether :attr:`value` has changed."""
        if seen == self.value:
            self._since = None
            return False
        if self._since is None or now < self._since:
            self._since = now
        if now - self._since < (on_s if seen else off_s):
            return False
        self.value, self._since = seen, None
        return True


@dataclass
class Observer:
    """Turns what the topics say into events. One thread uses it; ``now`` never comes from a message."""

    delays: Delays = field(default_factory=Delays)
    target: str = ""
    state: str = ""
    focus: str = ""
    speaker: str = ""
    remembered: dict[str, _Steady] = field(default_factory=dict)
    """Who is there, has just left, or may be about to appear; nobody else."""
    _visible: frozenset[str] = frozenset()
    _stranger: _Steady = field(default_factory=_Steady)
    _stranger_seen: bool = False
    _focus: dict[str, _Steady] = field(default_factory=dict)
    _focused: str = ""
    _speaks: dict[str, _Steady] = field(default_factory=dict)
    _camera: bool | None = None
    _frames_at: float | None = None
    _capture_lost: bool = False

    @property
    def present(self) -> list[str]:
        """Who has appeared and not left, sorted."""
        return sorted(name for name, steady in self.remembered.items() if steady.value)

    @property
    def speaking(self) -> list[str]:
        return sorted(name for name, steady in self._speaks.items() if steady.value)

    @property
    def camera_connected(self) -> bool:
        return bool(self._camera)

    def faces(self, names: list[str], strangers: bool, now: float) -> list[Event]:
        """Who is in the newest frame."""
        self._frames_at = now
        self._visible, self._stranger_seen = frozenset(name for name in names if name), strangers
        events = [Event("capture_back", now)] if self._capture_lost else []
        self._capture_lost = False
        return events + self.tick(now)

    def steering(self, state: str, target: str, focus: str, now: float) -> list[Event]:
        """What steering says: its state, the target's name, and whose face has the focus (empty: nobody known)."""
        events = []
        if state != self.state:
            self.state = state
            events.append(Event("state", now, state=state))
        if target != self.target:
            self.target = target
            events += [Event("target", now, target)] if target else []
        self._focused = focus
        return events + self.tick(now)

    def heard(self, name: str, now: float) -> list[Event]:
        """Who speaks now (empty: nobody known)."""
        self.speaker = name
        return self.tick(now)

    def camera(self, connected: bool, now: float) -> list[Event]:
        before, self._camera = self._camera, connected
        if before is None or before == connected:
            return []
        return [Event("camera_back" if connected else "camera_lost", now)]

    def tick(self, now: float) -> list[Event]:
        """What has lasted long enough by now; called some times a second too, when no message comes."""
        d = self.delays
        lost = self._frames_at is not None and now - self._frames_at > d.lost
        events = []
        if lost and not self._capture_lost:
            self._capture_lost, self._visible, self._stranger_seen, self._focused = True, frozenset(), False, ""
            events.append(Event("capture_lost", now))
        events += _changes(self.remembered, self._visible, now, ("appears", d.appears), ("leaves", d.leaves))
        focused = frozenset([self._focused]) - {""}
        events += _changes(self._focus, focused, now, ("gets_focus", d.focus), ("loses_focus", d.focus))
        self.focus = next((name for name, steady in self._focus.items() if steady.value), "")
        speaking = frozenset([self.speaker]) - {""}
        events += _changes(self._speaks, speaking, now, ("speaks", d.speaks), ("falls_silent", 0.0))
        if self._stranger.update(self._stranger_seen, now, d.unknown, d.leaves) and self._stranger.value:
            events.append(Event("unknown", now))
        return events


def _changes(
    known: dict[str, _Steady], now_true: frozenset[str], now: float, on: tuple[str, float], off: tuple[str, float]
) -> list[Event]:
    """Updates each person's yes or no; who has long been neither is forgotten, so that memory stays bounded."""
    events = []
    for name in sorted(now_true | known.keys()):
        steady = known.setdefault(name, _Steady())
        if steady.update(name in now_true, now, on[1], off[1]):
            events.append(Event(on[0] if steady.value else off[0], now, name))
        if not steady.value and name not in now_true:
            del known[name]
    # who has lost it comes first: the new one's `on` must be the last word
    return sorted(events, key=lambda event: event.kind == on[0])
