"""How long a launch waits before it starts a dead node again."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from face_af import respawn
from face_af.respawn import (
    FIRST_S,
    FORGIVEN_AFTER_S,
    LONGEST_S,
    STANDBY_AFTER_S,
    STANDBY_GAP_S,
    Patience,
    Respawn,
)


def test_waits_longer_each_time_and_forgives() -> None:
    patience = Patience()
    assert [patience.after(1.0) for _ in range(7)] == [FIRST_S, 1.0, 2.0, 4.0, 8.0, LONGEST_S, LONGEST_S]
    assert patience.after(FORGIVEN_AFTER_S + 1) == FIRST_S
    assert patience.after(0.1) == 1.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, to be set; and launch's actions as plain objects, because launch itself is not needed for this."""
    actions = SimpleNamespace(
        LogInfo=lambda msg: msg, TimerAction=lambda period, actions: SimpleNamespace(period=period, actions=actions)
    )
    monkeypatch.setitem(sys.modules, "launch", SimpleNamespace(actions=actions))
    monkeypatch.setitem(sys.modules, "launch.actions", actions)
    now = [0.0]
    monkeypatch.setattr(respawn.time, "monotonic", lambda: now[0])
    return now


def after_death(keeper: Respawn, action: Any, status: int = -9, shutdown: bool = False) -> Any:
    context = SimpleNamespace(is_shutdown=shutdown)
    return keeper.on_exit(SimpleNamespace(action=action, returncode=status, process_name="x"), context)


def period(entities: Any) -> float:
    return float(entities[1].period)


def test_what_is_started_again(clock: list[float]) -> None:
    keeper = Respawn(user_error=2)
    action = keeper.keep(object)
    waited = []
    for _ in range(3):
        clock[0] += 1.0
        entities = after_death(keeper, action)
        waited.append(period(entities))
        (action,) = entities[1].actions
        clock[0] += waited[-1]
    assert waited == [FIRST_S, 1.0, 2.0]
    clock[0] += 100.0
    entities = after_death(keeper, action)
    assert period(entities) == FIRST_S
    assert after_death(keeper, object()) is None, "another's process"
    assert after_death(keeper, entities[1].actions[0], status=2) is None, "a user's error"
    assert after_death(keeper, keeper.keep(object), shutdown=True) is None


def test_a_standby_goes_on_and_gets_a_successor(clock: list[float]) -> None:
    keeper = Respawn(user_error=2)
    first, later = keeper.keep_two(object)
    assert later.period == STANDBY_AFTER_S
    assert keeper.keep_two(object)[1].period == STANDBY_AFTER_S + STANDBY_GAP_S, "not all at once"
    clock[0] = 1.0
    entities = after_death(keeper, first)
    assert period(entities) == FIRST_S, "the standby is not there yet"
    (again,) = entities[1].actions
    clock[0] = 100.0
    entities = after_death(keeper, again)
    assert "standby goes on" in entities[0]
    assert period(entities) == STANDBY_GAP_S, "the standby needs the processor first"
    clock[0] = 101.0
    assert period(after_death(keeper, later.actions[0])) == FIRST_S, "both are dead"
