"""A thread that keeps reading one source, opens it again whenever it is lost, and keeps the newest frame only."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from threading import Event

from face_af_common.buffers import unused
from face_af_common.encodings import BGR

from .params import CaptureNodeParams
from .sources.base import BadFrame, EndOfSource, Frame, Source, SourceError

FIRST_PAUSE_S = 0.5
"""Pause before the second attempt to open a source; doubled from attempt to attempt."""
HANGS_S = 15.0
"""A read that has not come back this long after a stall is left alone, and a new thread takes over."""
MOST_BAD_FRAMES = 30
"""So many frames in a row that cannot be decoded are a lost device; MJPEG sticks give a few now and then."""
LETS_GO_S = 2.0
"""So long a source may take to be closed; whoever takes over does not wait longer for the device."""
WAITING_STEP_S = 0.2
"""The first frame of a file is published again this often until a node has answered it."""

_KEPT = 6
"""Buffers at most: one is read, one waits, and perception, overlay and debug view may have one each."""

Opener = Callable[[CaptureNodeParams, Event], Source]


class State(Enum):
    OPENING = auto()
    WAITING = auto()
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
    """Hands the newest frame from the grabbing to the publishing thread; the buffers of old ones are used again."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._frame: Frame | None = None
        self._free: list[BGR] = []
        self.overwritten = 0
        """Frames that were replaced before anybody took them."""

    def buffer(self) -> BGR | None:
        with self._condition:
            return unused(self._free)

    def put(self, frame: Frame) -> None:
        with self._condition:
            if self._frame is not None:
                self.overwritten += 1
                self._keep(self._frame)
            self._frame = frame
            self._condition.notify()

    def take(self, timeout: float) -> Frame | None:
        """The newest frame that was not yet taken; None where none comes within ``timeout`` seconds."""
        with self._condition:
            self._condition.wait_for(lambda: self._frame is not None, timeout)
            frame, self._frame = self._frame, None
            return frame

    def give_back(self, frame: Frame) -> None:
        """The taker is done; the image's memory is written again when nobody else refers to it either."""
        with self._condition:
            self._keep(frame)

    def _keep(self, frame: Frame) -> None:
        if len(self._free) < _KEPT and frame.image.flags.c_contiguous and frame.image.base is None:
            self._free.append(frame.image)


class Grabber:
    """Reads from :meth:`start` until :meth:`stop`. ``on_report`` and ``on_warning`` are called from its thread.

    ``missing``: who has to be ready before a file or folder plays, in words; empty: nobody. ``successor_of``: a stopped
    one, whose device may be the same: its thread waits until that has let go. :meth:`check` must be called now and
    then; it notices a source that hangs.
    """

    def __init__(
        self,
        params: CaptureNodeParams,
        newest: NewestFrame,
        on_report: Callable[[Report], None],
        on_warning: Callable[[str], None],
        opener: Opener,
        clock: Callable[[], float] = time.monotonic,
        missing: Callable[[], str] = lambda: "",
        successor_of: Grabber | None = None,
    ) -> None:
        self._before = successor_of.unfinished() if successor_of is not None else []
        self.params, self.newest = params, newest
        self.on_report, self.on_warning, self.missing = on_report, on_warning, missing
        self.opener, self.clock = opener, clock
        self.undecodable = 0
        """Frames that were left out because they could not be decoded."""
        self._reading = _ReadingThread(self)

    def start(self) -> None:
        """Not before its owner is ready for what it reports."""
        self._reading.start()

    @property
    def state(self) -> State:
        return self._reading.state

    def check(self) -> None:
        """Reports a source that has given no frame for ``stall_timeout_s``, and makes it come back."""
        reading = self._reading
        # read once: the thread may let go of both at any moment
        since, source = reading.since, reading.source
        if since is None:
            return
        waited = self.clock() - since - (source.period if source is not None else 0.0)
        if waited < self.params.stall_timeout_s:
            return
        if not reading.stalled:
            reading.stalled = True
            name = source.name if source is not None else self.params.device
            reading.report(State.LOST, f"{name} has given no frame for {waited:.1f} s")
            if source is not None:
                source.interrupt()
        elif waited > self.params.stall_timeout_s + HANGS_S:
            reading.abandoned.set()
            self._reading = _ReadingThread(self)
            self.start()

    def unfinished(self) -> list[threading.Thread]:
        """Threads that may still hold a device: its own, and those that it waits for itself."""
        return [thread for thread in (*self._before, self._reading) if thread.is_alive()]

    def wait_for_those_before(self, abandoned: Event) -> None:
        """Until they have let go, or :data:`LETS_GO_S` have passed."""
        end = time.monotonic() + LETS_GO_S
        while any(thread.is_alive() for thread in self._before) and time.monotonic() < end:
            if abandoned.wait(0.01):
                return

    def stop(self, timeout: float = LETS_GO_S) -> None:
        """Ends the thread; one that hangs in a driver is left behind after ``timeout`` seconds."""
        reading = self._reading
        reading.abandoned.set()
        source = reading.source
        if source is not None:
            source.interrupt()
        if reading.is_alive():
            reading.join(timeout)


