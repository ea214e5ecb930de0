"""Runs the demo's graph for a long time and breaks something every few seconds: does it recover, does anything grow?

./run bench soak --minutes 30 --every 20 --report out/soak.json
./run bench soak --list
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from live_graph import live_graph
from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from std_srvs.srv import SetBool

from face_af_common import qos
from face_af_common.images import from_bgr
from face_af_common.stamps import from_ns, to_ns
from face_af_msgs.msg import CameraStatus, FaceArray, SteeringCommand, SteeringState
from face_af_sim.demo.cast import CastError

NODES = ("perception", "overlay", "steering", "nikon_mcn10", "stage")
_SETTLED_S = 180.0
"""Memory is judged from here on in a process' life."""
_PATIENCE_S = 15.0
_STALE_S = 1.0
"""A command on a picture older than this would be a press on an old picture."""


@dataclass
class Fault:
    """One injected fault. ``recovery_s``: until steering answered new frames again; None = not within the patience."""

    at_s: float
    kind: str
    recovery_s: float | None
    problem: str = ""


@dataclass
class Usage:
    """One process of a node over its life."""

    node: str
    started_s: float
    samples: list[tuple[float, float, int, int]] = field(default_factory=list)
    """Seconds, private memory in MB, file descriptors, threads."""

    def growth(self) -> float | None:
        """Growth of memory since it settled, as a share; None for a short life.

        Of the least in the first and in the last third: what a frame needs for a moment comes and goes.
        """
        late = [memory for at, memory, _, _ in self.samples if at - self.started_s > _SETTLED_S]
        if len(late) < 6:
            return None
        third = max(len(late) // 3, 1)
        return min(late[-third:]) / min(late[:third]) - 1.0


class Watcher(Node):
    """Hears what the graph does, and can flood it."""

    def __init__(self, namespace: str) -> None:
        super().__init__("soak", namespace=namespace)
        self.states: list[tuple[float, float]] = []
        """Arrival (monotonic seconds) and latency (ms) of every state."""
        self.stale_commands = 0
        self.commands = 0
        self.connected_at = 0.0
        self.connected = False
        self.create_subscription(SteeringState, "state", self._on_state, qos.RESULT)
        self.create_subscription(SteeringCommand, "command", self._on_command, qos.RESULT)
        self.create_subscription(CameraStatus, "camera_status", self._on_camera, qos.STATUS)
        self._faces = self.create_publisher(FaceArray, "faces", qos.RESULT)
        self._pictures = self.create_publisher(Image, "image_raw", qos.IMAGE)
        self._cables = {name: self.create_client(SetBool, f"sim/{name}") for name in ("unplug", "unplug_capture")}

    def _on_state(self, message: SteeringState) -> None:
        self.states.append((time.monotonic(), float(message.latency_ms)))

    def _on_command(self, message: SteeringCommand) -> None:
        self.commands += 1
        age = (self.get_clock().now().nanoseconds - to_ns(message.header.stamp)) / 1e9
        self.stale_commands += age > _STALE_S

    def _on_camera(self, message: CameraStatus) -> None:
        if message.connected and not self.connected:
            self.connected_at = time.monotonic()
        self.connected = message.connected

    def flood(self, seconds: float = 2.0, rate: float = 1000.0) -> None:
        """Empty faces of frames that never were, far more than the graph can join."""
        now = self.get_clock().now().nanoseconds
        end = time.monotonic() + seconds
        for number in itertools.count():
            if time.monotonic() > end:
                return
            self._faces.publish(FaceArray(header=Header(stamp=from_ns(now - 500_000_000 + number))))
            time.sleep(1 / rate)

    def jump(self, seconds: float = 2.0, by: float = 3600.0, rate: float = 10.0) -> None:
        """Pictures with stamps an hour ahead and an hour back among the real ones, as when a clock is being set."""
        black = np.zeros((1080, 1920, 3), np.uint8)
        for number in range(round(seconds * rate)):
            shift = by if number % 2 else -by
            now = self.get_clock().now().nanoseconds + round(shift * 1e9)
            self._pictures.publish(from_bgr(black, Header(stamp=from_ns(now), frame_id="camera")))
            time.sleep(1 / rate)

    def unplug(self, cable: str, seconds: float = 4.0) -> None:
        """Pulls a cable of the simulated camera and puts it back."""
        for out in (True, False):
            answer = self._cables[cable].call_async(SetBool.Request(data=out))
            deadline = time.monotonic() + 5.0
            while not answer.done() and time.monotonic() < deadline:
                time.sleep(0.05)
            if not answer.done() or not answer.result().success:
                raise Unrecovered(f"sim/{cable} does not answer")
            if out:
                time.sleep(seconds)


class Unrecovered(Exception):
    """What was broken has done harm that silence of steering would not show."""


def processes() -> dict[str, psutil.Process]:
    """The graph's nodes by name; of two processes the older one, the other is its standby."""
    found: dict[str, psutil.Process] = {}
    for process in psutil.Process().children(recursive=True):
        try:
            command = " ".join(process.cmdline())
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        for node in NODES:
            if f"/{node} --ros-args" in command and "/lib/" in command:
                found[node] = min(process, found.get(node, process), key=psutil.Process.create_time)
    return found


def kill(node: str) -> Callable[[Watcher], None]:
    def inject(watcher: Watcher) -> None:
        process = processes().get(node)
        if process is not None:
            process.send_signal(signal.SIGKILL)
            if node == "nikon_mcn10":
                watcher.connected = False  # a killed driver cannot say so

    return inject


def freeze(node: str, seconds: float = 2.0) -> Callable[[Watcher], None]:
    def inject(_: Watcher) -> None:
        process = processes().get(node)
        if process is not None:
            process.send_signal(signal.SIGSTOP)
            time.sleep(seconds)
            process.send_signal(signal.SIGCONT)

    return inject


def overload(_: Watcher, seconds: float = 10.0) -> None:
    """Two busy processes for every processor."""
    busy = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2 * len(os.sched_getaffinity(0)))
    ]
    try:
        time.sleep(seconds)
    finally:
        for process in busy:
            process.kill()
            process.wait()


