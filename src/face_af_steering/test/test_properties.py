"""Rules that must hold whatever vision says and the camera does."""

from __future__ import annotations

import itertools
import random
import sys
from collections import deque

from hypothesis import given, settings
from hypothesis import strategies as st
from scene import FRAME_S, Play, Scene

from face_af_common.types import Action, ActionKind, AfBox, AfState, Box, Face
from face_af_steering.planner import Planner, PlannerParams

_BOXES = st.builds(
    Box,
    st.floats(-50, 1950),
    st.floats(-50, 1100),
    st.one_of(st.just(0.0), st.floats(1, 600)),
    st.one_of(st.just(0.0), st.floats(1, 600)),
)
_FACES = st.lists(
    st.builds(Face, st.integers(1, 6), _BOXES, st.booleans(), st.floats(-1, 1)),
    max_size=6,
    unique_by=lambda f: f.track_id,
)
_AF_BOXES = st.lists(st.builds(AfBox, st.sampled_from(AfState), _BOXES), max_size=6)
_FRAMES = st.lists(st.tuples(st.floats(0.0, 0.4), _FACES, _AF_BOXES), max_size=60)


def _drive(planner: Planner, frames: list[tuple[float, list[Face], list[AfBox]]]) -> list[tuple[float, Action]]:
    now, sent = 0.0, []
    for step, faces, boxes in frames:
        now += step
        sent += [(now, action) for action in planner.update(now, faces, boxes)]
    return sent


@settings(max_examples=150, deadline=None)
@given(_FRAMES, st.sampled_from(["press", "af_area"]))
def test_anything_may_be_seen(frames: list[tuple[float, list[Face], list[AfBox]]], mode: str) -> None:
    """No exception; at most one action; only with a target in sight; the limits hold; the same again."""
    params = PlannerParams(mode=mode, max_presses=5, rate_window_s=4.0, confirm_frames=1)
    planner, now, times = Planner(params), 0.0, []
    for step, faces, boxes in frames:
        now += step
        actions = planner.update(now, faces, boxes)
        assert len(actions) <= 1
        if actions:
            assert any(face.is_target for face in faces)
            times.append(now)
        assert planner.reason
    assert all(b - a >= params.min_interval_s - 1e-9 for a, b in itertools.pairwise(times))
    for i, start in enumerate(times):
        assert sum(start <= t < start + params.rate_window_s - 1e-9 for t in times[i:]) <= params.max_presses
    assert _drive(Planner(params), frames) == _drive(Planner(params), frames)


def _noisy(scene: Scene, rng: random.Random) -> None:
    """One frame's worth of misreadings: at most one box wrong, some missing."""
    scene.misread = {}
    if rng.random() < 0.02:
        i = rng.randrange(scene.count)
        scene.misread = {i: AfState.DETECTED if i == scene.chosen else AfState.TRACKED}
    scene.unseen_boxes = {i for i in range(scene.count) if rng.random() < 0.02}


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 9), st.integers(3, 20), st.floats(0.0, 0.25))
def test_gets_there_without_hurry(seed: int, count: int, delay: int, loss: float) -> None:
    """Whatever the camera's delay and losses: the target gets the focus, one press at a time unless planned."""
    rng = random.Random(seed)
    scene = Scene(count, target=rng.randrange(count), chosen=rng.randrange(count))
    play = Play(scene, delay=delay)
    play.lost = {i for i in range(200) if rng.random() < loss}
    for _ in range(30 * 30):
        _noisy(scene, rng)
        play.run(1)
    assert scene.chosen == scene.target
    params = play.planner.params
    kinds = [(t, a.kind) for t, a in play.sent]
    for (t, one), (u, other) in itertools.pairwise(kinds):
        assert u - t >= params.min_interval_s - 1e-9
        if one != other and {one, other} == {ActionKind.LEFT, ActionKind.RIGHT}:
            # never there and back within the camera's response time
            assert u - t >= min(delay * FRAME_S, 0.3) - 2 * FRAME_S


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(3, 6))
def test_nothing_is_pressed_while_all_is_well(seed: int, count: int) -> None:
    rng = random.Random(seed)
    scene = Scene(count, target=1, chosen=1)
    play = Play(scene)
    play.run(10)
    for _ in range(30 * 30):
        _noisy(scene, rng)
        play.run(1)
    assert play.sent == []


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 9), st.integers(300, 1500), st.sampled_from([0.25, 0.5, 1.0, 2.0]))
def test_one_misread_box_never_causes_a_press(seed: int, count: int, quiet: int, rate: float) -> None:
    """However well boxes were read before, and whatever the frame rate."""
    rng = random.Random(seed)
    scene = Scene(count, target=rng.randrange(count), sizes=[rng.uniform(80, 140) for _ in range(count)])
    scene.chosen = scene.target
    planner = Planner()
    for k in range(quiet + 60):
        i = rng.randrange(count)
        wrong = AfState.DETECTED if i == scene.chosen else rng.choice([AfState.TRACKED, AfState.ACTIVE_FOCUS])
        scene.misread = {i: wrong} if k >= quiet and k % 6 == 0 else {}
        assert planner.update(k * FRAME_S / rate, scene.faces(), scene.boxes()) == []


def _size(thing: object, seen: set[int]) -> int:
    if id(thing) in seen:
        return 0
    seen.add(id(thing))
    size = sys.getsizeof(thing)
    if isinstance(thing, dict):
        size += sum(_size(k, seen) + _size(v, seen) for k, v in thing.items())
    elif isinstance(thing, (list, tuple, set, deque)):
        size += sum(_size(item, seen) for item in thing)
    for name in [*getattr(thing, "__dict__", {}), *getattr(type(thing), "__slots__", ())]:
        size += _size(getattr(thing, name, None), seen)
    return size


def test_hours_leave_no_trace() -> None:
    """New track ids all the time, presses all the time: the planner's memory stays small."""
    planner, rng = Planner(), random.Random(5)
    sizes = []
    for k in range(30 * 600):
        places = [(i, Box(60 + 230 * i + rng.uniform(-9, 9), 300, 100, 120)) for i in range(8)]
        faces = [Face(1 + i + 8 * (k // 20), box, i == 3, rng.uniform(0.4, 0.7)) for i, box in places]
        boxes = [AfBox(AfState.TRACKED if i == (k // 90) % 8 else AfState.DETECTED, box) for i, box in places]
        boxes += [AfBox(AfState.DETECTED, Box(rng.uniform(0, 1800), rng.uniform(500, 900), 60, 60))]
        planner.update(k * FRAME_S, faces, boxes)
        if k % 3000 == 2999:
            sizes.append(_size(planner, set()))
    assert max(sizes) < 200_000
    assert sizes[-1] < 1.5 * sizes[0] + 10_000
