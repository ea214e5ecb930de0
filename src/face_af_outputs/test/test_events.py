"""From what the topics say to events: what lasts counts once, what flickers does not, and nothing grows."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from face_af_outputs.events import KINDS, Delays, Event, Observer
from face_af_outputs.limits import Limit


def kinds(events: list[Event]) -> list[tuple[str, str]]:
    return [(event.kind, event.person or event.state) for event in events]


def run(seen: Observer, start: float, end: float, names: list[str], strangers: bool = False) -> list[Event]:
    """Frames at 10 Hz."""
    events = []
    for step in range(round((end - start) * 10)):
        events += seen.faces(names, strangers, start + step / 10)
    return events


def test_a_person_appears_once_and_leaves_once() -> None:
    seen = Observer()
    assert kinds(run(seen, 0, 5, ["anna"])) == [("appears", "anna")]
    assert seen.present == ["anna"]
    assert kinds(run(seen, 5, 6.5, [])) == []  # half hidden for a moment
    assert kinds(run(seen, 6.5, 7, ["anna"])) == []
    assert kinds(run(seen, 7, 12, [])) == [("leaves", "anna")]
    assert seen.present == [] and not seen.remembered


def test_a_name_that_flickers_never_appears() -> None:
    seen, events = Observer(), []
    for step in range(100):
        events += seen.faces(["anna"] if step % 3 else [], False, step / 10)
    assert events == []


def test_a_stranger_counts_after_some_time_and_once() -> None:
    seen = Observer()
    assert kinds(run(seen, 0, 1.5, ["anna"], True)) == [("appears", "anna")]
    assert kinds(run(seen, 1.5, 20, ["anna"], True)) == [("unknown", "")]
    run(seen, 20, 30, ["anna"])
    assert kinds(run(seen, 30, 40, ["anna"], True)) == [("unknown", "")]


def test_focus_goes_from_one_to_the_other_loss_first() -> None:
    seen, events = Observer(), []
    for step in range(60):
        events += seen.steering("on_target", "anna", "anna" if step < 30 else "bert", step / 10)
    assert kinds(events) == [
        ("state", "on_target"), ("target", "anna"),
        ("gets_focus", "anna"), ("loses_focus", "anna"), ("gets_focus", "bert"),
    ]  # fmt: skip
    assert seen.focus == "bert"


def test_speech_camera_and_capture() -> None:
    seen = Observer()
    assert kinds(seen.heard("anna", 0.0)) == [("speaks", "anna")]
    assert kinds(seen.heard("bert", 0.5)) == [("falls_silent", "anna"), ("speaks", "bert")]
    assert kinds(seen.heard("", 1.0)) == [("falls_silent", "bert")]
    assert seen.camera(True, 1.0) == []  # the first word is no change
    assert kinds(seen.camera(False, 2.0)) == [("camera_lost", "")]
    assert kinds(seen.camera(True, 3.0)) == [("camera_back", "")]
    assert seen.tick(100.0) == []  # no frame came yet: none is missing
    run(seen, 100, 102, ["anna"])
    assert kinds(seen.tick(106.0)) == [("capture_lost", "")]
    assert kinds(seen.tick(109.0)) == [("leaves", "anna")]
    assert kinds(seen.faces([], False, 110.0)) == [("capture_back", "")]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.floats(-5, 5), st.lists(st.sampled_from("abc"), max_size=3), st.booleans()), max_size=60))
def test_whatever_comes_events_alternate_and_memory_is_bounded(steps: list[tuple[float, list[str], bool]]) -> None:
    seen, now, on = Observer(Delays(appears=0.1, leaves=0.1)), 0.0, set()
    for step, names, strangers in steps:
        now += step  # clocks are set back, too
        for event in seen.faces(names, strangers, now):
            assert event.kind in KINDS
            if event.kind == "appears":
                assert event.person not in on
                on.add(event.person)
            elif event.kind == "leaves":
                on.remove(event.person)
    assert len(seen.remembered) <= 3


def test_limits_by_gap_and_by_minute() -> None:
    limit = Limit(min_gap_s=1.0, per_minute=3)
    assert [limit.allows(t) for t in (0, 0.5, 1, 2, 3, 59.9, 60, 61)] == [
        True, False, True, True, False, False, True, True,
    ]  # fmt: skip
    assert limit.dropped == 3
    flood = Limit(0.0, 60)
    assert sum(flood.allows(i / 1000) for i in range(10_000)) == 60 and len(flood.recent) <= 60