class _ReadingThread(threading.Thread):
    """Opens a source, reads it, and opens it again when it is lost, until it is abandoned."""

    def __init__(self, grabber: Grabber) -> None:
        super().__init__(name="grabber", daemon=True)
        self._grabber = grabber
        self.abandoned = Event()
        self.state = State.OPENING
        self.source: Source | None = None
        self.since: float | None = None
        """When the open or read that is under way began."""
        self.stalled = False
        self._told = 0
        self._bad_in_a_row = 0

    def report(self, state: State, text: str, mismatches: tuple[str, ...] = ()) -> None:
        if not self.abandoned.is_set():
            self.state = state
            self._grabber.on_report(Report(state, text, mismatches))

    def run(self) -> None:
        pause = FIRST_PAUSE_S
        params = self._grabber.params
        self._grabber.wait_for_those_before(self.abandoned)
        while not self.abandoned.is_set():
            started = self._grabber.clock()
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
            if self._grabber.clock() - started > 10.0:
                pause = FIRST_PAUSE_S  # it had worked
            self.abandoned.wait(min(pause, params.retry_max_s))
            pause = min(pause * 2, params.retry_max_s)

    def _play(self) -> None:
        """From opening the source to its end or loss."""
        grabber = self._grabber
        self.stalled = False
        self._bad_in_a_row = 0
        self.since = grabber.clock()
        source = self.source = grabber.opener(grabber.params, self.abandoned)
        self._told = 0
        try:
            streaming = False
            while not self.abandoned.is_set():
                frame = self._read(source)
                if self.abandoned.is_set():
                    return
                if frame is None:
                    continue
                if not streaming:
                    self._wait_for_readers(source, frame)
                if not streaming or self.stalled:
                    streaming, self.stalled = True, False
                    self.report(State.STREAMING, source.name, tuple(source.mismatches))
                grabber.newest.put(frame)
                self._pass_on_notes(source)
        finally:
            self._pass_on_notes(source)

    def _read(self, source: Source) -> Frame | None:
        """The next frame; None for one that cannot be decoded."""
        self.since = self._grabber.clock()
        try:
            frame = source.read(self._grabber.newest.buffer())
        except BadFrame as error:
            self._grabber.undecodable += 1
            self._bad_in_a_row += 1
            if self._bad_in_a_row > MOST_BAD_FRAMES:
                raise SourceError(f"{error}, {self._bad_in_a_row} in a row") from error
            return None
        finally:
            self.since = None
        self._bad_in_a_row = 0
        return frame

    def _wait_for_readers(self, source: Source, frame: Frame) -> None:
        """Shows a file's first frame until those who are to see the file have answered it."""
        if not source.period:
            return
        told = ""
        while not self.abandoned.is_set() and (missing := self._grabber.missing()):
            if missing != told:
                told = missing
                self.report(State.WAITING, f"{source.name}: waiting for {missing} (wait:=false does not)")
            # a copy: what has been published may be written into
            self._grabber.newest.put(Frame(frame.image.copy(), time.monotonic()))
            self.abandoned.wait(WAITING_STEP_S)

    def _pass_on_notes(self, source: Source) -> None:
        for note in source.notes[self._told :]:
            self._grabber.on_warning(note)
        self._told = len(source.notes)

    def _close(self) -> None:
        self.since = None
        source, self.source = self.source, None
        if source is not None:
            source.close()
