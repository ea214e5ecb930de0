"""``./run bench learn``: profiles learned from recordings of invented grips, a large capture, mutated captures.

A profile counts as learned exactly when the driver, in a session that nobody has recorded, says byte for byte what the
grip would say. The grips and the sniffers (:mod:`learn_sim`) know nothing of the learner.
"""

from __future__ import annotations

import argparse
import io
import json
import multiprocessing
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from learn_sim import sniffers
from learn_sim.evening import Exchange, Recorder, late, record
from learn_sim.grips import BUTTONS, invent
from learn_sim.judge import differences

from nikon_mcn10_driver.capture.learn import learn
from nikon_mcn10_driver.capture.packets import CaptureError
from nikon_mcn10_driver.capture.proof import prove
from nikon_mcn10_driver.capture.reader import read_capture, read_stream

LOSSES = (0.0, 0.0025, 0.005, 0.01, 0.02)
"""Shares of lost packets, drawn evenly."""

LEAST_EXACT = 0.98
LARGE_SECONDS, LARGE_MB = 300.0, 500.0
SLOW_SECONDS = 10.0


def capture_of(log: Sequence[Exchange], rng: random.Random, loss: float) -> bytes:
    """One file of a kind drawn at random; losses only where there are packets on the wire."""
    kind = rng.randrange(6)
    if kind == 0 and not loss:
        return sniffers.pcapng(sniffers.usbmon(log), 220, resolution=6)
    if kind == 1 and not loss:
        return sniffers.pcap(sniffers.usbpcap(log), 249)
    tap = sniffers.WireTap(rng, rng.choice((64, 512)), rng.randrange(1, 120))
    packets = sniffers.lose(tap.packets(log, others=rng.random() < 0.4), loss, rng)
    if kind == 2:
        return sniffers.total_phase(packets).encode()
    if kind == 3:
        return sniffers.pcapng(packets, 294 if tap.size == 64 else 295, rng.choice("<>"))
    return sniffers.pcap(packets, 288, rng.random() < 0.5, rng.choice("<>"))


def one_grip(seed: int) -> tuple[int, str, float, str, list[str]]:
    """Seed, family, loss, outcome (exact, refused, wrong, crash) and why."""
    rng = random.Random(seed * 7 + 1)
    grip = invent(seed)
    loss = rng.choice(LOSSES)
    buttons = rng.sample(BUTTONS, rng.randrange(2, 7))
    logs = record(grip, seed, buttons, busy=rng.choice((0.0, 0.0, 0.02)))
    family = type(grip).__name__
    try:
        recordings = {}
        for name, log in logs.items():
            begins_late = name != "quiet" and rng.random() < 0.15
            recordings[name] = [
                read_stream(io.BytesIO(capture_of(late(log, rng) if begins_late else log, rng, loss)), name)
            ]
        learned = learn(recordings)
        if not learned.complete or learned.profile is None:
            return seed, family, loss, "refused", learned.refusals[:3]
        faults = differences(grip, learned.profile, buttons, seed + 1)
        unproved = prove(learned).faults
    except CaptureError as error:
        return seed, family, loss, "refused", [str(error)]
    except Exception as error:  # the figure: nothing may get here
        return seed, family, loss, "crash", [repr(error)]
    if faults:
        return seed, family, loss, "refused" if unproved else "wrong", (unproved or faults)[:3]
    return seed, family, loss, "exact" if not unproved else "unproved", unproved[:3]


def grips(count: int, workers: int) -> dict[str, object]:
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        rows = list(pool.map(one_grip, range(count), chunksize=4))
    outcomes = Counter(row[3] for row in rows)
    for seed, family, loss, outcome, why in rows:
        if outcome != "exact":
            print(f"  grip {seed} ({family}, {loss:.2%} lost): {outcome}: {why[0][:150] if why else ''}")
    by_loss = {f"{loss:.2%}": Counter(row[3] for row in rows if row[2] == loss) for loss in LOSSES}
    return {
        "grips": count,
        "exact": outcomes["exact"],
        "refused": outcomes["refused"] + outcomes["unproved"],
        "wrong": outcomes["wrong"],
        "crashed": outcomes["crash"],
        "by_loss": {key: dict(value) for key, value in by_loss.items()},
    }


def large(megabytes: int) -> dict[str, float]:
    """A capture made of one session again and again, with a bus that is idle most of the time."""
    log = Recorder(invent(0), random.Random(1)).session(["left"] * 3, 0.0, True)
    seconds = log[-1].time + 2.0
    packets = list(sniffers.WireTap(random.Random(1)).packets(log, idle=0.0005))
    with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
        size, number = 0, 0
        while size < megabytes * 1_000_000:
            data = sniffers.pcap([(at + number * seconds, p) for at, p in packets], 288)
            file.write(data if not number else data[24:])
            size, number = size + len(data), number + 1
        file.flush()
        del data, packets
        began = time.monotonic()
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            transactions, peak = pool.submit(_read_large, file.name).result()
        return {
            "megabytes": round(size / 1e6),
            "seconds": round(time.monotonic() - began, 1),
            "peak_mb": round(peak, 1),
            "transactions": transactions,
            "expected": number * len(log),
        }


