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
    make: Callable[[], Any]
    started: float
    patience: Patience = field(default_factory=Patience)


class Respawn:
    """Keeps launch's node actions alive. Register :meth:`on_exit` with ``OnProcessExit``."""

    def __init__(self, user_error: int) -> None:
        self._user_error = user_error
        self._kept: dict[Any, _Kept] = {}

    def keep(self, make: Callable[[], Any]) -> Any:
        """The action that ``make`` returns; it is called again for every new start."""
        action = make()
        self._kept[action] = _Kept(make, time.monotonic())
        return action

    def on_exit(self, event: Any, context: Any) -> Any:
        """What launch does about a node's end; nothing for one that ended by a user's error or with the launch."""
        from launch.actions import LogInfo, TimerAction

        kept = self._kept.pop(event.action, None)
        if kept is None or event.returncode == self._user_error or context.is_shutdown:
            return None
        delay = kept.patience.after(time.monotonic() - kept.started)
        again = kept.make()
        self._kept[again] = _Kept(kept.make, time.monotonic() + delay, kept.patience)
        return [
            LogInfo(msg=f"{event.process_name} has ended; it is started again in {delay:g} s"),
            TimerAction(period=delay, actions=[again]),
        ]
