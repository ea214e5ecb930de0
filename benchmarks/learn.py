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
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from learn_sim import sniffers
from learn_sim.composed import Composed, OtherHabits
from learn_sim.evening import Exchange, Recorder, late, record
from learn_sim.grip import BUTTONS, Grip
from learn_sim.grips import invent
from learn_sim.judge import differences

from face_af_common.files import write_json
from nikon_mcn10_driver.capture.learn import learn
from nikon_mcn10_driver.capture.packets import CaptureError
from nikon_mcn10_driver.capture.proof import prove
from nikon_mcn10_driver.capture.reader import Capture, read_capture, read_stream

LOSSES = (0.0, 0.0025, 0.005, 0.01, 0.02)
"""Shares of lost packets, drawn evenly."""

LEAST_EXACT = 0.98
LARGE_SECONDS, LARGE_MB = 300.0, 500.0
SLOW_SECONDS = 10.0
SHARES = 20
"""Into which the mutated captures are divided; each has another grip."""

Row = tuple[int, str, float, str, list[str]]
"""Seed, family, loss, outcome (exact, refused, wrong, unproved, crash) and why."""


def capture_of(log: Sequence[Exchange], rng: random.Random, loss: float) -> bytes:
    """One file of a kind drawn at random; losses only where there are packets on the wire."""
    kind = rng.randrange(6)
    if kind == 0 and not loss:
        return sniffers.pcapng(sniffers.usbmon(log), 220, resolution=6)
    if kind == 1 and not loss:
        return sniffers.pcap(sniffers.usbpcap(log), 249)
    damaged, header_alone = rng.choice((0.0, 0.0, 0.02)), rng.random() < 0.1
    tap = sniffers.WireTap(rng, rng.choice((64, 512)), rng.randrange(1, 120), damaged, header_alone)
    packets = sniffers.lose(tap.packets(log, others=rng.random() < 0.4), loss, rng)
    if kind == 2:
        return sniffers.total_phase(packets).encode()
    if kind == 3:
        return sniffers.pcapng(packets, 294 if tap.size == 64 else 295, rng.choice("<>"))
    return sniffers.pcap(packets, 288, rng.random() < 0.5, rng.choice("<>"))


def one_grip(seed: int) -> Row:
    """A grip of the families, every button recorded once."""
    rng = random.Random(seed * 7 + 1)
    grip = invent(seed)
    loss = rng.choice(LOSSES)
    buttons = rng.sample(BUTTONS, rng.randrange(2, 7))
    logs = record(grip, seed, buttons, busy=rng.choice((0.0, 0.0, 0.02)))
    return _outcome(seed, type(grip).__name__, grip, loss, buttons, [logs], rng)


def one_composed(seed: int) -> Row:
    """A grip put together by chance, recorded with other habits, some of them twice."""
    rng = random.Random(seed * 11 + 3)
    grip = Composed(seed)
    loss = rng.choice(LOSSES)
    buttons = rng.sample(BUTTONS, rng.randrange(1, 7))
    evenings = [record(grip, seed + 1000 * i, buttons, kind=OtherHabits) for i in range(1 + (rng.random() < 0.25))]
    return _outcome(seed, grip.style, grip, loss, buttons, evenings, rng)


def _outcome(
    seed: int,
    family: str,
    grip: Grip,
    loss: float,
    buttons: list[str],
    evenings: Sequence[Mapping[str, list[Exchange]]],
    rng: random.Random,
) -> Row:
    try:
        recordings: dict[str, list[Capture]] = {}
        for logs in evenings:
            for name, log in logs.items():
                begins_late = name != "quiet" and rng.random() < 0.15
                data = capture_of(late(log, rng) if begins_late else log, rng, loss)
                recordings.setdefault(name, []).append(read_stream(io.BytesIO(data), name))
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


def grips(count: int, workers: int, one: Callable[[int], Row] = one_grip) -> dict[str, object]:
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        rows = list(pool.map(one, range(count), chunksize=4))
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


