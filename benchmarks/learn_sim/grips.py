"""Families of invented grips. Each speaks PTP in another way; codes, values and rhythms are drawn at random."""

from __future__ import annotations

import random
import struct
import zlib

from .grip import BUTTONS, Grip, Heard, Say, Talk, everything


class Commands(Grip):
    """An operation for "button down" and one for "button up"; or one for both with a flag."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__(rng)
        self.one_code = rng.random() < 0.5
        self.counted = rng.random() < 0.5
        self.modulo = rng.choice((1 << 32, 256, 100))
        self.beat_counted = rng.random() < 0.5
        self.has_release = rng.random() < 0.8

    def switch_on(self) -> None:
        super().switch_on()
        self.count = 1
        self.beats = 0

    def beat(self, group: int) -> Talk:
        if self.beat_counted:
            yield Say(self.codes[0], (self.beats,))
            self.beats = (self.beats + 3) % (1 << 32)
        else:
            yield Say(self.codes[0], (5,))

    def _event(self, button: str, down: int) -> Say:
        params: tuple[int, ...] = (self.numbers[button], down) if self.one_code else (self.numbers[button],)
        if self.counted:
            params += (self.count,)
            self.count = (self.count + 1) % self.modulo
        return Say(self.codes[1] if self.one_code or down else self.codes[2], params)

    def press(self, button: str) -> Talk:
        yield self._event(button, 1)

    def release(self, button: str) -> Talk:
        if self.has_release:
            yield self._event(button, 0)


class Reports(Grip):
    """Reports the state of all buttons, like a keyboard: at once when it changes, and with every heartbeat."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__(rng)
        self.bits = dict(zip(BUTTONS, rng.sample(range(16), len(BUTTONS)), strict=True))
        self.order = rng.choice("<>")
        self.sum_kind = rng.choice(("none", "xor", "crc32", "sum16"))
        self.repeats = rng.random() < 0.3
        self.length = rng.choice((12, 16, 24))
        self.filling = rng.randbytes(self.length)

    def switch_on(self) -> None:
        super().switch_on()
        self.sequence = 0

    def _report(self, state: int) -> Say:
        body = bytearray(self.filling)
        struct.pack_into(self.order + "HH", body, 0, self.sequence & 0xFFFF, state)
        body[4:6] = b"\0\0"
        self.sequence += 1
        raw = bytes(body)
        if self.sum_kind == "xor":
            value = 0
            for byte in raw:
                value ^= byte
            raw += bytes([value])
        elif self.sum_kind == "sum16":
            raw += struct.pack(self.order + "H", sum(raw) & 0xFFFF)
        elif self.sum_kind == "crc32":
            raw += struct.pack("<I", zlib.crc32(raw))
        return Say(self.codes[0], (1,), raw)

    def beat(self, group: int) -> Talk:
        yield self._report(0)

    def press(self, button: str) -> Talk:
        yield self._report(1 << self.bits[button])

    def release(self, button: str) -> Talk:
        yield self._report(0)


