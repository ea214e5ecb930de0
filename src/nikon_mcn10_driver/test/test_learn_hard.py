"""Recordings that can be taken wrongly: they are learned rightly, or refused with the reason."""

from __future__ import annotations

import io
import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

import learn as bench
from learn_sim import sniffers
from learn_sim.evening import Recorder, late, record
from learn_sim.grip import Say
from learn_sim.grips import Commands, Keys, invent
from learn_sim.judge import differences

from nikon_mcn10_driver.capture.learn import learn
from nikon_mcn10_driver.capture.proof import prove
from nikon_mcn10_driver.capture.reader import read_stream

BUTTONS = ["left", "right"]


def captured(log, seed=1):
    packets = sniffers.WireTap(random.Random(seed)).packets(log)
    return read_stream(io.BytesIO(sniffers.pcap(packets, 288)), "x")


def learned_from(*evenings):
    recordings: dict[str, list] = {}
    for logs in evenings:
        for name, log in logs.items():
            recordings.setdefault(name, []).append(captured(log))
    return learn(recordings)


def assert_exact(grip, learned, buttons=BUTTONS):
    assert learned.refusals == [] and learned.profile is not None
    assert prove(learned).faults == []
    assert differences(grip, learned.profile, buttons, 9) == []


@pytest.mark.parametrize("seed", range(6))
def test_two_recordings_of_a_button_are_one_button(seed):
    grip = invent(seed)
    assert_exact(grip, learned_from(record(grip, 1, BUTTONS), record(grip, 2, BUTTONS)))


class MaskedKeys(Keys):
    """Sends back what the camera gave it in another form, only with its buttons."""

    def __init__(self, rng):
        super().__init__(rng)
        self.timed = False

    def beat(self, group):
        yield Say(self.codes[0])

    def _say(self, operation, *values):
        return Say(operation, (self.key ^ 0x5AC3E187, *values))


def test_a_key_of_the_session_shows_where_sessions_are_compared():
    grip = MaskedKeys(random.Random(4))
    learned = learned_from(record(grip, 4, BUTTONS))
    assert_exact(grip, learned)
    assert any("Echo" in repr(step.fields) for step in learned.steps)


@pytest.mark.parametrize("buttons", [["left"], BUTTONS])
def test_a_key_of_the_session_is_no_code_where_none_can_be_compared(buttons):
    logs = record(MaskedKeys(random.Random(4)), 4, buttons)
    logs |= {name: late(log, random.Random(1)) for name, log in logs.items() if name == "right"}
    learned = learned_from(logs)
    assert learned.profile is None and "may belong to the session" in " ".join(learned.refusals)


class CountsOn(Commands):
    """Goes on counting where it was when it was switched off."""

    def __init__(self, rng):
        super().__init__(rng)
        self.counted, self.count = True, 1

    def switch_on(self):
        self.began, self.beats = self.now(), 0


def test_a_counter_that_begins_anywhere_is_refused():
    learned = learned_from(record(CountsOn(random.Random(0)), 0, BUTTONS))
    assert learned.profile is None and "another first value in each session" in " ".join(learned.refusals)


def test_a_slow_start_up_is_no_heartbeat():
    grip = Commands(random.Random(2))
    grip.hello = [Say(grip.codes[9], (i,), None, None, 1.2) for i in range(4)]
    assert_exact(grip, learned_from(record(grip, 2, BUTTONS)))


def test_buttons_held_for_longer_than_the_pauses(monkeypatch):
    monkeypatch.setattr(Recorder, "hold", (0.8, 1.6))
    monkeypatch.setattr(Recorder, "pause", (0.6, 1.2))
    grip = Commands(random.Random(5))
    grip.has_release = True
    assert_exact(grip, learned_from(record(grip, 5, BUTTONS)))


class Summed(MaskedKeys):
    """Puts a checksum behind a key and a code: in one session it is always the same."""

    def _say(self, operation, *values):
        body = self.key.to_bytes(4, "little") + bytes(value & 0xFF for value in values) + b"\x07"
        return Say(operation, (), body + bytes([sum(body) & 0xFF]))


def test_a_checksum_that_is_constant_in_a_session():
    buttons = ["left", "right", "up", "down"]
    grip = Summed(random.Random(6))
    assert_exact(grip, learned_from(record(grip, 6, buttons)), buttons)


@pytest.mark.parametrize("seed", [53, 119])
def test_a_slow_computer_does_not_make_heartbeats_rarer(seed):
    """The pause after what was sent last is the grip's; what the messages take is the computer's."""
    assert bench.one_composed(seed)[3] == "exact"


@pytest.mark.parametrize("seed", [71, 275])
def test_two_rhythms_go_on_regardless(seed):
    assert bench.one_composed(seed)[3] == "exact"


def test_a_first_press_that_was_lost_in_part_still_shows_where_the_counter_began():
    assert bench.one_composed(203)[3] == "exact"
