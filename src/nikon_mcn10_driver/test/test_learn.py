"""Profiles are learned from recordings of invented grips; the driver then says what the grip would."""

from __future__ import annotations

import io
import queue
import random
import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

from learn_sim import sniffers
from learn_sim.evening import late, record
from learn_sim.grips import FAMILIES, invent
from learn_sim.judge import differences

from nikon_mcn10_driver.capture.learn import learn
from nikon_mcn10_driver.capture.learn_profile import main
from nikon_mcn10_driver.capture.proof import prove
from nikon_mcn10_driver.capture.reader import read_stream
from nikon_mcn10_driver.capture.record import cut
from nikon_mcn10_driver.capture.record import record as record_stream
from nikon_mcn10_driver.capture.report import as_html, as_text, tables
from nikon_mcn10_driver.profiles import main as profiles

BUTTONS = ["left", "right"]


def file_of(log, seed=0, loss=0.0) -> bytes:
    rng = random.Random(seed)
    return sniffers.pcapng(sniffers.lose(sniffers.WireTap(rng).packets(log), loss, rng), 295)


def recordings(logs, loss=0.0):
    return {name: [read_stream(io.BytesIO(file_of(log, 1, loss)), name)] for name, log in logs.items()}


@pytest.mark.parametrize("seed", range(2 * len(FAMILIES)))
def test_a_family_of_grips_is_learned_exactly(seed):
    grip = invent(seed)
    learned = learn(recordings(record(grip, seed, BUTTONS)))
    assert learned.profile is not None and learned.refusals == []
    assert differences(grip, learned.profile, BUTTONS, seed) == []
    proof = prove(learned)
    assert proof.faults == [] and sum(proof.checked.values()) > 50


def test_the_proof_notices_a_wrong_profile():
    from dataclasses import replace

    learned = learn(recordings(record(invent(0), 0, BUTTONS)))
    assert learned.profile is not None
    kinds = list(learned.profile.buttons)
    swapped = dict(zip(kinds, reversed(list(learned.profile.buttons.values())), strict=True))
    learned.profile = replace(learned.profile, buttons=swapped)
    assert prove(learned).faults


def test_what_cannot_be_known_is_refused():
    logs = record(invent(0), 0, BUTTONS)
    without_start = {name: late(log, random.Random(1)) for name, log in logs.items()}
    assert "start-up" in learn(recordings(without_start)).refusals[0]
    assert "quiet" in learn(recordings({"left": logs["left"]})).refusals[0]
    twice = learn(recordings({"quiet": logs["quiet"], "left": logs["left"], "right": logs["left"]}))
    assert twice.profile is None and "send the same" in " ".join(twice.refusals)


def test_values_that_nobody_can_compute_are_refused_with_their_packets():
    logs = record(invent(0), 0, BUTTONS)
    rng = random.Random(7)
    scrambled = [
        e.__class__(
            e.time, e.tid, e.say.__class__(e.say.operation, (*e.say.params, rng.getrandbits(32))), e.heard, e.end
        )
        if e.say.operation not in (0x1001, 0x1002, 0x1003)
        else e
        for e in logs["left"]
    ]
    learned = learn(recordings({**logs, "left": scrambled}))
    assert not learned.complete
    assert "packet" in " ".join(learned.refusals) or "differ" in " ".join(learned.refusals)


def test_the_report_shows_every_step_and_escapes():
    learned = learn(recordings(record(invent(1), 1, BUTTONS)))
    learned.notes.append("<b>")
    found = tables(learned, prove(learned))
    assert "left press, step 1" in as_text(found) and "counter" in as_text(found)
    assert "&lt;b&gt;" in as_html(found, "t") and "<b>" not in as_html(found, "t")


def test_one_stream_is_cut_into_recordings():
    logs = record(invent(0), 3, BUTTONS)
    capture = read_stream(io.BytesIO(file_of(logs["left"])), "x")
    border = capture.transactions[10].time
    parts = cut(capture, [("quiet", border), ("left", 1e9)])
    assert len(parts["quiet"][0].transactions) == 11
    assert len(parts["left"][0].transactions) == len(logs["left"]) - 11


class Sniffer:
    """A stream that comes in pieces; a piece has been taken in whole when the next one is asked for."""

    def __init__(self) -> None:
        self.pieces: queue.Queue[bytes] = queue.Queue()
        self.hungry = threading.Semaphore(0)
        self.rest = b""

    def read(self, size: int) -> bytes:
        return self.read1(size)

    def read1(self, size: int) -> bytes:
        if not self.rest:
            self.hungry.release()
            self.rest = self.pieces.get(timeout=60)
        data, self.rest = self.rest[:size], self.rest[size:]
        return data


def test_recording_while_the_capture_comes_in():
    grip = invent(4)
    tap, at, pieces = sniffers.WireTap(random.Random(1)), 0.0, []
    for log in record(grip, 4, BUTTONS).values():
        packets = [(time + at, data) for time, data in tap.packets(log)]
        pieces.append(sniffers.pcap(packets, 288)[24 if pieces else 0 :])
        at = packets[-1][0] + 3.0
    sniffer, asked = Sniffer(), []

    def ask(text):
        asked.append(text)
        sniffer.hungry.acquire(timeout=60)
        sniffer.pieces.put(pieces.pop(0) if pieces else b"")
        if pieces or "End" not in text:
            # the user waits until the buttons have been pressed
            sniffer.hungry.acquire(timeout=60)
            sniffer.hungry.release()

    found = record_stream(sniffer, BUTTONS, ask)
    assert "touch nothing" in asked[0] and "press LEFT ten times" in asked[1] and "End" in asked[-1]
    learned = learn(found)
    assert learned.refusals == [] and learned.profile is not None
    assert differences(grip, learned.profile, BUTTONS, 4) == []


def test_the_command_line(tmp_path, capsys):
    logs = record(invent(0), 0, BUTTONS)
    arguments = []
    for name, log in logs.items():
        (tmp_path / f"{name}.pcapng").write_bytes(file_of(log))
        arguments += [f"--{name}", str(tmp_path / f"{name}.pcapng")]
    out = tmp_path / "mine.yaml"
    assert main([*arguments, "-o", str(out)]) == 0
    assert "left, right; proved" in capsys.readouterr().out
    assert (tmp_path / "mine.html").exists()
    assert profiles(["check", str(out)]) == 0
    assert profiles(["share", str(out), "-o", str(tmp_path / "shared.yaml")]) == 0
    assert "6001234" in out.read_text() and "6001234" not in (tmp_path / "shared.yaml").read_text()
    assert main(["--quiet", str(tmp_path / "none")]) == 2
