"""A short run of the closed-loop bench, on seeds that are neither for tuning nor for judging."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

_BENCHMARKS = Path(__file__).resolve().parents[3] / "benchmarks"
if not (_BENCHMARKS / "steering_sim").is_dir():
    pytest.skip("the benchmarks are not beside the sources", allow_module_level=True)
sys.path.insert(0, str(_BENCHMARKS))

from steering_sim import figures  # noqa: E402
from steering_sim.conditions import Conditions  # noqa: E402
from steering_sim.measure import play  # noqa: E402
from steering_sim.rules import RULES, planner_with  # noqa: E402
from steering_sim.scenarios import ALONE, WITH_PEOPLE, make  # noqa: E402
from steering_sim.stream import StreamNumbers  # noqa: E402

from face_af_steering.planner import Planner  # noqa: E402

_SEED = 5_000_000
_POLICIES = ("ours", "all-knowing")
_FEW = tuple(name for name in ALONE if name != "crowd of 15")


def test_close_to_an_all_knowing_policy_with_few_presses() -> None:
    results = [play(make(name, _SEED), policy) for name in _FEW for policy in _POLICIES]
    by = figures.report(results, _POLICIES)["alone"]
    assert figures.ratio(by, "ours") > 0.94
    assert by["ours"]["presses_per_min"] < 1.6 * by["all-knowing"]["presses_per_min"]
    assert by["ours"]["presses_while_right_per_min"] <= 0.3


def test_a_photographer_gets_most_wishes_and_the_target_most_of_the_rest() -> None:
    results = [play(make(name, _SEED + k), policy) for name in WITH_PEOPLE for k in range(2) for policy in _POLICIES]
    by = figures.report(results, _POLICIES)["with_people"]
    assert by["ours"]["wishes"] >= 10
    assert figures.ratio(by, "ours") > 0.7
    assert figures.ratio(by, "ours", "wish_fulfilled") > 0.7
    assert by["ours"]["presses_per_wish"] < 2.0


def test_the_same_seed_gives_the_same_course() -> None:
    one, other = (play(make("photographer", _SEED), "ours", trace=True) for _ in range(2))
    assert one == other and one.timeline


def test_the_simple_rules_that_stand_beside_ours_do_what_they_say() -> None:
    def presses(rule: str) -> int:
        """Against wishes."""
        made = (make("photographer", _SEED + k) for k in range(2))
        return sum(play(scenario, "ours", lambda: planner_with(rule, 5.0)).presses_against for scenario in made)

    pressed = {rule: presses(rule) for rule in RULES}
    always, never = pressed.pop("yield to every move"), pressed.pop("never yield")
    assert never >= 20 and always <= never / 8
    assert all(always < number < never for number in pressed.values())


def test_presses_that_the_driver_finds_too_old_are_steerings_to_repeat() -> None:
    """Three frames a second, each 0.5 to 0.75 s old when its press is decided: some are dropped, none is mourned."""
    slow = StreamNumbers(period_s=(0.3, 0.36), latency_s=(0.5, 0.75))
    scenario = make("turning away", _SEED + 1, conditions=Conditions(stream=slow, camera={"loss": 0.0}))
    deaf = Planner()
    deaf.not_sent = lambda: None  # type: ignore[method-assign]
    told, untold = play(scenario, "ours"), play(scenario, "ours", lambda: deaf)
    assert told.dropped >= 5 and told.presses >= 5
    assert told.on_target_s > 1.1 * untold.on_target_s
