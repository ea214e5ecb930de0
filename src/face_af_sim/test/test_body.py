"""The simulated camera: what presses do, what it does by itself, and that it is the same for the same input."""

from __future__ import annotations

import dataclasses

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from face_af_common.types import ActionKind, AfState, Box
from face_af_sim.body import BodyParams, CameraBody, CameraView
from face_af_sim.stage import Actor

PERFECT = BodyParams(
    response_ms=100.0,
    response_jitter_ms=0.0,
    loss=0.0,
    jumps=0.0,
    misses=0.0,
    miss_s=0.0,
    find_s=0.0,
    focus_s=0.2,
    hold_s=0.5,
)


def row(*names: str) -> list[Actor]:
    """Faces from left to right, 300 pixels apart."""
    return [Actor(name, Box(200.0 + 300 * i, 300, 90, 130), 1.0, 1.0) for i, name in enumerate(names)]


def run(body: CameraBody, actors: list[Actor], start: float, seconds: float) -> CameraView:
    view = CameraView()
    for k in range(round(seconds * 30)):
        view = body.see(start + k / 30, actors)
    return view


def camera(**changes: float) -> CameraBody:
    return CameraBody(dataclasses.replace(PERFECT, **changes), 1920, 1080, 1)


def test_it_chooses_somebody_by_itself_and_turns_green() -> None:
    body, people = camera(), row("a", "b", "c")
    first = run(body, people, 0.0, 2 / 30)
    assert first.focus and not first.focused
    assert sorted(box.state for box in first.boxes) == [AfState.DETECTED, AfState.DETECTED, AfState.TRACKED]
    later = run(body, people, 0.1, 0.5)
    assert later.focused and AfState.ACTIVE_FOCUS in {box.state for box in later.boxes}


def test_left_and_right_walk_along_the_row_and_stop_at_its_end() -> None:
    body, people = camera(), row("a", "b", "c")
    now = 0.0
    for button, names in ((ActionKind.RIGHT, "cc"), (ActionKind.LEFT, "baaa")):
        run(body, people, now, 1.0)
        now += 1.0
        reached = []
        for _ in range(4):
            body.press(button)
            reached.append(run(body, people, now, 1.0).focus)
            now += 1.0
        assert "".join(reached).endswith(names)


def test_a_press_takes_effect_after_the_response_time_and_not_before() -> None:
    body, people = camera(), row("a", "b")
    start = run(body, people, 0.0, 1.0).focus
    body.press(ActionKind.LEFT if start == "b" else ActionKind.RIGHT)
    newest = 29 / 30
    early, late = body.see(newest + 0.09, people), body.see(newest + 0.101, people)
    assert early.focus == start and late.focus != start
    assert late.presses == 1


def test_fn1_goes_round_faces_above_one_another() -> None:
    stack = [Actor("low", Box(500, 500, 90, 130), 1.0, 1.0), Actor("high", Box(520, 200, 90, 130), 1.0, 1.0)]
    body = camera()
    first = run(body, stack, 0.0, 1.0).focus
    body.press(ActionKind.FN1)
    second = run(body, stack, 1.0, 1.0).focus
    body.press(ActionKind.FN1)
    third = run(body, stack, 2.0, 1.0).focus
    assert first == third != second


def test_an_af_area_chooses_the_face_at_that_point() -> None:
    body, people = camera(), row("a", "b", "c")
    run(body, people, 0.0, 1.0)
    x, y = people[0].face.center
    body.set_af_area(x / 1920, y / 1080)
    assert run(body, people, 1.0, 1.0).focus == "a"
    body.set_af_area(0.99, 0.99)
    assert run(body, people, 2.0, 1.0).focus == "a"


