"""``./run bench latency``: the whole graph in real time, in one process and in several, side by side.

1920x1080, 30 frames a second (``--rate``: fewer, for a slower machine), five people. Measured: frames that steering has
answered, stamp to decision, stamp to the last byte to the camera, processor time and memory. The simulated stage is
counted apart. A third run has no stage: the capture node reads JPEGs of it at the same rate, as from an MJPEG stick; it
tells what a show needs.

The figures are those of SCRFD and MobileFaceNet; where their files are missing, and with ``--embedder auto``, of the
best that is there.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml
from live_graph import live_graph, wait_until
from process_use import cpu_seconds, node_processes, proportional_mb, total_seconds
from rclpy.node import Node

from face_af_common import qos
from face_af_common.files import write_json
from face_af_common.paths import model_dirs
from face_af_common.stamps import to_ns
from face_af_inference.choosing import choose_embedders
from face_af_inference.manifest import load_manifest
from face_af_inference.runtimes import ModelError
from face_af_msgs.msg import CameraStatus, SteeringCommand, SteeringState
from face_af_sim.cast import prepare_stage
from face_af_sim.demo.cast import CastError
from face_af_sim.simulation import Simulation

STILLS_RATE = 30.0
WARM_UP_S = 10.0
STILLS = 60

WAYS: dict[str, tuple[str, dict[str, object]]] = {
    "one process": ("sim.launch.py", {"use_composition": "true"}),
    "separate": ("sim.launch.py", {"use_composition": "false"}),
    "capture": ("bringup.launch.py", {"source": "folder", "transport": "dry_run"}),
}

LIMITS = (
    ("one process", "fps", ">=", 29.9),
    ("one process", "decision_p50_ms", "<=", 30.0),
    ("one process", "decision_p95_ms", "<=", 45.0),
    ("one process", "last_byte_p95_ms", "<=", 50.0),
    ("capture", "memory_mb", "<=", 600.0),
    ("one process", "cpu_of_separate", "<=", 0.75),
)


class Watcher(Node):
    """Hears the decisions, and when each command was with the camera."""

    def __init__(self) -> None:
        super().__init__("latency", namespace="face_af")
        self.clear()
        self.create_subscription(SteeringState, "state", self._on_state, qos.RESULT)
        self.create_subscription(SteeringCommand, "command", self._on_command, qos.RESULT)
        self.create_subscription(CameraStatus, "camera_status", self._on_camera, qos.STATUS)

    def clear(self) -> None:
        self.stamps: list[int] = []
        self.decision_ms: list[float] = []
        self.last_byte_ms: list[float] = []
        self._commanded: dict[int, int] = {}

    def _on_state(self, message: SteeringState) -> None:
        self.stamps.append(to_ns(message.header.stamp))
        self.decision_ms.append(message.latency_ms)

    def _on_command(self, message: SteeringCommand) -> None:
        self._commanded[message.id] = to_ns(message.header.stamp)

    def _on_camera(self, message: CameraStatus) -> None:
        # the driver says so right after the last byte, and stamps it
        stamp = self._commanded.pop(message.last_command_id, None)
        if stamp is not None:
            self.last_byte_ms.append((to_ns(message.header.stamp) - stamp) / 1e6)


def stills(folder: Path) -> Path:
    """Two seconds of the stage as JPEGs."""
    folder.mkdir(parents=True, exist_ok=True)
    people = prepare_stage("", "", say=print)
    show = Simulation(people.figures, people.target, seed=1, width=1920, height=1080)
    for number in range(STILLS):
        cv2.imwrite(str(folder / f"{number:03d}.jpg"), show.frame(number / STILLS_RATE).picture)
    return folder


def parameters(out: Path, embedder: str, rate: float) -> Path:
    """A parameter file for all ways."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "parameters.yaml"
    capture, perception = {"loop": True, "rate": rate}, {"embedder": embedder}
    nodes = {"/**/capture": capture, "/**/perception": perception}
    path.write_text(yaml.safe_dump({name: {"ros__parameters": values} for name, values in nodes.items()}))
    return path.resolve()


def available(embedder: str) -> str:
    """``embedder`` where its file is there, else ``auto``."""
    try:
        choose_embedders(load_manifest(), embedder, model_dirs())
    except ModelError as error:
        print(f"bench latency: {error}; what is there is measured", file=sys.stderr)
        return "auto"
    return embedder


