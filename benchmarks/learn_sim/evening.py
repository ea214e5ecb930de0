"""A person records a grip: what it and the camera say to one another, when, one button after the other."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from face_af_common.types import ActionKind
from nikon_mcn10_driver.ptp import DeviceInfo

from .grip import Grip, Heard, Say, Talk

OPEN, CLOSE, INFO = 0x1002, 0x1003, 0x1001
BUSY = 0x2019
_INFO = DeviceInfo("Nikon Corporation", "Z 8", "V2.00", "6001234", operations=tuple(range(0x1001, 0x1029))).encode()
assert ActionKind.LEFT


@dataclass(frozen=True)
class Exchange:
    """One operation on the wire: when it began, its transaction id, what was said, what was answered, and when."""

    time: float
    tid: int
    say: Say
    heard: Heard
    end: float


class Camera:
    """Answers a grip. Its numbers are the same for the same ``seed`` and the same questions."""

    def __init__(self, grip: Grip, seed: int, busy: float = 0.0) -> None:
        self._answer = getattr(grip, "answer", lambda say, rng: None)
        self._rng = random.Random(seed)
        self._moods = random.Random(seed + 1)
        self._busy = busy

    def hear(self, say: Say) -> Heard:
        if say.operation == INFO:
            return Heard(data=_INFO)
        if say.operation in (OPEN, CLOSE):
            return Heard()
        if self._moods.random() < self._busy:
            return Heard(BUSY)
        return self._answer(say, self._rng) or Heard()


class Recorder:
    """Lets a grip and a camera talk, and writes it down. ``hold`` and ``pause``: seconds that a button is down, and
    between two presses, shortest and longest; ``speed``: how much slower both are; ``jitter``: of heartbeats."""

    hold: tuple[float, float] = (0.08, 0.3)
    pause: tuple[float, float] = (1.3, 2.6)
    speed = 1.0
    jitter = 0.002

    def __init__(self, grip: Grip, rng: random.Random, busy: float = 0.0) -> None:
        self.grip, self.rng = grip, rng
        self.busy = busy
        self.time = rng.uniform(0.0, 3.0)
        self.log: list[Exchange] = []
        self.tid = 0
        self._due: list[float] = []
        grip.now = lambda: self.time

    def session(self, presses: Sequence[str], seconds: float, close: bool) -> list[Exchange]:
        """Switches the grip on, waits, presses, waits, and perhaps switches it off."""
        rng = self.rng
        self.camera = Camera(self.grip, rng.getrandbits(32), self.busy)
        self._exchange(Say(INFO), 0)
        self.tid = 0
        self._exchange(Say(OPEN, (1,)), 0)
        self.grip.switch_on()
        self._talk(self.grip.start())
        self._due = [self.time + rhythm for rhythm in self.grip.rhythms]
        self._wait(rng.uniform(3.0, 6.0) if presses else seconds)
        for button in presses:
            self._talk(self.grip.press(button), pressed=True)
            self._hold(button, rng.uniform(*self.hold))
            self._talk(self.grip.release(button), pressed=True)
            self._wait(rng.uniform(*self.pause))
        if close:
            self._talk(self.grip.stop())
            self.tid += 1
            self._exchange(Say(CLOSE), self.tid)
        return self.log

    def _hold(self, button: str, seconds: float) -> None:
        every, end = self.grip.repeats_every, self.time + seconds
        while every and self.time + every < end:
            self._wait(every)
            self._talk(self.grip.held(button), pressed=True)
        self._wait(max(0.01, end - self.time))

    def _wait(self, seconds: float) -> None:
        """Time passes; heartbeats come when they are due."""
        end = self.time + seconds
        while True:
            group = min(range(len(self._due)), key=lambda g: self._due[g])
            if self._due[group] >= end:
                self.time = max(self.time, end)
                return
            self.time = max(self.time, self._due[group] + abs(self.rng.gauss(0, self.jitter)))
            self._talk(self.grip.beat(group))
            self._due[group] += self.grip.rhythms[group]
            if self.grip.idle:
                self._due[group] = self.time + self.grip.rhythms[group]

    def _talk(self, talk: Talk, pressed: bool = False) -> None:
        said = len(self.log)
        try:
            say = next(talk)
            while True:
                self.time += say.pause + self.speed * self.rng.uniform(0.0005, 0.002)
                self.tid += 1
                heard = self._exchange(say, self.tid)
                while heard.code == BUSY:
                    self.time += 0.012
                    self.tid += 1
                    heard = self._exchange(say, self.tid)
                say = talk.send(heard)
        except StopIteration:
            pass
        if pressed and self.grip.idle and len(self.log) > said:
            self._due = [self.time + rhythm for rhythm in self.grip.rhythms]

    def _exchange(self, say: Say, tid: int) -> Heard:
        began = self.time
        heard = self.camera.hear(say)
        self.time += self.speed * self.rng.uniform(0.001, 0.006)
        self.log.append(Exchange(began, tid, say, heard, self.time))
        return heard


def record(
    grip: Grip, seed: int, buttons: Sequence[str], busy: float = 0.0, kind: type[Recorder] = Recorder
) -> dict[str, list[Exchange]]:
    """Recordings by name (``quiet`` and each button)."""
    rng = random.Random(seed)
    out = {"quiet": kind(grip, rng, busy).session((), rng.uniform(12.0, 20.0), rng.random() < 0.5)}
    for button in buttons:
        out[button] = kind(grip, rng, busy).session([button] * rng.randrange(9, 13), 0.0, rng.random() < 0.5)
    return out


def late(log: Sequence[Exchange], rng: random.Random) -> list[Exchange]:
    """The same from a recording that begins only after the start-up."""
    opened = next(e.time for e in log if e.say.operation == OPEN)
    begin = opened + rng.uniform(1.5, 2.9)
    return [e for e in log if e.time >= begin]
