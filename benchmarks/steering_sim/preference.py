"""Both mistakes about who moved the focus, over the weight of the photographer, beside simple rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from face_af_steering.planner import Planner, PlannerParams

from .figures import ratio, report
from .measure import Result, play
from .rules import RULES, planner_with
from .scenarios import make

WEIGHTS = (0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0)
"""Values of ``photographer_weight``."""
YIELDS_S = (2.0, 5.0, 10.0)
"""A rule has a curve too: over ``yield_s``."""

_Job = tuple[str, int, float, str]


def jobs(draws: Iterable[tuple[str, int, float]]) -> list[_Job]:
    """Every policy for every scenario; a policy is a name and a value."""
    policies = ["all-knowing", *(f"ours={weight}" for weight in WEIGHTS)]
    policies += [f"{rule}={seconds}" for rule in RULES for seconds in YIELDS_S]
    return [(*draw, policy) for draw in draws for policy in policies]


def job(which: _Job) -> Result:
    name, seed, width, policy = which
    rule, _, value = policy.partition("=")

    def planner() -> Planner:
        if rule == "ours":
            return Planner(PlannerParams(photographer_weight=float(value)))
        return planner_with(rule, float(value))

    result = play(make(name, seed, width), "ours" if value else policy, planner)
    result.policy = policy
    return result


def curves(results: Iterable[Result]) -> dict[str, Any]:
    """For each rule its points: value, and what it reaches without and with people."""
    found: Sequence[Result] = list(results)
    data = report(found, ("all-knowing",))
    points: dict[str, list[dict[str, float]]] = defaultdict(list)
    for policy in dict.fromkeys(r.policy for r in found):
        rule, _, value = policy.partition("=")
        if value:
            people = data["with_people"]
            points[rule].append(
                {
                    "value": float(value),
                    "alone": ratio(data["alone"], policy),
                    "outside": ratio(people, policy),
                    "fulfilled": ratio(people, policy, "wish_fulfilled"),
                    "against": people[policy]["presses_per_wish"],
                }
            )
    return {"curves": dict(points)}


def table(data: dict[str, Any]) -> str:
    return "\n".join(_lines(data))


def _lines(data: dict[str, Any]) -> Iterator[str]:
    yield f"{'rule':45} {'value':>6} {'alone':>7} {'outside':>8} {'fulfilled':>9} {'against':>8}"
    for rule, points in data["curves"].items():
        for p in points:
            yield (
                f"{rule:45} {p['value']:6.1f} {p['alone']:7.1%} {p['outside']:8.1%} {p['fulfilled']:9.1%}"
                f" {p['against']:8.2f}"
            )