def mutated(reads: int, learns: int, workers: int) -> dict[str, float]:
    """Mutated captures through the reader, and through all of learning; no other exception may come."""
    shares = [(seed, reads // SHARES, learns // SHARES) for seed in range(SHARES)]
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        found = list(pool.map(_mutated, shares))
    findings = [finding for share in found for finding in share[2]]
    for finding in findings[:5]:
        print(f"  {finding}")
    return {
        "reads": sum(share[0] for share in found),
        "learned": sum(share[1] for share in found),
        "findings": len(findings),
        "slowest_s": round(max(share[3] for share in found), 2),
    }


def _mutated(share: tuple[int, int, int]) -> tuple[int, int, list[str], float]:
    """Captures read, sets learned from, findings, seconds of the slowest. Sets whose capture is refused by the reader
    count as read only."""
    seed, reads, learns = share
    rng = random.Random(seed)
    logs = record(invent(seed), 5, ["left", "right"])
    small = [capture_of(logs["left"][:12], random.Random(i), 0.0)[:4000] for i in range(12)]
    files = {name: capture_of(log, random.Random(seed), 0.0) for name, log in logs.items()}
    for data in (*small, *files.values()):
        _attempt(lambda data=data: read_stream(io.BytesIO(data), "warm"))  # type: ignore[misc]
    findings: list[str] = []
    slowest = 0.0
    read = learned = 0
    while read < reads or learned < learns:
        began = time.monotonic()
        if read < reads:
            data = mutate(rng.choice(small), rng)
            read, problem = read + 1, _attempt(lambda data=data: read_stream(io.BytesIO(data), "mutated"))  # type: ignore[misc]
        else:
            several = {name: data if rng.random() < 0.5 else mutate(data, rng) for name, data in files.items()}
            done, problem = _learn_mutated(several)
            learned += done
        if problem:
            findings.append(f"share {seed}, {read} read, {learned} learned: {problem}")
        slowest = max(slowest, time.monotonic() - began)
    return read, learned, findings, slowest


def _learn_mutated(files: Mapping[str, bytes]) -> tuple[bool, str]:
    """Whether learning was reached, and an exception that must not be."""
    try:
        recordings = {name: [read_stream(io.BytesIO(data), name)] for name, data in files.items()}
    except CaptureError:
        return False, ""
    except Exception as error:
        return False, repr(error)

    def learning() -> None:
        learned = learn(recordings)
        if learned.profile is not None:
            prove(learned)

    return True, _attempt(learning)


def _attempt(what: Callable[[], object]) -> str:
    try:
        what()
    except CaptureError:
        pass
    except Exception as error:
        return repr(error)
    return ""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="./run bench learn", description=__doc__.splitlines()[0])
    parser.add_argument("--grips", type=int, default=200, help="invented grips (default: %(default)s)")
    parser.add_argument("--composed", type=int, default=60, help="grips put together by chance (default: %(default)s)")
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
    if args.composed:
        report["composed"] = grips(args.composed, args.workers, one_composed)
    if args.megabytes:
        report["large"] = dict(large(args.megabytes))
    if args.reads or args.learns:
        report["mutated"] = dict(mutated(args.reads, args.learns, args.workers))
    print(json.dumps(report, indent=2))
    if args.report:
        write_json(args.report, report)
    missed = list(_missed(report))
    for line in missed:
        print(line)
    return 1 if args.check and missed else 0


def _missed(report: dict[str, dict[str, object]]) -> list[str]:
    lines = []
    number = {
        part: {k: float(v) for k, v in row.items() if isinstance(v, (int, float))} for part, row in report.items()
    }
    if (row := number.get("grips")) and row["exact"] < LEAST_EXACT * row["grips"]:
        lines.append(f"{row['exact']:.0f} of {row['grips']:.0f} grips learned exactly, {LEAST_EXACT:.0%} are needed")
    for part in ("grips", "composed"):
        row = number.get(part, {})
        lines += [f"{row[key]:.0f} {part} {key}, none may be" for key in ("wrong", "crashed") if row.get(key)]
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