def _read_large(name: str) -> tuple[int, float]:
    transactions = len(read_capture(name).transactions)
    return transactions, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def mutate(data: bytes, rng: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        at = rng.randrange(len(out) or 1)
        kind = rng.randrange(5)
        if kind == 0:
            out[at : at + 1] = rng.randbytes(1)
        elif kind == 1:
            del out[at : at + rng.randint(1, 60)]
        elif kind == 2:
            out[at : at + 4] = rng.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\0\0\0\x80", b"\x0b\0\0\0"))
        elif kind == 3:
            out[at:at] = rng.randbytes(rng.randint(1, 30))
        else:
            del out[max(at, 100) :]
    return bytes(out)


def mutated(reads: int, learns: int) -> dict[str, float]:
    """Mutated captures through the reader, and through all of learning; no other exception may come."""
    rng = random.Random(5)
    logs = record(invent(1), 5, ["left", "right"])
    small = [capture_of(logs["left"][:12], random.Random(i), 0.0)[:4000] for i in range(12)]
    findings: list[str] = []
    slowest = 0.0
    for i in range(reads):
        data = mutate(rng.choice(small), rng)
        began = time.monotonic()
        try:
            read_stream(io.BytesIO(data), "mutated")
        except CaptureError:
            pass
        except Exception as error:
            findings.append(f"reader, input {i}: {error!r}")
        slowest = max(slowest, time.monotonic() - began)
    files = {name: capture_of(log, random.Random(1), 0.0) for name, log in logs.items()}
    for i in range(learns):
        recordings = {}
        began = time.monotonic()
        try:
            for name, data in files.items():
                recordings[name] = [read_stream(io.BytesIO(mutate(data, rng)), name)]
            learned = learn(recordings)
            if learned.profile is not None:
                prove(learned)
        except CaptureError:
            pass
        except Exception as error:
            findings.append(f"learning, input {i}: {error!r}")
        slowest = max(slowest, time.monotonic() - began)
    for finding in findings[:5]:
        print(f"  {finding}")
    return {"reads": reads, "learned": learns, "findings": len(findings), "slowest_s": round(slowest, 2)}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="./run bench learn", description=__doc__.splitlines()[0])
    parser.add_argument("--grips", type=int, default=200, help="invented grips (default: %(default)s)")
    parser.add_argument("--megabytes", type=int, default=1000, help="size of the large capture (default: %(default)s)")
    parser.add_argument("--reads", type=int, default=100_000, help="mutated captures read (default: %(default)s)")
    parser.add_argument("--learns", type=int, default=2000, help="mutated sets learned from (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--report", type=Path, help="write the figures to this JSON file")
    parser.add_argument("--check", action="store_true", help="exit status 1 and a line for each missed figure")
    args = parser.parse_args(argv)
    report: dict[str, dict[str, object]] = {}
    if args.grips:
        report["grips"] = grips(args.grips, args.workers)
    if args.megabytes:
        report["large"] = dict(large(args.megabytes))
    if args.reads or args.learns:
        report["mutated"] = dict(mutated(args.reads, args.learns))
    print(json.dumps(report, indent=2))
    if args.report:
        args.report.parent.mkdir(parents=True, exist_ok=True)
        args.report.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    missed = list(_missed(report))
    for line in missed:
        print(line)
    return 1 if args.check and missed else 0


def _missed(report: dict[str, dict[str, object]]) -> list[str]:
    lines = []
    number = {
        part: {k: float(v) for k, v in row.items() if isinstance(v, (int, float))} for part, row in report.items()
    }
    if row := number.get("grips"):
        if row["exact"] < LEAST_EXACT * row["grips"]:
            lines.append(
                f"{row['exact']:.0f} of {row['grips']:.0f} grips learned exactly, {LEAST_EXACT:.0%} are needed"
            )
        lines += [f"{row[key]:.0f} grips {key}, none may be" for key in ("wrong", "crashed") if row[key]]
    if row := number.get("large"):
        if row["seconds"] > LARGE_SECONDS or row["peak_mb"] > LARGE_MB:
            lines.append(f"the large capture took {row['seconds']} s and {row['peak_mb']} MB")
        if row["transactions"] != row["expected"]:
            lines.append(f"the large capture gave {row['transactions']:.0f} operations, not {row['expected']:.0f}")
    if row := number.get("mutated"):
        if row["findings"]:
            lines.append(f"{row['findings']:.0f} mutated captures crashed")
        if row["slowest_s"] > SLOW_SECONDS:
            lines.append(f"a mutated capture took {row['slowest_s']} s")
    return lines


if __name__ == "__main__":
    sys.exit(main())