def measure(way: str, out: Path, seconds: float, embedder: str, rate: float) -> dict[str, Any]:
    launch_file, arguments = WAYS[way]
    arguments = {**arguments, "params_file": parameters(out, embedder, rate)}
    if way == "capture":
        arguments["device"] = stills(out / "stills").resolve()
    else:
        arguments["rate"] = rate
    with live_graph(Watcher, out, launch_file, arguments) as (graph, watcher):
        if not wait_until(lambda: len(watcher.stamps) > 30 or not graph.running, 120.0) or not graph.running:
            raise CastError(f"the graph does not start: {graph.problem()}")
        time.sleep(WARM_UP_S)
        pids = [pid for pid, nodes in node_processes().items() if nodes != ["stage"]]
        watcher.clear()
        begun, total, threads = time.monotonic(), total_seconds(pids), cpu_seconds(pids)
        time.sleep(seconds)
        took = time.monotonic() - begun
        total = total_seconds(pids) - total
        by_thread = {name: spent - threads.get(name, 0.0) for name, spent in cpu_seconds(pids).items()}
        memory = proportional_mb(pids)
        stamps, decisions = sorted(set(watcher.stamps)), list(watcher.decision_ms)
        last_bytes = list(watcher.last_byte_ms)
    figures = {
        "fps": (len(stamps) - 1) / ((stamps[-1] - stamps[0]) / 1e9),
        "decision_p50_ms": float(np.percentile(decisions, 50)),
        "decision_p95_ms": float(np.percentile(decisions, 95)),
        "decision_max_ms": max(decisions),
        "presses": len(last_bytes),
        "last_byte_p50_ms": float(np.percentile(last_bytes, 50)) if last_bytes else None,
        "last_byte_p95_ms": float(np.percentile(last_bytes, 95)) if last_bytes else None,
        "cpu_percent": 100.0 * (total - by_thread.get("stage", 0.0)) / took,
        "stage_cpu_percent": 100.0 * by_thread.get("stage", 0.0) / took,
        "memory_mb": memory,
    }
    rounded = {name: round(value, 2) if isinstance(value, float) else value for name, value in figures.items()}
    shares = {name: round(100.0 * spent / took, 1) for name, spent in by_thread.items() if spent / took > 0.005}
    return rounded | {"cpu_percent_by_thread": dict(sorted(shares.items(), key=lambda item: -item[1]))}


def missed(results: dict[str, dict[str, Any]]) -> list[str]:
    """A line for each figure that is not reached."""
    lines = []
    for way, name, relation, limit in LIMITS:
        value = results.get(way, {}).get(name)
        if value is not None and not (value >= limit if relation == ">=" else value <= limit):
            lines.append(f"{way}: {name} is {value}, wanted {relation} {limit}")
    return lines


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="./run bench latency", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=0.5, help="length of each run (0.5)")
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS), help="which runs (all)")
    parser.add_argument("--rate", type=float, default=30.0, help="frames a second of the source (30)")
    parser.add_argument("--embedder", default="mobilefacenet", help="of models/models.yaml, or auto (mobilefacenet)")
    parser.add_argument("--out", type=Path, default=Path("out/bench/latency"), help="folder for galleries and logs")
    parser.add_argument("--report", type=Path, help="write all figures there as JSON")
    parser.add_argument("--check", action="store_true", help="exit 1 and one line for each figure that is missed")
    options = parser.parse_args(argv)
    embedder = available(options.embedder)
    results: dict[str, dict[str, Any]] = {}
    try:
        for way in options.ways:
            out = options.out / way.replace(" ", "_")
            results[way] = measure(way, out, options.minutes * 60, embedder, options.rate)
    except CastError as error:
        print(f"bench latency: {error}", file=sys.stderr)
        return 1
    if "one process" in results and "separate" in results:
        share = results["one process"]["cpu_percent"] / results["separate"]["cpu_percent"]
        results["one process"]["cpu_of_separate"] = round(share, 3)
    print(f"{'':<22}" + "".join(f"{way:>14}" for way in results))
    for name in dict.fromkeys(name for figures in results.values() for name in figures):
        if name != "cpu_percent_by_thread":
            print(f"{name:<22}" + "".join(f"{figures.get(name, '')!s:>14}" for figures in results.values()))
    for way, figures in results.items():
        print(f"{way}: " + ", ".join(f"{name} {share} %" for name, share in figures["cpu_percent_by_thread"].items()))
    if options.report is not None:
        write_json(options.report, results)
    lines = missed(results)
    print("\n".join(lines), file=sys.stderr, end="\n" if lines else "")
    return 1 if options.check and lines else 0


if __name__ == "__main__":
    sys.exit(main())
