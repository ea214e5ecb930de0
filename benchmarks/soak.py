"""Runs the demo's graph for a long time and breaks something every few seconds: does it recover, does anything grow?

./run bench soak --minutes 30 --every 20 --check --report out/soak.json
./run bench soak --list

In the last 40 % of the time nothing is killed or hangs, so that processes live long enough to be seen growing.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from live_graph import live_graph, wait_until
from soak_faults import FAULTS, GENTLE, Unrecovered, Watcher, processes

from face_af_common.files import write_json
from face_af_sim.demo.cast import CastError

_SETTLED_S = 120.0
"""Memory is judged from here on in a process' life."""
_PATIENCE_S = 18.0
_LIMITS = {"unrecovered": 0, "recovery_p95_s": 3.0, "commands_on_old_frames": 0, "memory_growth": 0.02}


def recovery(watcher: Watcher, since: float, until: float) -> float | None:
    """Seconds without decisions that the fault has cost, or without the camera when longer; None = it is not over.

    From the end of the fault to the end of a silence that had begun by then or began soon after; the whole of a silence
    that began later. Less than 0.7 s is no silence.
    """
    arrivals = [since, *(at for at, _ in watcher.states if since < at < until), until]
    silences = [(a, b) for a, b in itertools.pairwise(arrivals) if b - a > 0.7]
    if not watcher.connected or any(b == until for _, b in silences):
        return None
    took = [b - (since if a - since < 3.0 else a) for a, b in silences]
    return max(0.0, *took, watcher.connected_at - max(watcher.lost_at, since))


def inject(watcher: Watcher, start: float, end: float, every: float, kinds: Sequence[str]) -> list[dict[str, Any]]:
    """Breaks one thing after the other until ``end``."""
    faults: list[dict[str, Any]] = []
    for kind in itertools.cycle(kinds):
        time.sleep(2.0)
        if time.monotonic() + every > end:
            return faults
        problem = ""
        try:
            FAULTS[kind](watcher)
        except (Unrecovered, KeyError, psutil.Error, subprocess.SubprocessError) as error:
            problem = f"{type(error).__name__}: {error}"
        at = time.monotonic()
        time.sleep(max(every - 2.0, 0.0))
        took = None if problem else recovery(watcher, at, min(time.monotonic(), at + _PATIENCE_S))
        faults.append({"at_s": round(at - start, 1), "kind": kind, "recovery_s": took, "problem": problem})
        print(
            f"{at - start:7.0f} s  {kind:34} {f'{took:5.2f} s' if took is not None else f'FAILED {problem}'}",
            flush=True,
        )
    return faults


@contextmanager
def sampled(period: float = 5.0) -> Iterator[dict[tuple[str, int], list[tuple[float, float, int, int]]]]:
    """Seconds, private MB, file descriptors and threads of each process (name, id) while the body runs."""
    samples: dict[tuple[str, int], list[tuple[float, float, int, int]]] = {}
    end = threading.Event()

    def run() -> None:
        while not end.wait(period):
            for name, process in processes().items():
                try:
                    memory = process.memory_info()
                    row = (
                        time.monotonic(),
                        (memory.rss - memory.shared) / 1e6,
                        process.num_fds(),
                        process.num_threads(),
                    )
                except psutil.Error:
                    continue
                samples.setdefault((name, process.pid), []).append(row)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield samples
    finally:
        end.set()
        thread.join()


def growth(rows: Sequence[tuple[float, float, int, int]]) -> float | None:
    """Growth of memory since it settled, as a share; None for a short life.

    Of the least in the first and in the last third: what a frame needs for a moment comes and goes.
    """
    settled = [memory for at, memory, _, _ in rows if at - rows[0][0] > _SETTLED_S]
    third = len(settled) // 3
    return min(settled[-third:]) / min(settled[:third]) - 1.0 if third >= 3 else None


def soak(watcher: Watcher, minutes: float, every: float, wanted: Sequence[str]) -> dict[str, Any]:
    start, seconds = time.monotonic(), minutes * 60
    with sampled() as samples:
        faults = inject(watcher, start, start + 0.6 * seconds, every, wanted)
        gentle = [kind for kind in wanted if kind in GENTLE]
        faults += inject(watcher, start, start + seconds, every, gentle) if gentle else []
    times = sorted(fault["recovery_s"] for fault in faults if fault["recovery_s"] is not None)
    latencies = [latency for _, latency in watcher.states]
    grown = {f"{name} {pid}": value for (name, pid), rows in samples.items() if (value := growth(rows)) is not None}
    by_kind = {kind: [f["recovery_s"] for f in faults if f["kind"] == kind] for kind in wanted}
    return {
        "minutes": minutes,
        "faults": len(faults),
        "unrecovered": sum(fault["recovery_s"] is None for fault in faults),
        "recovery_p50_s": round(statistics.median(times), 2) if times else None,
        "recovery_p95_s": round(times[min(int(len(times) * 0.95), len(times) - 1)], 2) if times else None,
        "recovery_max_s": round(times[-1], 2) if times else None,
        "states_per_second": round(len(latencies) / (time.monotonic() - start), 2),
        "latency_p50_ms_thirds": [round(float(np.median(part)), 1) for part in np.array_split(latencies, 3)],
        "commands": watcher.commands,
        "commands_on_old_frames": watcher.stale_commands,
        "memory_growth": round(max(grown.values()), 4) if grown else None,
        "memory_growth_by_process": {name: round(value, 4) for name, value in grown.items()},
        "last_mb_fds_threads": {f"{name} {pid}": rows[-1][1:] for (name, pid), rows in samples.items()},
        "by_fault_s": {kind: [None if t is None else round(t, 2) for t in row] for kind, row in by_kind.items() if row},
        "each_fault": faults,
    }


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="how long (30)")
    parser.add_argument("--every", type=float, default=20.0, help="seconds between faults (20, at least 10)")
    parser.add_argument("--out", type=Path, default=Path("out/soak"), help="folder for the gallery and the log")
    parser.add_argument("--report", type=Path, help="write the figures as JSON")
    parser.add_argument("--check", action="store_true", help="exit 1 and one line for each figure that is missed")
    parser.add_argument("--only", default="", help="faults whose name contains this text")
    parser.add_argument("--list", action="store_true", help="show the faults and end")
    options = parser.parse_args(argv)
    kinds = [kind for kind in FAULTS if options.only in kind]
    if options.list or not kinds:
        print("\n".join(FAULTS), file=sys.stdout if kinds else sys.stderr)
        return 0 if kinds else 1
    if options.minutes <= 0 or options.every < 10:
        parser.error("--minutes must be above 0 and --every at least 10")
    try:
        # a stage in the container would be prepared anew with it, which no camera is
        with live_graph(Watcher, options.out, arguments={"compose_stage": "false"}) as (graph, watcher):
            if not wait_until(lambda: len(watcher.states) > 20 or not graph.running, 120.0) or not graph.running:
                print(f"soak: the graph does not start: {graph.problem()}", file=sys.stderr)
                return 1
            figures = soak(watcher, options.minutes, options.every, kinds)
    except CastError as error:
        print(f"soak: {error}", file=sys.stderr)
        return 1
    for name, value in figures.items():
        if name != "each_fault":
            print(f"{name:26} {value}")
    if options.report:
        write_json(options.report, figures)
    missed = [
        f"{name} is {figures[name]}, wanted at most {most}"
        for name, most in _LIMITS.items()
        if (figures[name] or 0) > most
    ]
    print("\n".join(missed), file=sys.stderr, end="\n" if missed else "")
    return 1 if options.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
