"""Grips put together from parts by chance, and people with other habits: what the families of :mod:`.grips` are not.

Long and slow start-ups, keys of the session that come back changed, numbers of two bytes in either order, checksums,
reports that are repeated while a button is held, heartbeats of several messages, buttons held long.
"""

from __future__ import annotations

import binascii
import random
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .evening import Recorder
from .grip import BUTTONS, Grip, Heard, Say, Talk

Part = tuple[int | str | bytes, int, str]
"""A value of a data phase: a number, or the name of what changes; its bytes; their order."""

SUMS: dict[str, tuple[int, Callable[[bytes], int]]] = {
    "xmodem": (2, lambda data: binascii.crc_hqx(data, 0)),
    "ccitt": (2, lambda data: binascii.crc_hqx(data, 0xFFFF)),
    "sum8": (1, lambda data: sum(data) & 0xFF),
    "crc32": (4, zlib.crc32),
}


@dataclass
class Message:
    """A template: values of the parameters, parts of the data, name of the checksum behind them."""

    operation: int
    params: Sequence[int | str] = ()
    data: Sequence[Part] | None = None
    checksum: str = ""
    pause: float = 0.0


class Composed(Grip):
    """One grip; ``seed`` decides everything."""

    def __init__(self, seed: int) -> None:
        self.rng = r = random.Random(f"composed {seed}")
        self.now = lambda: 0.0
        self.began = 0.0
        self.codes = r.sample(range(0x9000, 0xBFFF), 20)
        self.numbers = dict(zip(BUTTONS, r.sample(range(1, r.choice((16, 255, 0xFFFF, 0xFFFFFF))), 6), strict=True))
        self.uses = {
            what
            for what, share in (
                ("key", 0.25),
                ("counter", 0.5),
                ("query", 0.25),
                ("data", 0.5),
                ("sum", 0.4),
                ("tick", 0.4),
            )
            if r.random() < share
        }
        self.order = r.choice(("little", "big"))
        self.checksum = r.choice(list(SUMS)) if "sum" in self.uses else ""
        self.first = {name: r.choice((0, 1, 5, 100, 250)) for name in ("counter", "ticks")}
        self.step = {name: r.choice((1, 1, 1, 2, 4, 256)) for name in ("counter", "ticks")}
        self.key_at, self.key_mask = r.choice((0, 2, 5, 11)), r.choice((0, 0, r.getrandbits(32)))
        self.query_at, self.asks_on_release = r.choice((0, 1, 4, 7, 12)), r.random() < 0.5
        self.style = r.choice(("two codes", "two codes", "flag", "flag", "press only", "sequence", "held"))
        self.repeats_every = r.choice((0.08, 0.1, 0.15)) if self.style == "held" else 0.0
        self.filling = r.randbytes(r.choice((0, 2, 6, 30)))
        self.sequence = [[r.getrandbits(16) for _ in range(r.randrange(3))] for _ in range(r.randrange(1, 4))]
        self.beat_kind = r.choice(("plain", "events", "property", "two", "report"))
        two = r.random() < 0.25
        period = round(r.uniform(0.2, 1.1 if two else 2.0), r.choice((1, 2, 3)))
        self.rhythms = (period, round(period * r.choice((1.7, 2.6)), 2)) if two else (period,)
        self.idle = not two and r.random() < 0.5
        self.hello = [self._hello(i) for i in range(r.randrange(1, 10))]
        if "key" in self.uses:
            self.hello.insert(r.randrange(len(self.hello) + 1), Say(self.codes[10]))
        self.good_bye = [Say(self.codes[17], (1,))] * r.choice((0, 0, 1, 2))

    def _hello(self, i: int) -> Say:
        r = self.rng
        data = r.randbytes(r.choice((1, 2, 8, 52, 500, 512))) if r.random() < 0.35 else None
        params = tuple(r.randrange(1 << r.choice((1, 8, 16, 31))) for _ in range(r.randrange(5)))
        return Say(self.codes[12 + i % 4], params, data, None, r.choice((0, 0, 0, 0.1, 0.4, 1.2)))

    def switch_on(self) -> None:
        self.began = self.now()
        self.value = {"key": 0, "query": 0, **self.first}

    def _take(self, value: int | str) -> int:
        if isinstance(value, int):
            return value
        now = self.value[value]
        if value in self.step:
            self.value[value] = (now + self.step[value]) % (1 << 32)
        return now

    def _say(self, message: Message) -> Say:
        params = tuple(self._take(value) for value in message.params)
        if message.data is None:
            return Say(message.operation, params, None, None, message.pause)
        raw = b""
        for value, width, order in message.data:
            raw += value if isinstance(value, bytes) else (self._take(value) % (1 << 8 * width)).to_bytes(width, order)  # type: ignore[arg-type]
        if message.checksum:
            size, function = SUMS[message.checksum]
            raw += function(raw).to_bytes(size, "big")
        return Say(message.operation, params, raw, None, message.pause)

    def start(self) -> Talk:
        for say in self.hello:
            heard = yield say
            if say.operation == self.codes[10]:
                self.value["key"] = struct.unpack_from("<I", heard.data, self.key_at)[0] ^ self.key_mask

    def beat(self, group: int) -> Talk:
        ticks: list[int | str] = ["ticks"] if "tick" in self.uses else []
        if group:
            yield Say(self.codes[5], (3,))
        elif self.beat_kind == "events":
            yield Say(0x941C)
        elif self.beat_kind == "property":
            yield Say(0x1015, (0xD1B0,))
        elif self.beat_kind == "two":
            yield self._say(Message(self.codes[0], ticks))
            yield Say(self.codes[6], (9,))
        elif self.beat_kind == "report":
            parts: list[Part] = [(0xA5, 1, "little"), *((tick, 2, self.order) for tick in ticks), (7, 4, "little")]
            yield self._say(Message(self.codes[0], (), parts, self.checksum))
        else:
            yield self._say(Message(self.codes[0], ticks))

    def group_of(self, operation: int, params: tuple[int, ...]) -> int:
        return int(operation == self.codes[5])

    def _event(self, operation: int, button: str, flag: Sequence[int], params: Sequence[int] = ()) -> Say:
        number = self.numbers[button]
        key, counter, query = ([name] if name in self.uses else [] for name in ("key", "counter", "query"))
        if "data" not in self.uses:
            return self._say(Message(operation, [*key, *counter, number, *flag, *query, *params][:5]))
        parts: list[Part] = [(name, 4, "little") for name in key]
        parts += [(name, 2, self.order) for name in counter]
        parts += [(number, 3, self.order), *((value, 1, "little") for value in flag)]
        parts += [(name, 4, "little") for name in query]
        return self._say(Message(operation, params, [*parts, (self.filling, 0, "")], self.checksum))

    def _ask(self) -> Talk:
        if "query" in self.uses:
            heard = yield Say(self.codes[11], (1,))
            have = len(heard.data) >= self.query_at + 4
            self.value["query"] = struct.unpack_from("<I", heard.data, self.query_at)[0] if have else 0

    def press(self, button: str) -> Talk:
        yield from self._ask()
        yield self._event(self.codes[1], button, [1] if self.style in ("flag", "held") else [])
        if self.style == "sequence":
            for i, values in enumerate(self.sequence):
                yield Say(self.codes[2 + i], (*values, self.numbers[button]), None, None, 0.02)

    def held(self, button: str) -> Talk:
        """What is said every ``repeats_every`` seconds while a button is down."""
        yield self._event(self.codes[1], button, [1])

    def release(self, button: str) -> Talk:
        if self.style == "press only":
            return
        if self.asks_on_release:
            yield from self._ask()
        flagged = self.style in ("flag", "held")
        yield self._event(self.codes[1 if flagged else 7], button, [0] if flagged else [])

    def answer(self, say: Say, rng: random.Random) -> Heard | None:
        if say.operation in (self.codes[10], self.codes[11]):
            return Heard(data=rng.randbytes(24))
        if say.operation == 0x941C:
            events = rng.choice((0, 0, 0, 1, 4))
            return Heard(data=struct.pack("<H", events) + rng.randbytes(6 * events))
        return Heard(data=rng.randbytes(1)) if say.operation == 0x1015 else None


class OtherHabits(Recorder):
    """Another computer and another person: quick or slow, short or long presses."""

    def __init__(self, grip: Grip, rng: random.Random, busy: float = 0.0) -> None:
        super().__init__(grip, rng, busy)
        self.time = rng.choice((2.0, rng.uniform(1, 100), 1.7e9))
        self.speed, self.jitter = rng.choice((0.1, 1.0, 1.0, 4.0, 8.0)), rng.choice((0.0005, 0.002, 0.02))
        self.hold = rng.choice(((0.06, 0.2), (0.1, 0.4), (0.3, 0.9), (0.8, 1.6)))
        self.pause = (2 * self.hold[1], 2 * self.hold[1] + 2) if rng.random() < 0.85 else (0.6, 1.2)
