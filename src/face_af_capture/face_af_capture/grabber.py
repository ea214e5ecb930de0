"""A thread that keeps reading one source, opens it again whenever it is lost, and keeps the newest picture only."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from threading import Event

from .params import CaptureNodeParams
from .sources.base import BGR, EndOfSource, Frame, Source, SourceError

FIRST_PAUSE_S = 0.5
"""Pause before the second attempt to open a source; doubled from attempt to attempt."""
HANGS_S = 15.0
"""A read that has not come back this long after a stall is left alone, and a new thread takes over."""

Opener = Callable[[CaptureNodeParams, Event], Source]


class State(Enum):
    OPENING = auto()
    STREAMING = auto()
    LOST = auto()
    ENDED = auto()


@dataclass(frozen=True)
class Report:
    """What the node is to be told. ``text`` says what happened, and with what."""

    state: State
    text: str
    mismatches: tuple[str, ...] = ()


class NewestFrame:
    """Hands the newest picture from the grabbing to the publishing thread; the buffers of old ones are used again."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._frame: Frame | None = None
        self._free: list[BGR] = []
        self.overwritten = 0
        """Pictures that were replaced before anybody took them."""

    def buffer(self) -> BGR | None:
        with self._condition:
            return self._free.pop() if self._free else None

    def put(self, frame: Frame) -> None:
        with self._condition:
            if self._frame is not None:
                self.overwritten += 1
                self._free.append(self._frame.picture)
            self._frame = frame
            self._condition.notify()

    def take(self, timeout: float) -> Frame | None:
        """The newest picture that was not yet taken; None where none comes within ``timeout`` seconds."""
        with self._condition:
            self._condition.wait_for(lambda: self._frame is not None, timeout)
            frame, self._frame = self._frame, None
            return frame

    def give_back(self, frame: Frame) -> None:
        """The taker has copied the picture; its memory may be written again."""
        with self._condition:
            if len(self._free) < 2 and frame.picture.flags.c_contiguous:
                self._free.append(frame.picture)


class Grabber:
    """Reads until :meth:`stop`. ``on_report`` and ``on_warning`` are called from its thread.

    :meth:`check` must be called now and then; it notices a source that hangs.
    """

    def __init__(
        self,
        params: CaptureNodeParams,
        newest: NewestFrame,
        on_report: Callable[[Report], None],
        on_warning: Callable[[str], None],
        opener: Opener,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.params, self._newest = params, newest
        self._on_report, self._on_warning = on_report, on_warning
        self._opener, self._clock = opener, clock
        self._start()

    def _start(self) -> None:
        self._run = _Run(self)
        self._run.thread.start()

    @property
    def state(self) -> State:
        return self._run.state

    def check(self) -> None:
        """Reports a source that has given no picture for ``stall_timeout_s``, and makes it come back."""
        run = self._run
        # read once: the thread may let go of both at any moment
        since, source = run.reading_since, run.source
        if since is None:
            return
        waited = self._clock() - since - (source.period if source is not None else 0.0)
        if waited < self.params.stall_timeout_s:
            return
        if not run.stalled:
            run.stalled = True
            name = source.name if source is not None else self.params.device
            run.report(State.LOST, f"{name} has given no picture for {waited:.1f} s")
            if source is not None:
                source.interrupt()
        elif waited > self.params.stall_timeout_s + HANGS_S:
            run.abandoned.set()
            self._start()

    def stop(self, timeout: float = 2.0) -> None:
        """Ends the thread; one that hangs in a driver is left behind after ``timeout`` seconds."""
        run = self._run
        run.abandoned.set()
        source = run.source
        if source is not None:
            source.interrupt()
        run.thread.join(timeout)


class _Run:
    """One thread's life."""

    def __init__(self, grabber: Grabber) -> None:
        self._grabber = grabber
        self.abandoned = Event()
        self.state = State.OPENING
        self.source: Source | None = None
        self.reading_since: float | None = None
        """When the open or read that is under way began."""
        self.stalled = False
        self._told = 0
        self.thread = threading.Thread(target=self._work, name="grabber", daemon=True)

    def report(self, state: State, text: str, mismatches: tuple[str, ...] = ()) -> None:
        if not self.abandoned.is_set():
            self.state = state
            self._grabber._on_report(Report(state, text, mismatches))

    def _work(self) -> None:
        pause = FIRST_PAUSE_S
        params = self._grabber.params
        while not self.abandoned.is_set():
            started = self._grabber._clock()
            try:
                self._play()
            except EndOfSource as end:
                self.report(State.ENDED, str(end))
                return
            except SourceError as error:
                self.report(State.LOST, str(error))
            except Exception as error:  # a driver's or decoder's surprise must not end the capture
                self.report(State.LOST, f"{params.device}: {type(error).__name__}: {error}")
            finally:
                self._close()
            if self._grabber._clock() - started > 10.0:
                pause = FIRST_PAUSE_S  # it had worked
            self.abandoned.wait(min(pause, params.retry_max_s))
            pause = min(pause * 2, params.retry_max_s)

    def _play(self) -> None:
        """From opening the source to its end or loss."""
        grabber = self._grabber
        self.stalled = False
        self._watched()
        source = self.source = grabber._opener(grabber.params, self.abandoned)
        self._told = 0
        try:
            streaming = False
            while not self.abandoned.is_set():
                self._watched()
                frame = source.read(grabber._newest.buffer())
                self.reading_since = None
                if self.abandoned.is_set():
                    return
                if not streaming or self.stalled:
                    streaming, self.stalled = True, False
                    self.report(State.STREAMING, source.name, tuple(source.mismatches))
                grabber._newest.put(frame)
                self._pass_on_notes(source)
        finally:
            self._pass_on_notes(source)

    def _watched(self) -> None:
        self.reading_since = self._grabber._clock()

    def _pass_on_notes(self, source: Source) -> None:
        for note in source.notes[self._told :]:
            self._grabber._on_warning(note)
        self._told = len(source.notes)

    def _close(self) -> None:
        self.reading_since = None
        source, self.source = self.source, None
        if source is not None:
            source.close()
