"""Starts a launch's nodes again when they die: soon at first, more and more patiently when they keep dying.

``respawn_delay`` of a launch action is the same after every death. A node that cannot live (a broken library, a full
disk) would be started once a second for a whole show.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

FIRST_S, LONGEST_S = 0.1, 10.0
FORGIVEN_AFTER_S = 60.0
STANDBY_AFTER_S, STANDBY_GAP_S = 10.0, 6.0
"""The first standby starts when the graph runs, and the others one after the other: each takes its time."""


@dataclass
class Patience:
    """How long to wait before one node is started again."""

    deaths: int = 0
    """In a row, each soon after its start."""

    def after(self, lived_s: float) -> float:
        """Seconds to wait, for a node that died after ``lived_s``: 0.1, 1, 2, 4, 8, 10; 0.1 again after a minute."""
        self.deaths = 0 if lived_s >= FORGIVEN_AFTER_S else self.deaths
        delay = min(2.0 ** (self.deaths - 1), LONGEST_S) if self.deaths else FIRST_S
        self.deaths += 1
        return delay


@dataclass
class _Kept:
    """One node, with one process or two."""

    make: Callable[[], Any]
    patience: Patience = field(default_factory=Patience)
    started: dict[Any, float] = field(default_factory=dict)
    """When each process was or will be started, by its launch action."""


class Respawn:
    """Keeps launch's node actions alive. Register :meth:`on_exit` with ``OnProcessExit``."""

    def __init__(self, user_error: int) -> None:
        self._user_error = user_error
        self._kept: list[_Kept] = []
        self._standbys = 0

    def keep(self, make: Callable[[], Any]) -> Any:
        """The action that ``make`` returns; it is called again for every new start."""
        self._kept.append(_Kept(make))
        return self._start(self._kept[-1], 0.0)

    def keep_two(self, make: Callable[[], Any]) -> list[Any]:
        """The same for a node with a standby (face_af_common.standby), which starts some time later."""
        from launch.actions import TimerAction

        first = self.keep(make)
        delay = STANDBY_AFTER_S + STANDBY_GAP_S * self._standbys
        self._standbys += 1
        return [first, TimerAction(period=delay, actions=[self._start(self._kept[-1], delay)])]

    def on_exit(self, event: Any, context: Any) -> Any:
        """What launch does about a node's end; nothing for one that ended by a user's error or with the launch."""
        from launch.actions import LogInfo, TimerAction

        kept = next((k for k in self._kept if event.action in k.started), None)
        if kept is None:
            return None
        now = time.monotonic()
        lived = now - kept.started.pop(event.action)
        if event.returncode == self._user_error or context.is_shutdown:
            return None
        delay = kept.patience.after(lived)
        told = "it is started again"
        if any(at <= now for at in kept.started.values()):
            # whoever takes over needs the processor first
            delay = max(delay, STANDBY_GAP_S)
            told = "its standby goes on; another is started"
        return [
            LogInfo(msg=f"{event.process_name} has ended; {told} in {delay:g} s"),
            TimerAction(period=delay, actions=[self._start(kept, delay)]),
        ]

    def _start(self, kept: _Kept, delay: float) -> Any:
        action = kept.make()
        kept.started[action] = time.monotonic() + delay
        return action
