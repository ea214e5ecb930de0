"""What every invented grip has: what it says and hears, and when it is on."""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import TypeAlias

BUTTONS = ("left", "right", "up", "down", "fn1", "fn2")


@dataclass(frozen=True)
class Say:
    """One operation. ``clock``: (parameter index or 100 + byte, bytes, tolerance) of a value that is a time."""

    operation: int
    params: tuple[int, ...] = ()
    data: bytes | None = None
    clock: tuple[int, int, int] | None = None
    pause: float = 0.0
    """Seconds before it."""


@dataclass(frozen=True)
class Heard:
    """The camera's answer."""

    code: int = 0x2001
    params: tuple[int, ...] = ()
    data: bytes = b""


Talk: TypeAlias = Generator[Say, Heard, None]


def everything(sayings: Iterable[Say]) -> Talk:
    for say in sayings:  # noqa: UP028 - a list cannot be sent to
        yield say


class Grip:
    """One grip. A new session begins with :meth:`switch_on`. ``now``: its clock, seconds.

    ``rhythms``: seconds between two heartbeats of each group; ``idle``: every message starts the rhythm anew.
    """

    rhythms: tuple[float, ...] = (0.5,)
    idle = True
    repeats_every = 0.0
    """Seconds after which a button that is held is reported again, 0 never."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.now: Callable[[], float] = lambda: 0.0
        self.began = 0.0
        codes = rng.sample(list(range(0x9800, 0x9EFF)), 12)
        self.codes = codes
        self.idle = rng.random() < 0.6
        self.rhythms = (round(rng.uniform(0.2, 2.0), 2),)
        self.numbers = dict(zip(BUTTONS, rng.sample(range(1, 250), len(BUTTONS)), strict=True))
        self.hello = [
            Say(codes[8 + i % 4], tuple(rng.randrange(1 << rng.choice((1, 8, 16))) for _ in range(rng.randrange(4))),
                rng.randbytes(rng.choice((2, 4, 12))) if rng.random() < 0.3 else None)
            for i in range(rng.randrange(2, 7))
        ]  # fmt: skip
        if rng.random() < 0.5:
            at = rng.randrange(1, len(self.hello))
            self.hello[at] = Say(self.hello[at].operation, (7, at), None, None, rng.choice((0.05, 0.2, 0.6)))
        self.good_bye = [Say(codes[7], (0,))] if rng.random() < 0.5 else []

    def switch_on(self) -> None:
        self.began = self.now()

    def start(self) -> Talk:
        yield from everything(self.hello)

    def beat(self, group: int) -> Talk:
        yield Say(self.codes[0])

    def press(self, button: str) -> Talk:
        raise NotImplementedError

    def release(self, button: str) -> Talk:
        raise NotImplementedError

    def held(self, button: str) -> Talk:
        raise NotImplementedError

    def stop(self) -> Talk:
        yield from everything(self.good_bye)

    def group_of(self, operation: int, params: tuple[int, ...]) -> int:
        """Which heartbeat begins with this operation."""
        return 0
