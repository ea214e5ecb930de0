"""Captures of every kind become the same transactions; damaged ones are said to be damaged, and never hang or crash."""

from __future__ import annotations

import io
import random
import struct
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

from learn_sim import sniffers
from learn_sim.evening import Recorder
from learn_sim.grips import invent

from nikon_mcn10_driver.capture.packets import CaptureError
from nikon_mcn10_driver.capture.reader import read_stream
from nikon_mcn10_driver.capture.transactions import Transaction


@pytest.fixture(scope="module")
def log():
    """A session with data phases in both directions, of more than one packet each way."""
    return Recorder(invent(2), random.Random(5)).session(["left"] * 3, 0.0, True)


def captures(log):
    rng = random.Random(1)

    def wire(size=512, loss=0.0, others=False):
        return sniffers.lose(sniffers.WireTap(rng, size).packets(log, others=others), loss, rng)

    yield "high speed, pcapng", sniffers.pcapng(wire(others=True), 295)
    yield "full speed, pcap, microseconds", sniffers.pcap(wire(64), 294, nano=False)
    yield "big-endian pcapng", sniffers.pcapng(wire(), 288, order=">")
    yield "big-endian pcap", sniffers.pcap(wire(), 288, order=">")
    yield "usbmon", sniffers.pcapng(sniffers.usbmon(log), 220, resolution=6)
    yield "USBPcap", sniffers.pcap(sniffers.usbpcap(log), 249)
    yield "Total Phase CSV", sniffers.total_phase(wire()).encode()
    yield "hexadecimal lines", sniffers.hexadecimal(log).encode()


def said(transactions: list[Transaction]):
    return [(t.tid, t.operation, t.params, t.data, t.response, t.reply) for t in transactions]


def test_every_kind_of_capture_gives_what_was_said(log):
    truth = [(e.tid, e.say.operation, e.say.params, e.say.data, e.heard.code, e.heard.data) for e in log]
    for name, data in captures(log):
        capture = read_stream(io.BytesIO(data), name)
        assert said(capture.transactions) == truth, name
        assert not capture.problems, name
        assert capture.timed
        assert all(abs(t.time - e.time) < 2e-3 for t, e in zip(capture.transactions, log, strict=True)), name


def test_idle_packets_cost_no_memory(log):
    data = sniffers.pcap(sniffers.WireTap(random.Random(1)).packets(log, idle=0.0005), 288)
    capture = read_stream(io.BytesIO(data), "idle")
    assert len(data) > 400_000 and capture.seen.packets < 2000
    assert len(capture.transactions) == len(log)


def test_the_camera_says_who_it_is(log):
    capture = read_stream(io.BytesIO(sniffers.pcap(sniffers.usbpcap(log), 249)), "x")
    assert capture.info is not None and capture.info.model == "Z 8"


def test_a_capture_that_begins_in_the_middle_is_read(log):
    packets = list(sniffers.WireTap(random.Random(2)).packets(log))
    capture = read_stream(io.BytesIO(sniffers.pcap(packets[len(packets) // 2 + 3 :], 288)), "late")
    truth = {(e.tid, e.say.operation) for e in log}
    assert len(capture.transactions) > len(log) // 3
    assert {(t.tid, t.operation) for t in capture.transactions[1:]} <= truth


def test_what_a_lossy_capture_has_is_right(log):
    truth = {e.tid: (e.say.operation, e.say.params, e.say.data) for e in log[1:]}
    for seed in range(20):
        rng = random.Random(seed)
        lost = sniffers.lose(sniffers.WireTap(rng).packets(log), 0.03, rng)
        for t in read_stream(io.BytesIO(sniffers.pcap(lost, 288)), "lossy").transactions[1:]:
            if t.sent_whole:
                assert (t.operation, t.params) == truth[t.tid][:2]
                assert t.data in (truth[t.tid][2], None)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"\x0a\x0d\x0d\x0a" + bytes(40), "no PTP"),
        (struct.pack("<I", 0xA1B2C3D4) + bytes(4), "within its header"),
        (b"hello world, this is no capture\n", "neither pcap"),
        (b"\0\1\2\3\4\5", "neither pcap"),
        (b"# Level,Sp,Index,m:s.ms.us,Dur\n", "no column"),
    ],
)
def test_what_is_no_capture_is_refused_in_one_line(data, reason):
    with pytest.raises(CaptureError, match=reason) as caught:
        read_stream(io.BytesIO(data), "x.bin")
    assert str(caught.value).startswith("x.bin: ") and "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", [{"damaged": 0.2}, {"header_alone": True}], ids=lambda kind: next(iter(kind)))
def test_retries_and_headers_apart_give_what_was_said(log, kind):
    truth = [(e.tid, e.say.operation, e.say.params, e.say.data, e.heard.code, e.heard.data) for e in log]
    tap = sniffers.WireTap(random.Random(8), 64, **kind)
    capture = read_stream(io.BytesIO(sniffers.pcap(tap.packets(log), 294)), "x")
    assert said(capture.transactions) == truth
    assert not any(t.damaged for t in capture.transactions)


def test_two_cameras_are_told_apart(log):
    taps = [sniffers.WireTap(random.Random(i), address=address) for i, address in enumerate((5, 6))]
    both = sorted([(at + 7e-4 * tap.address, p) for tap in taps for at, p in tap.packets(log)], key=lambda p: p[0])
    data = sniffers.pcap(both, 288)
    with pytest.raises(CaptureError, match="--device"):
        read_stream(io.BytesIO(data), "two")
    assert read_stream(io.BytesIO(data), "two", device=6).device == 6


@pytest.mark.parametrize("space", ["\x1f", "\xa0", "\u2009"])
def test_a_row_with_spaces_of_other_alphabets_is_left_out(log, space):
    content = next(data for name, data in captures(log) if name == "Total Phase CSV").decode()
    row = next(line for line in content.splitlines() if "DATA0 packet" in line)
    spoilt = content.replace(row, row.replace(" ", space), 1)
    assert len(read_stream(io.BytesIO(spoilt.encode()), "x").transactions) >= len(log) - 1


def test_mutated_captures_are_read_or_refused(log):
    rng = random.Random(3)
    samples = [data[:3000] for _, data in captures(log)]
    for _ in range(600):
        data = bytearray(rng.choice(samples))
        for _ in range(rng.randint(1, 6)):
            at = rng.randrange(len(data))
            data[at : at + rng.randint(0, 4)] = rng.randbytes(rng.randint(0, 4))
        try:
            read_stream(io.BytesIO(bytes(data)), "mutated")
        except CaptureError:
            pass