def test_every_press_is_lost_at_a_loss_of_one_and_still_counted() -> None:
    body, people = camera(loss=1.0), row("a", "b")
    start = run(body, people, 0.0, 1.0).focus
    for button in (ActionKind.LEFT, ActionKind.RIGHT):
        body.press(button)
    view = run(body, people, 1.0, 1.0)
    assert (view.focus, view.presses) == (start, 2)


def test_hidden_and_averted_faces_are_not_detected_and_lose_the_focus_after_the_hold() -> None:
    body, people = camera(), row("a", "b")
    chosen = run(body, people, 0.0, 1.0).focus
    for change in ({"visible": 0.2}, {"facing": -1.0}):
        hidden = [dataclasses.replace(p, **change) if p.name == chosen else p for p in people]
        held = run(body, hidden, 1.0, 0.4)
        assert held.focus == chosen and chosen not in held.detected
        moved = run(body, hidden, 1.4, 1.0)
        assert moved.focus not in ("", chosen)
        body, people = camera(), row("a", "b")
        run(body, people, 0.0, 1.0)


def test_the_photographer_moves_the_selection_only_when_asked() -> None:
    people = row("a", "b", "c")

    def moves(**changes: float) -> int:
        body = camera(**changes)
        focus = [body.see(k / 30, people).focus for k in range(30 * 60)]
        return sum(a != b for a, b in zip(focus[1:], focus, strict=False))

    assert moves() == 0
    assert 3 < moves(photographer=10.0) < 25


def test_the_camera_itself_goes_to_the_largest_face_and_stays_there() -> None:
    people = row("a", "b", "c")
    for jumps in (0.0, 20.0):
        body = camera(jumps=jumps)
        chosen = run(body, people, 0.0, 1.0).focus
        large = next(name for name in "abc" if name != chosen)
        nearer = [dataclasses.replace(p, face=p.face.grown(0.2)) if p.name == large else p for p in people]
        focus = [body.see(1.0 + k / 30, nearer).focus for k in range(30 * 60)]
        assert focus[-1] == (large if jumps else chosen)
        assert sum(a != b for a, b in zip(focus[1:], focus, strict=False)) == (1 if jumps else 0)


def test_live_view_is_a_small_jpeg_with_the_boxes_in_its_pixels() -> None:
    body, people = camera(), row("a")
    assert body.live_view() is None
    run(body, people, 0.0, 0.5)
    body.show(np.zeros((1080, 1920, 3), np.uint8))
    view = body.live_view()
    assert view is not None and view.jpeg[:2] == b"\xff\xd8"
    assert (view.width, view.height) == (640, 360)
    assert view.boxes[0].box.x >= 0 and view.boxes[0].box.right <= 640
    assert body.af_drive()


presses = st.lists(st.tuples(st.integers(0, 120), st.sampled_from(list(ActionKind))), max_size=20)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), presses=presses, flaky=st.booleans())
def test_same_frames_and_presses_give_the_same_camera_and_a_consistent_one(
    seed: int, presses: list[tuple[int, ActionKind]], flaky: bool
) -> None:
    params = BodyParams(misses=60.0, jumps=20.0, photographer=10.0, loss=0.3) if flaky else BodyParams()

    def views() -> list[CameraView]:
        body, rng, out = CameraBody(params, 1920, 1080, seed), np.random.default_rng(seed), []
        for k in range(120):
            out.append(
                body.see(k / 30, [dataclasses.replace(p, visible=float(rng.random())) for p in row("a", "b", "c")])
            )
            for at, button in presses:
                if at == k and button != ActionKind.AF_AREA:
                    body.press(button)
                elif at == k:
                    body.set_af_area(0.2, 0.3)
        return out

    first = views()
    assert first == views()
    for view in first:
        chosen = [box for box in view.boxes if box.chosen]
        assert len(chosen) == (view.focus in view.detected)
        assert len(view.boxes) == len(view.detected)
        assert not view.focused or chosen[0].state == AfState.ACTIVE_FOCUS
    assert [v.presses for v in first] == sorted(v.presses for v in first)