class Challenges(Grip):
    """Asks the camera for a number before every press and sends it back, changed or not."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__(rng)
        self.mask = rng.choice((0, 0, rng.getrandbits(32)))
        self.in_data = rng.random() < 0.5
        self.at = rng.choice((0, 4, 8))
        self.on_release = rng.random() < 0.5

    def _answer(self, button: str, down: int) -> Talk:
        heard = yield Say(self.codes[1], (3,))
        number = struct.unpack_from("<I", heard.data, self.at)[0] if len(heard.data) >= self.at + 4 else 0
        number ^= self.mask
        if self.in_data:
            yield Say(self.codes[2], (self.numbers[button],), struct.pack("<BBHI", down, 0xEE, 0, number))
        else:
            yield Say(self.codes[2], (number, self.numbers[button], down))

    def press(self, button: str) -> Talk:
        yield from self._answer(button, 1)

    def release(self, button: str) -> Talk:
        if self.on_release:
            yield from self._answer(button, 0)
        else:
            yield Say(self.codes[3], (self.numbers[button],))

    def answer(self, say: Say, rng: random.Random) -> Heard | None:
        return Heard(data=rng.randbytes(16)) if say.operation == self.codes[1] else None


class Properties(Grip):
    """Writes a property of the camera for every button, polls for events quickly and says hello slowly."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__(rng)
        self.rhythms = (round(rng.uniform(0.2, 0.45), 2), round(rng.uniform(0.9, 2.0), 2))
        self.idle = False
        self.width = rng.choice((1, 2, 4))

    def beat(self, group: int) -> Talk:
        if group == 0:
            yield Say(0x941C)
        else:
            yield Say(self.codes[0], (2,))

    def _write(self, button: str, value: int) -> Talk:
        yield Say(0x943C, (0x1D100 + self.numbers[button],), value.to_bytes(self.width, "little"))

    def press(self, button: str) -> Talk:
        yield from self._write(button, 1)

    def release(self, button: str) -> Talk:
        yield from self._write(button, 0)

    def group_of(self, operation: int, params: tuple[int, ...]) -> int:
        return 0 if operation == 0x941C else 1

    def answer(self, say: Say, rng: random.Random) -> Heard | None:
        if say.operation == 0x941C:
            events = rng.randrange(3) if rng.random() < 0.2 else 0
            return Heard(data=struct.pack("<I", events) + rng.randbytes(8 * events))
        return None


class Keys(Grip):
    """Gets a key when it starts and puts it, a number that counts everything it says, and perhaps the time into each
    message."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__(rng)
        self.key_at = rng.choice((0, 6, 12))
        self.timed = rng.random() < 0.5
        self.first = rng.choice((0, 1, 1000))
        self.step = rng.choice((1, 1, 2, 16))

    def switch_on(self) -> None:
        super().switch_on()
        self.count = self.first
        self.key = 0

    def start(self) -> Talk:
        yield self.hello[0]
        heard = yield Say(self.codes[4])
        self.key = struct.unpack_from("<I", heard.data, self.key_at)[0]
        yield from everything(self.hello[1:])

    def _say(self, operation: int, *values: int) -> Say:
        count, self.count = self.count, self.count + self.step
        if self.timed:
            ms = int((self.now() - self.began) * 1000)
            data = struct.pack("<IIH", ms, count & 0xFFFFFFFF, values[0] if values else 0)
            return Say(operation, (self.key,), data, (100, 4, 150))
        return Say(operation, (self.key, count & 0xFFFFFFFF, *values))

    def beat(self, group: int) -> Talk:
        yield self._say(self.codes[0])

    def press(self, button: str) -> Talk:
        yield self._say(self.codes[1], self.numbers[button])

    def release(self, button: str) -> Talk:
        yield self._say(self.codes[2], self.numbers[button])

    def answer(self, say: Say, rng: random.Random) -> Heard | None:
        return Heard(data=rng.randbytes(20)) if say.operation == self.codes[4] else None


class Bursts(Grip):
    """A press is several operations in a row with pauses of the grip's own; the number of the press is in two of
    them."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__(rng)
        self.parts = rng.randrange(2, 5)
        self.pause = rng.choice((0.0, 0.0, 0.04))
        self.has_release = rng.random() < 0.5
        self.beats_twice = rng.random() < 0.4

    def switch_on(self) -> None:
        super().switch_on()
        self.number = 0

    def beat(self, group: int) -> Talk:
        yield Say(self.codes[0])
        if self.beats_twice:
            yield Say(self.codes[5], (1,))

    def press(self, button: str) -> Talk:
        self.number += 1
        for part in range(self.parts):
            extra = (self.number,) if part in (0, self.parts - 1) else ()
            yield Say(
                self.codes[1 + part % 3], (part, self.numbers[button], *extra), None, None, self.pause if part else 0.0
            )

    def release(self, button: str) -> Talk:
        if self.has_release:
            yield Say(self.codes[4], (self.numbers[button],))


FAMILIES: tuple[type[Grip], ...] = (Commands, Reports, Challenges, Properties, Keys, Bursts)


def invent(seed: int) -> Grip:
    """The grip number ``seed``; families take turns."""
    return FAMILIES[seed % len(FAMILIES)](random.Random(seed))
