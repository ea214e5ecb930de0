"""How long a launch waits before it starts a dead node again."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from face_af_tools import respawn
from face_af_tools.respawn import FIRST_S, FORGIVEN_AFTER_S, LONGEST_S, Patience, Respawn


def test_waits_longer_each_time_and_forgives() -> None:
    patience = Patience()
    assert [patience.after(1.0) for _ in range(7)] == [FIRST_S, 1.0, 2.0, 4.0, 8.0, LONGEST_S, LONGEST_S]
    assert patience.after(FORGIVEN_AFTER_S + 1) == FIRST_S
    assert patience.after(0.1) == 1.0


def test_what_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    actions = SimpleNamespace(
        LogInfo=lambda msg: msg, TimerAction=lambda period, actions: SimpleNamespace(period=period, actions=actions)
    )
    monkeypatch.setitem(sys.modules, "launch", SimpleNamespace(actions=actions))
    monkeypatch.setitem(sys.modules, "launch.actions", actions)
    clock = [0.0]
    monkeypatch.setattr(respawn.time, "monotonic", lambda: clock[0])
    keeper = Respawn(user_error=2)
    running = SimpleNamespace(is_shutdown=False)

    def died(action: Any, status: int = -9, context: Any = running) -> Any:
        return keeper.on_exit(SimpleNamespace(action=action, returncode=status, process_name="x"), context)

    def period(entities: Any) -> float:
        return float(entities[1].period)

    action = keeper.keep(object)
    waited = []
    for _ in range(3):
        clock[0] += 1.0
        entities = died(action)
        waited.append(period(entities))
        (action,) = entities[1].actions
        clock[0] += waited[-1]
    assert waited == [FIRST_S, 1.0, 2.0]
    clock[0] += 100.0
    entities = died(action)
    assert period(entities) == FIRST_S
    assert died(object()) is None, "another's process"
    assert died(entities[1].actions[0], status=2) is None, "a user's error"
    assert died(keeper.keep(object), context=SimpleNamespace(is_shutdown=True)) is None
