"""The life of a source: opened, lost, hanging, ended, opened again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from threading import Event

import numpy as np
import pytest

from face_af_capture import grabber as module
from face_af_capture.grabber import Grabber, NewestFrame, Report, State
from face_af_capture.params import CaptureNodeParams
from face_af_capture.sources.base import BGR, BadFrame, EndOfSource, Frame, SourceError

PARAMS = CaptureNodeParams(device="it", stall_timeout_s=30.0, retry_max_s=0.1)
"""Patient: on a busy machine a thread may not get its turn for a while, and that is no stall."""
STALLING = CaptureNodeParams(device="it", stall_timeout_s=0.3, retry_max_s=0.1)

HANG_S = 20.0


def frame(shade: int = 0) -> Frame:
    return Frame(np.full((4, 4, 3), shade, np.uint8), time.monotonic())


class FakeSource:
    """Does one step of its script for each read: waits, an error to raise, or a frame."""

    name = "it 4x4"
    period = 0.0

    def __init__(self, *steps: object, mismatches: Sequence[str] = (), notes: Sequence[str] = ()) -> None:
        self.steps = list(steps)
        self.mismatches, self.notes = list(mismatches), list(notes)
        self.closed = False
        self.interrupted = Event()

    def read(self, buffer: BGR | None) -> Frame:
        step = self.steps.pop(0) if self.steps else 0.005
        if isinstance(step, Exception):
            raise step
        if step == "hang":
            self.interrupted.wait(HANG_S)
            raise SourceError("interrupted")
        if step == "deaf":
            time.sleep(1.5)
        elif isinstance(step, float):
            time.sleep(step)
        return frame()

    def interrupt(self) -> None:
        self.interrupted.set()

    def close(self) -> None:
        self.closed = True


class Watched:
    """A grabber whose sources come from a list, and what it reported."""

    def __init__(
        self,
        *sources: FakeSource | Exception,
        params: CaptureNodeParams = PARAMS,
        missing: Callable[[], str] = lambda: "",
        after: Watched | None = None,
    ) -> None:
        self.sources = list(sources)
        self.opened: list[float] = []
        self.reports: list[Report] = []
        self.warnings: list[str] = []
        self.newest = NewestFrame()
        self.grabber = Grabber(
            params, self.newest, self.reports.append, self.warnings.append, self._open,
            missing=missing, successor_of=after.grabber if after is not None else None,
        )  # fmt: skip
        self.grabber.start()

    def _open(self, params: CaptureNodeParams, stop: Event) -> FakeSource:
        self.opened.append(time.monotonic())
        source = self.sources.pop(0) if self.sources else FakeSource()
        if isinstance(source, Exception):
            raise source
        return source

    def until(self, condition: Callable[[], object], timeout: float = 5.0) -> None:
        end = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < end, self.reports
            self.grabber.check()
            time.sleep(0.01)

    def states(self) -> list[State]:
        return [report.state for report in self.reports]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE_S", 0.02)
    monkeypatch.setattr(module, "HANGS_S", 0.3)


def test_an_absent_source_is_tried_for_ever_with_longer_pauses() -> None:
    watched = Watched(*[SourceError("not there")] * 6)
    watched.until(lambda: State.STREAMING in watched.states())
    pauses = np.diff(watched.opened)
    assert (pauses[:3] >= np.array([0.02, 0.04, 0.08]) * 0.95).all()
    assert max(pauses) < 0.4
    assert watched.reports[0] == Report(State.LOST, "not there")
    watched.grabber.stop()


def test_a_lost_source_is_closed_and_opened_again() -> None:
    first = FakeSource(0.0, 0.0, SourceError("unplugged"))
    watched = Watched(first)
    watched.until(lambda: watched.states() == [State.STREAMING, State.LOST, State.STREAMING])
    assert first.closed
    watched.grabber.stop()


def test_a_surprise_is_no_end() -> None:
    watched = Watched(FakeSource(ZeroDivisionError("in the driver")), RuntimeError("at the start"))
    watched.until(lambda: State.STREAMING in watched.states())
    assert [report.text for report in watched.reports[:2]] == [
        "it: ZeroDivisionError: in the driver",
        "it: RuntimeError: at the start",
    ]
    watched.grabber.stop()


def test_one_bad_frame_in_sixty_costs_one_frame_in_sixty(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [0.0 if number % 60 else BadFrame("it gives frames that cannot be decoded") for number in range(1, 601)]
    shown: list[Frame] = []
    # before the thread begins: it may have read some frames before the next line here
    monkeypatch.setattr(module.NewestFrame, "put", lambda _, frame: shown.append(frame))
    watched = Watched(FakeSource(*steps, EndOfSource("over")))
    watched.until(lambda: State.ENDED in watched.states())
    assert (len(watched.opened), len(shown), watched.grabber.undecodable) == (1, 590, 10)
    watched.grabber.stop()


def test_a_device_that_gives_nothing_but_bad_frames_is_opened_again() -> None:
    bad = [BadFrame("it gives frames that cannot be decoded")] * (module.MOST_BAD_FRAMES + 1)
    watched = Watched(FakeSource(0.0, *bad, 0.0))
    watched.until(lambda: watched.states() == [State.STREAMING, State.LOST, State.STREAMING])
    assert watched.reports[1].text == "it gives frames that cannot be decoded, 31 in a row"
    watched.grabber.stop()


def file_source(*steps: object) -> FakeSource:
    source = FakeSource(*steps)
    source.period = 0.01
    return source


def test_a_file_waits_until_its_readers_are_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAITING_STEP_S", 0.01)
    missing = ["perception and overlay"]
    source = file_source(0.0, 0.0, 0.0, EndOfSource("over"))
    watched = Watched(source, missing=lambda: missing[0])
    first = watched.newest.take(5.0)
    again = watched.newest.take(5.0)
    assert first is not None and again is not None
    assert np.array_equal(first.image, again.image) and not np.shares_memory(first.image, again.image)
    assert again.acquired > first.acquired
    assert len(source.steps) == 3  # the second frame has not been read
    missing[0] = "overlay"
    watched.until(lambda: len(watched.reports) == 2)
    missing[0] = ""
    watched.until(lambda: State.ENDED in watched.states())
    assert [report.text for report in watched.reports] == [
        "it 4x4: waiting for perception and overlay (wait:=false does not)",
        "it 4x4: waiting for overlay (wait:=false does not)",
        "it 4x4",
        "over",
    ]
    watched.grabber.stop()


def test_a_live_source_waits_for_nobody() -> None:
    watched = Watched(FakeSource(0.0), missing=lambda: "perception")
    watched.until(lambda: watched.states() == [State.STREAMING])
    watched.grabber.stop()


def test_a_source_that_hangs_is_interrupted() -> None:
    hanging = FakeSource(0.0, "hang")
    watched = Watched(hanging, params=STALLING)
    watched.until(lambda: watched.states()[-1:] == [State.STREAMING] and len(watched.opened) == 2)
    assert hanging.interrupted.is_set()
    assert "has given no frame for 0.3 s" in watched.reports[1].text
    watched.grabber.stop()


def test_one_that_cannot_be_interrupted_is_left_behind() -> None:
    deaf = FakeSource(0.0, "deaf")
    watched = Watched(deaf, params=STALLING)
    start = time.monotonic()
    watched.until(lambda: len(watched.opened) == 2)
    assert time.monotonic() - start < 1.4
    watched.until(lambda: deaf.closed)
    time.sleep(0.05)
    assert watched.states() == [State.STREAMING, State.LOST, State.STREAMING]
    watched.grabber.stop()


def test_a_slow_file_does_not_count_as_hanging() -> None:
    slow = FakeSource(0.0, 0.8, 0.0)
    slow.period = 1.0
    watched = Watched(slow, params=STALLING)
    watched.until(lambda: not slow.steps)
    assert watched.states() == [State.STREAMING]
    watched.grabber.stop()


def test_the_end_is_the_end() -> None:
    watched = Watched(FakeSource(0.0, EndOfSource("over"), notes=["two pictures were broken"]))
    watched.until(lambda: State.ENDED in watched.states())
    time.sleep(0.1)
    assert len(watched.opened) == 1
    assert watched.warnings == ["two pictures were broken"]
    assert watched.reports[-1] == Report(State.ENDED, "over")
    watched.grabber.stop()


def test_mismatches_are_reported() -> None:
    watched = Watched(FakeSource(mismatches=["asked for A, it gives B"]))
    watched.until(lambda: watched.reports)
    assert watched.reports == [Report(State.STREAMING, "it 4x4", ("asked for A, it gives B",))]
    watched.grabber.stop()


def test_stop_is_quick_and_silent() -> None:
    before = set(threading.enumerate())
    watched = Watched(FakeSource(0.0, "hang"))
    (grabbing,) = (thread for thread in threading.enumerate() if thread not in before and thread.name == "grabber")
    watched.until(lambda: watched.reports)
    start = time.monotonic()
    # longer than the source hangs, so that it is the interruption that ends the wait
    watched.grabber.stop(timeout=60.0)
    assert time.monotonic() - start < HANG_S / 2
    assert watched.states() == [State.STREAMING]
    assert not any(thread is grabbing for thread in threading.enumerate())


class Busy(FakeSource):
    """A read that goes on until it is let go, whoever interrupts it."""

    def __init__(self) -> None:
        super().__init__()
        self.reading, self.let_go = Event(), Event()

    def read(self, buffer: BGR | None) -> Frame:
        self.reading.set()
        self.let_go.wait(HANG_S)
        return frame()


def test_a_successor_opens_the_device_when_all_before_it_have_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LETS_GO_S", HANG_S)
    busy = Busy()
    first = Watched(busy)
    assert busy.reading.wait(HANG_S)
    first.grabber.stop(0.0)  # does not wait
    second = Watched(after=first)
    second.grabber.stop(0.0)
    third = Watched(after=second)
    assert not first.opened[1:] and not busy.closed
    assert third.grabber.unfinished()
    assert not second.opened and not third.opened
    busy.let_go.set()
    third.until(lambda: State.STREAMING in third.states(), HANG_S)
    assert busy.closed and not second.opened
    third.grabber.stop()


def test_one_that_never_lets_go_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LETS_GO_S", 0.1)
    busy = Busy()
    first = Watched(busy)
    assert busy.reading.wait(HANG_S)
    first.grabber.stop(0.0)
    second = Watched(after=first)
    second.until(lambda: State.STREAMING in second.states(), HANG_S)
    assert not busy.closed
    busy.let_go.set()
    second.grabber.stop()


def test_only_the_newest_frame_is_taken_and_memory_is_used_again() -> None:
    newest = NewestFrame()
    assert newest.take(0.0) is None
    newest.put(frame(1))
    newest.put(frame(2))
    assert newest.overwritten == 1
    taken = newest.take(0.0)
    assert taken is not None and taken.image.max() == 2
    assert newest.take(0.0) is None
    assert newest.buffer().max() == 1
    newest.give_back(taken)
    assert newest.buffer() is None, "it is still held the frame"
    del taken
    assert newest.buffer().max() == 2
    assert newest.buffer() is None


def test_a_picture_is_not_written_into_while_it_is_published() -> None:
    newest = NewestFrame()
    newest.put(frame(1))
    taken = newest.take(0.0)
    assert taken is not None
    for shade in range(2, 6):
        newest.put(frame(shade))
        buffer = newest.buffer()
        assert buffer is None or not np.shares_memory(buffer, taken.image)