def full_disk(watcher: Watcher) -> None:
    with tempfile.TemporaryDirectory(prefix="face_af_soak_") as folder:
        record_on_full_disk(watcher, Path(folder) / "bag")


def record_on_full_disk(watcher: Watcher, folder: Path) -> None:
    """A recorder whose files may not grow any more: it must say so, live on and leave a bag that can be read."""
    from ament_index_python.packages import get_package_prefix
    from rosbags.highlevel import AnyReader

    program = Path(get_package_prefix("face_af_recording")) / "lib/face_af_recording/recorder"
    arguments = ["-r", f"__ns:={watcher.get_namespace()}", "-p", f"folder:={folder}", "-p", "min_free_mb:=0"]
    log = folder.with_suffix(".log")
    with log.open("w") as output:
        recorder = subprocess.Popen([program, "--ros-args", *arguments], stdout=output, stderr=output)
    try:
        _wait_for(lambda: sum(f.stat().st_size for f in folder.glob("*.mcap")) > 1_000_000, 15.0, "nothing is recorded")
        size = sum(file.stat().st_size for file in folder.glob("*.mcap"))
        limit = size + 2_000_000
        resource.prlimit(recorder.pid, resource.RLIMIT_FSIZE, (limit, limit))
        _wait_for(lambda: "recording has stopped" in log.read_text(), 15.0, "the recorder does not say that it stopped")
        if recorder.poll() is not None:
            raise Unrecovered("the recorder died of a full disk")
    finally:
        recorder.send_signal(signal.SIGINT)
        try:
            recorder.wait(10.0)
        except subprocess.TimeoutExpired:
            recorder.kill()
            recorder.wait()
    try:
        with AnyReader([folder]) as reader:
            if not sum(1 for _ in reader.messages()):
                raise Unrecovered("nothing is left in the bag")
    except Exception as error:
        raise Unrecovered(f"the bag cannot be read: {error}") from error


