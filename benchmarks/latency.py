"""``./run bench latency``: frames a second and latency through the whole graph in real time, and each node's cost.

Runs the demo's graph (1920x1080, 30 frames a second offered) without a video, once for each set of models, and
watches the processes: CPU and resident memory. ``--minutes 10`` also tells whether a node grows.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import psutil

from face_af_sim.demo.cast import CastError, prepare
from face_af_sim.demo.run import DemoError, Options, run

SAMPLE_S = 1.0
WARM_UP_S = 10.0
"""From the first frame on, left out of the memory figures: buffers grow to their size."""


class ProcessWatch:
    """CPU share and memory of this process' descendants, by node name, sampled once a second.

    Of two processes of a node the older one is the node: the memory is its own, the processor's time that of both.
    """

    def __init__(self) -> None:
        self.cpu: dict[str, list[float]] = defaultdict(list)
        self.memory: dict[str, list[tuple[float, float]]] = defaultdict(list)
        self._stop = threading.Event()
        self._known: dict[int, psutil.Process] = {}
        self._start = time.monotonic()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def __enter__(self) -> ProcessWatch:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        me = psutil.Process()
        while not self._stop.wait(SAMPLE_S):
            used: dict[str, float] = defaultdict(float)
            held: dict[str, float] = {}
            for process in sorted(me.children(recursive=True), key=psutil.Process.create_time):
                process = self._known.setdefault(process.pid, process)
                try:
                    name = _node_name(process.cmdline())
                    if name:
                        used[name] += process.cpu_percent()
                        held.setdefault(name, process.memory_info().rss / 2**20)
                except psutil.Error:
                    continue
            for name in held:
                self.cpu[name].append(used[name])
                self.memory[name].append((time.monotonic() - self._start, held[name]))


def _node_name(command: Sequence[str]) -> str:
    for text in command:
        if text.startswith("__node:="):
            return text.removeprefix("__node:=")
    return ""


def growth(samples: Sequence[tuple[float, float]], first_frame_s: float) -> float:
    """Megabytes between the first and the last fifth of the time after the warm-up."""
    settled = [mb for t, mb in samples if t > first_frame_s + WARM_UP_S]
    fifth = max(len(settled) // 5, 1)
    return sum(settled[-fifth:]) / fifth - sum(settled[:fifth]) / fifth if settled else 0.0


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="./run bench latency", description=__doc__)
    parser.add_argument("--minutes", type=float, default=0.5, help="length of each run (0.5)")
    parser.add_argument("--models", choices=["both", "auto", "embedded"], default="both", help="which models (both)")
    parser.add_argument("--out", type=Path, default=Path("out/bench/latency"), help="folder for the runs' reports")
    parser.add_argument("--report", type=Path, help="write all figures there as JSON")
    options = parser.parse_args(argv)
    sets = {"auto": os.environ.get("FACE_AF_MODEL_DIR", ""), "embedded": os.devnull}
    if options.models != "both":
        sets = {options.models: sets[options.models]}
    results: dict[str, dict[str, object]] = {}
    for name, folder in sets.items():
        os.environ["FACE_AF_MODEL_DIR"] = folder
        out = (options.out / name).resolve()
        try:
            cast = prepare(out, None, "", print)
            with ProcessWatch() as watch:
                report = run(
                    Options(
                        cast=cast,
                        out=out,
                        duration=options.minutes * 60,
                        video=False,
                        arguments={"debug": "false"},
                    )
                )
        except (CastError, DemoError) as error:
            print(f"bench latency: {error}", file=sys.stderr)
            return 1
        if report["models"] in [r["models"] for r in results.values()]:
            print("only the embedded models are here: ./run fetch-models, or FACE_AF_MODEL_DIR=DIR, for the others")
            continue
        nodes = {
            node: {
                "cpu_percent": round(sum(watch.cpu[node]) / len(watch.cpu[node]), 1),
                "memory_mb": round(max(mb for _, mb in watch.memory[node]), 1),
                "growth_mb": round(growth(watch.memory[node], float(report["setup_s"])), 1),
            }
            for node in sorted(watch.cpu)
        }
        results[name] = {**report, "nodes": nodes}
        _print(report, nodes)
        if report["interrupted"]:
            break
    if options.report is not None:
        options.report.parent.mkdir(parents=True, exist_ok=True)
        options.report.write_text(json.dumps(results, indent=2) + "\n")
    return 0


def _print(report: dict[str, float | int | str], nodes: dict[str, dict[str, float]]) -> None:
    print(f"\n{report['models']}: {report['fps']} frames a second")
    print(f"  latency p50 {report['latency_p50_ms']} ms, p95 {report['latency_p95_ms']} ms")
    print(f"  on target {float(report['on_target']):.1%}, recognised {float(report['recognised']):.1%}")
    print(f"  {'node':<14}{'CPU %':>8}{'memory MB':>12}{'growth MB':>12}")
    for node, figures in nodes.items():
        print(f"  {node:<14}{figures['cpu_percent']:8.1f}{figures['memory_mb']:12.1f}{figures['growth_mb']:12.1f}")


if __name__ == "__main__":
    sys.exit(main())
