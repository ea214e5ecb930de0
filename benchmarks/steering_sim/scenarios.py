"""The scenarios: who is on stage, what they do, and with which camera."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from dataclasses import dataclass

from .conditions import AS_DRAWN, Conditions
from .numbers import (
    OWN_MOVES,
    CameraNumbers,
    PhotographerNumbers,
    Ranges,
    draw_numbers,
    draw_own_moves,
    draw_photographer,
)
from .stream import draw_few_frames, draw_stream
from .world import WIDTH, Person, Stage, play, spells

SECONDS = 90.0


@dataclass
class Scenario:
    name: str
    seed: int
    stage: Stage
    numbers: CameraNumbers
    like_target: list[bool]
    photographer: PhotographerNumbers | None = None
    conditions: Conditions = AS_DRAWN


def _row(rng: random.Random, count: int, size: tuple[float, float] = (80.0, 140.0)) -> list[Person]:
    """People side by side, swaying a little; the target anywhere among them."""
    pitch = (WIDTH - 240) / max(count - 1, 1)
    places = [120 + pitch * i for i in range(count)]
    rng.shuffle(places)
    low, high = size
    high = max(low * 0.6, min(high, 0.7 * pitch))
    return [
        Person(
            x,
            rng.uniform(350, 650),
            rng.uniform(min(low, 0.8 * high), high),
            swing_x=rng.uniform(0, 0.25 * pitch),
            swing_y=rng.uniform(0, 40),
            rate=rng.uniform(0.05, 0.2),
            phase=rng.uniform(0, 6.28),
        )
        for x in places
    ]


def _pair(rng: random.Random) -> list[Person]:
    return _row(rng, 2, (90, 180))


def _crossings(rng: random.Random) -> list[Person]:
    people = _row(rng, rng.choice([2, 3, 4]), (90, 150))
    for person in people:
        person.swing_x = rng.uniform(300, 700)
        person.x = WIDTH / 2 + rng.uniform(-200, 200)
        person.rate = rng.uniform(0.03, 0.08)
    return people


def _occlusions(rng: random.Random) -> list[Person]:
    people = _row(rng, 3, (80, 120))
    passer = Person(WIDTH / 2, people[0].y, 200, swing_x=900, rate=rng.uniform(0.03, 0.06), phase=rng.uniform(0, 6))
    return [*people, passer]


def _exits(rng: random.Random) -> list[Person]:
    people = _row(rng, rng.choice([3, 4, 5]))
    people[0].swing_x, people[0].rate = rng.uniform(1000, 1500), rng.uniform(0.03, 0.06)
    people[1].away = spells(rng, SECONDS, 10.0, 1.0, 4.0)
    return people


def _crowd(count: int) -> Callable[[random.Random], list[Person]]:
    def make(rng: random.Random) -> list[Person]:
        people = _row(rng, count, (60, 110))
        people[0].away = spells(rng, SECONDS, 20.0, 0.5, 3.0)
        return people

    return make


def _stacks(rng: random.Random) -> list[Person]:
    people = _row(rng, rng.choice([3, 4]), (80, 110))
    for person in people:
        person.swing_x = min(person.swing_x, 60)
        person.y = rng.uniform(650, 750)
    below = people[rng.choice([0, 1])]
    above = people[1] if below is people[0] else people[0]
    above.x, above.y = below.x + rng.uniform(-20, 20), below.y - rng.uniform(300, 400)
    above.swing_x, above.rate, above.phase = below.swing_x, below.rate, below.phase
    people[0].away = spells(rng, SECONDS, 12.0, 0.5, 2.0)
    return people


def _look_alikes(rng: random.Random) -> list[Person]:
    people = _row(rng, rng.choice([3, 4]))
    people[1].looks_like_target = True
    people[0].away = spells(rng, SECONDS, 12.0, 0.5, 2.0)
    return people


def _turning(rng: random.Random) -> list[Person]:
    people = _row(rng, rng.choice([2, 3, 4]))
    people[0].away = spells(rng, SECONDS, 8.0, 0.3, 1.5)
    for person in people[1:]:
        person.away = spells(rng, SECONDS, 15.0, 0.3, 2.0)
    return people


def _some(rng: random.Random) -> list[Person]:
    return _row(rng, rng.choice([2, 3, 4, 5]))


def _many(rng: random.Random) -> list[Person]:
    return _row(rng, rng.choice([6, 7, 8]), (60, 110))


def _anybody(rng: random.Random) -> list[Person]:
    """Two to eight people who stand, cross, or turn away."""
    return rng.choice([_some, _some, _crossings, _turning, _many])(rng)


_FAMILIES: dict[str, Callable[[random.Random], list[Person]]] = {
    "pair": _pair,
    "crossings": _crossings,
    "occlusions": _occlusions,
    "exits": _exits,
    "crowd of 8": _crowd(8),
    "crowd of 15": _crowd(15),
    "stacks": _stacks,
    "look-alikes": _look_alikes,
    "lost presses": _some,
    "slow response": _some,
    "turning away": _turning,
}
_RESTLESS = {f"moves: {to}": to for to in OWN_MOVES}
"""Bodies that go to one kind of face by themselves, up to several times a minute."""
_WITH_PEOPLE = ("photographer", "with still camera", "with restless camera", "gives in")
"""A photographer who now and then wants another face."""

ALONE = (*_FAMILIES, *_RESTLESS, "moves and losses")
WITH_PEOPLE = tuple(_WITH_PEOPLE)
SLOW = ("slow: as drawn", "slow: moves", "slow: photographer", "slow: few frames")
"""Seen by a computer that is slow for its models: what is compared with *late*, who sees no more than it does."""
NAMES = (*ALONE, *WITH_PEOPLE, *SLOW)


def make(name: str, seed: int, width: float = 1.0, conditions: Conditions = AS_DRAWN) -> Scenario:
    """One scenario of a family, with a body and perhaps a photographer of its own.

    ``width``: of the ranges that they are drawn from, 1 = those of tuning. ``conditions`` change what was
    drawn, the rest of the scenario stays as it is.
    """
    rng = random.Random(f"{name}/{seed}")
    ranges = Ranges(rng, width)
    people = _FAMILIES.get(name, _anybody)(rng)
    numbers = draw_numbers(ranges)
    with_people = name in WITH_PEOPLE or name == "slow: photographer"
    photographer = draw_photographer(ranges, gives_in=name == "gives in") if with_people else None
    if name == "lost presses":
        numbers = dataclasses.replace(numbers, loss=ranges.share(0.15, 0.3))
    elif name == "slow response":
        numbers = dataclasses.replace(numbers, response_s=ranges.span(0.4, 0.6, most=1.0))
    elif name in _RESTLESS:
        numbers = dataclasses.replace(numbers, own_moves=draw_own_moves(ranges, 2.5, 10.0, to=_RESTLESS[name]))
    elif name == "moves and losses":
        moves = draw_own_moves(ranges, 4.0, 15.0)
        numbers = dataclasses.replace(numbers, own_moves=moves, dropout_every_s=ranges.span(5.0, 20.0))
    elif name == "with still camera":
        numbers = dataclasses.replace(numbers, own_moves=())
    elif name == "with restless camera":
        numbers = dataclasses.replace(numbers, own_moves=draw_own_moves(ranges, 6.0, 20.0))
    elif name == "slow: moves":
        numbers = dataclasses.replace(numbers, own_moves=draw_own_moves(ranges, 4.0, 15.0))
    if name in SLOW:
        draw = draw_few_frames if name == "slow: few frames" else draw_stream
        conditions = dataclasses.replace(conditions, stream=draw(ranges))
    stage = play(people, SECONDS, conditions.fps)
    like_target = [p.looks_like_target for p in people]
    return Scenario(name, seed, stage, conditions.changed(numbers), like_target, photographer, conditions)
