"""Who is where: the same for the same seed, always plausible."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from face_af_sim.choreography import HEIGHT, LANES, WIDTH, Choreography

NAMES = ("anna", "bert", "cleo", "dora", "emil", "fred", "gina")


def test_the_same_seed_gives_the_same_show_whatever_was_asked_before() -> None:
    straight, jumping = Choreography(NAMES, "anna", 3), Choreography(NAMES, "anna", 3)
    jumping.at(100.0)
    assert [jumping.at(t) for t in (0.0, 7.3, 60.0)] == [straight.at(t) for t in (0.0, 7.3, 60.0)]


def test_another_seed_gives_another_show() -> None:
    assert Choreography(NAMES, "anna", 1).at(10.0) != Choreography(NAMES, "anna", 2).at(10.0)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31 - 1), start=st.floats(0, 600))
def test_people_move_without_jumps_and_stay_within_reach(seed: int, start: float) -> None:
    show = Choreography(NAMES, "anna", seed)
    before = {p.name: p for p in show.at(start)}
    for k in range(1, 60):
        now = {p.name: p for p in show.at(start + k / 30)}
        for name in now.keys() & before.keys():
            # behind the scenes people walk unseen from one side to the other
            backstage = all(not -now[name].face_height < p.x < WIDTH + p.face_height for p in (now[name], before[name]))
            assert backstage or abs(now[name].x - before[name].x) < 40
            assert abs(now[name].facing - before[name].facing) < 0.3
        for p in now.values():
            assert p.face_height in LANES and -1 <= p.facing <= 1
            assert 0.1 * HEIGHT < p.y < 0.6 * HEIGHT
        before = now


def test_painting_order_is_from_far_to_near() -> None:
    show = Choreography(NAMES, "anna", 0)
    for t in range(0, 120, 7):
        lanes = [p.lane for p in show.at(float(t))]
        assert lanes == sorted(lanes)


@pytest.mark.parametrize("seed", range(5))
def test_the_leading_person_is_on_stage_most_of_the_time_and_sometimes_away(seed: int) -> None:
    show = Choreography(NAMES, "anna", seed)
    seen = [any(p.name == "anna" and 0 < p.x < WIDTH and p.facing > 0 for p in show.at(t / 4)) for t in range(4 * 300)]
    assert 0.6 < sum(seen) / len(seen) < 1.0


def test_hours_do_not_pile_up() -> None:
    show = Choreography(NAMES, "anna", 0)
    for hour in range(4):
        show.at(hour * 3600.0)
    assert all(len(part.segments) <= 400 for part in show.parts)