def _wait_for(condition: Callable[[], bool], seconds: float, problem: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Unrecovered(problem)
        time.sleep(0.05)


FAULTS: dict[str, Callable[[Watcher], None]] = {
    "kill perception": kill("perception"),
    "camera unplugged 4 s": lambda watcher: watcher.unplug("unplug"),
    "kill steering": kill("steering"),
    "freeze perception 2 s": freeze("perception"),
    "kill overlay": kill("overlay"),
    "capture unplugged 4 s": lambda watcher: watcher.unplug("unplug_capture"),
    "clock jumps by an hour": Watcher.jump,
    "kill driver": kill("nikon_mcn10"),
    "flood of faces 2 s": Watcher.flood,
    "full disk": full_disk,
    "freeze steering 2 s": freeze("steering"),
    "overload 10 s": overload,
    "camera and capture hang 3 s": freeze("stage", 3.0),
    "freeze overlay 2 s": freeze("overlay"),
    "freeze driver 3 s": freeze("nikon_mcn10", 3.0),
}
"""By name; each returns when it is over, kills at once. Recovery counts from there."""


def recovery(watcher: Watcher, since: float, until: float) -> float | None:
    """Seconds from ``since`` to the end of the silence that the fault caused, or to the camera's return when later.

    0 when steering was never silent for 0.7 s; a silence that begins more than 3 s after the fault has another cause.
    """
    arrivals = [since, *(at for at, _ in watcher.states if since < at < until), until]
    end = next((b for a, b in itertools.pairwise(arrivals) if b - a > 0.7 and a - since < 3.0), since)
    if end == until or not watcher.connected:
        return None
    return max(end, watcher.connected_at) - since if max(end, watcher.connected_at) > since else 0.0


def sample(usages: dict[int, Usage], started: float) -> None:
    for node, process in processes().items():
        try:
            with process.oneshot():
                memory = process.memory_info()
                row = (
                    time.monotonic() - started,
                    # shared memory holds the pictures of whoever sends some: it is bounded, and not this node's
                    (memory.rss - memory.shared) / 1e6,
                    process.num_fds(),
                    process.num_threads(),
                )
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        usages.setdefault(process.pid, Usage(node, row[0])).samples.append(row)


@contextmanager
def sampled(started: float, period: float = 5.0) -> Iterator[dict[int, Usage]]:
    """What the processes use, by process id, while the body runs; complete when it has ended."""
    usages: dict[int, Usage] = {}
    end = threading.Event()

    def run() -> None:
        while not end.wait(period):
            sample(usages, started)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield usages
    finally:
        end.set()
        thread.join()


def soak(watcher: Watcher, minutes: float, every: float, wanted: Sequence[str]) -> dict[str, Any]:
    started = time.monotonic()
    with sampled(started) as usages:
        faults = inject(watcher, started, started + minutes * 60, every, wanted)
    return report(watcher, faults, usages, time.monotonic() - started, started)


def inject(watcher: Watcher, started: float, end: float, every: float, wanted: Sequence[str]) -> list[Fault]:
    """Breaks one thing after the other until ``end``."""
    faults: list[Fault] = []
    kinds = itertools.cycle(wanted)
    next_fault = started + every
    while (now := time.monotonic()) < end:
        if now >= next_fault and now + _PATIENCE_S < end:
            kind = next(kinds)
            problem = ""
            try:
                FAULTS[kind](watcher)
            except Unrecovered as error:
                problem = str(error)
            at = time.monotonic()  # kills return at once; of the others, recovery counts from their end
            time.sleep(max(0.0, min(_PATIENCE_S, every - 2.0) - (time.monotonic() - at)))
            took = None if problem else recovery(watcher, at, time.monotonic())
            faults.append(Fault(round(at - started, 1), kind, None if took is None else round(took, 2), problem))
            shown = f"not recovered {problem}" if took is None else f"{took:5.2f} s"
            print(f"{at - started:7.0f} s  {kind:28} {shown}", flush=True)
            next_fault = at + every
        time.sleep(0.2)
    return faults


def report(
    watcher: Watcher, faults: list[Fault], usages: dict[int, Usage], seconds: float, started: float
) -> dict[str, Any]:
    times = sorted(fault.recovery_s for fault in faults if fault.recovery_s is not None)
    thirds = [
        [latency for at, latency in watcher.states if seconds * k / 3 <= at - started < seconds * (k + 1) / 3]
        for k in range(3)
    ]
    growths = {node: [g for u in usages.values() if u.node == node and (g := u.growth()) is not None] for node in NODES}
    last = {usage.node: usage.samples[-1] for usage in usages.values() if usage.samples}
    return {
        "minutes": round(seconds / 60, 2),
        "faults": len(faults),
        "unrecovered": sum(fault.recovery_s is None for fault in faults),
        "recovery_p50_s": times[len(times) // 2] if times else None,
        "recovery_p95_s": times[min(int(len(times) * 0.95), len(times) - 1)] if times else None,
        "states_per_second": round(len(watcher.states) / seconds, 2),
        "latency_p50_ms_thirds": [round(statistics.median(third), 1) if third else None for third in thirds],
        "commands": watcher.commands,
        "commands_on_old_pictures": watcher.stale_commands,
        "memory_growth": {node: round(max(values), 4) if values else None for node, values in growths.items()},
        "last_private_mb": {node: round(row[1], 1) for node, row in last.items()},
        "descriptors": {node: (_settled(usages, node, 2), row[2]) for node, row in last.items()},
        "threads": {node: (_settled(usages, node, 3), row[3]) for node, row in last.items()},
        "by_fault": {
            kind: _summary([f for f in faults if f.kind == kind]) for kind in dict.fromkeys(f.kind for f in faults)
        },
        "memory_over_time": {
            f"{usage.node} {pid}": [(round(row[0]), round(row[1], 1)) for row in usage.samples[::6]]
            for pid, usage in usages.items()
        },
        "each_fault": [asdict(fault) for fault in faults],
    }


def _settled(usages: dict[int, Usage], node: str, column: int) -> int:
    """The value of a node's longest-lived process after half a minute of its life."""
    longest = max((u for u in usages.values() if u.node == node), key=lambda u: len(u.samples))
    return int(longest.samples[min(6, len(longest.samples) - 1)][column])


def _summary(faults: Sequence[Fault]) -> str:
    times = [fault.recovery_s for fault in faults if fault.recovery_s is not None]
    if not times:
        return f"{len(faults)} times, never recovered"
    lost = f", {len(faults) - len(times)} not recovered" if len(times) < len(faults) else ""
    return f"{len(faults)} times, median {statistics.median(times):.2f} s, longest {max(times):.2f} s{lost}"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="how long (30)")
    parser.add_argument("--every", type=float, default=20.0, help="seconds between faults (20, at least 10)")
    parser.add_argument("--out", type=Path, default=Path("out/soak"), help="folder for the gallery and the log")
    parser.add_argument("--report", type=Path, help="write the figures as JSON")
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
        with live_graph(lambda: Watcher("face_af"), options.out) as (graph, watcher):
            deadline = time.monotonic() + 120
            while len(watcher.states) < 20 and graph.running and time.monotonic() < deadline:
                time.sleep(0.2)
            if len(watcher.states) < 20:
                print(f"soak: the graph does not start: {graph.problem()}", file=sys.stderr)
                return 1
            figures = soak(watcher, options.minutes, options.every, kinds)
    except CastError as error:
        print(f"soak: {error}", file=sys.stderr)
        return 1
    for name, value in figures.items():
        if name == "by_fault":
            print(*(f"  {kind:28} {text}" for kind, text in value.items()), sep="\n")
        elif name not in ("each_fault", "memory_over_time"):
            print(f"{name:26} {value}")
    if options.report:
        options.report.parent.mkdir(parents=True, exist_ok=True)
        options.report.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0 if figures["unrecovered"] == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
