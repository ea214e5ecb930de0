"""The faults that the soak injects, and who injects them: a node that hears what the graph does meanwhile."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
from live_graph import wait_until
from process_use import node_processes
from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from std_srvs.srv import SetBool

from face_af_common import qos
from face_af_common.images import from_bgr
from face_af_common.stamps import from_ns, to_ns
from face_af_msgs.msg import CameraStatus, FaceArray, SteeringCommand, SteeringState

_STALE_S = 1.0
"""A command on a frame older than this would be a press on an old frame."""


class Unrecovered(Exception):
    """What was broken has done harm that silence of steering would not show."""


class Watcher(Node):
    """Hears what the graph does, and can flood it."""

    def __init__(self) -> None:
        super().__init__("soak", namespace="face_af")
        self.states: list[tuple[float, float]] = []
        """Arrival (monotonic seconds) and latency (ms) of every state."""
        self.commands = self.stale_commands = 0
        self.connected, self.connected_at, self.lost_at = False, 0.0, 0.0
        self.create_subscription(SteeringState, "state", self._on_state, qos.RESULT)
        self.create_subscription(SteeringCommand, "command", self._on_command, qos.RESULT)
        self.create_subscription(CameraStatus, "camera_status", self._on_camera, qos.STATUS)
        self._faces = self.create_publisher(FaceArray, "faces", qos.RESULT)
        self._frames = self.create_publisher(Image, "image_raw", qos.IMAGE)
        self._cables = {name: self.create_client(SetBool, f"sim/{name}") for name in ("unplug", "unplug_capture")}

    def _on_state(self, message: SteeringState) -> None:
        self.states.append((time.monotonic(), float(message.latency_ms)))

    def _on_command(self, message: SteeringCommand) -> None:
        self.commands += 1
        age = (self.get_clock().now().nanoseconds - to_ns(message.header.stamp)) / 1e9
        self.stale_commands += age > _STALE_S

    def _on_camera(self, message: CameraStatus) -> None:
        self.note_camera(message.connected)

    def note_camera(self, connected: bool) -> None:
        if connected and not self.connected:
            self.connected_at = time.monotonic()
        elif not connected and self.connected:
            self.lost_at = time.monotonic()
        self.connected = connected

    def flood(self, seconds: float = 2.0, rate: float = 1000.0) -> None:
        """Empty faces of frames that never were, far more than the graph can join."""
        now = self.get_clock().now().nanoseconds
        for number in range(round(seconds * rate)):
            self._faces.publish(FaceArray(header=Header(stamp=from_ns(now - 500_000_000 + number))))
            time.sleep(1 / rate)

    def jump(self, seconds: float = 2.0, by: float = 3600.0, rate: float = 10.0) -> None:
        """Frames with stamps an hour ahead and an hour back among the real ones, as when a clock is being set."""
        black = np.zeros((1080, 1920, 3), np.uint8)
        for number in range(round(seconds * rate)):
            now = self.get_clock().now().nanoseconds + round((by if number % 2 else -by) * 1e9)
            self._frames.publish(from_bgr(black, Header(stamp=from_ns(now), frame_id="camera")))
            time.sleep(1 / rate)

    def unplug(self, cable: str, seconds: float = 4.0) -> None:
        """Pulls a cable of the simulated camera and puts it back."""
        for out in (True, False):
            answer = self._cables[cable].call_async(SetBool.Request(data=out))
            if not wait_until(answer.done, 5.0) or not answer.result().success:
                raise Unrecovered(f"sim/{cable} does not answer")
            if out:
                time.sleep(seconds)


def processes() -> dict[str, psutil.Process]:
    """The graph's processes: the container, the driver, and the supervisor of each."""
    found = {}
    for pid, nodes in node_processes().items():
        name = "driver" if nodes == ["nikon_mcn10"] else "container" if len(nodes) > 1 else "+".join(nodes)
        try:
            process = psutil.Process(pid)
            supervised = any(nodes == other for other in map(node_processes().get, [process.ppid()]))
        except psutil.NoSuchProcess:
            continue
        found[name if supervised else f"{name} supervisor"] = process
    return found


def kill(name: str) -> Callable[[Watcher], None]:
    def inject(watcher: Watcher) -> None:
        if name == "driver":
            watcher.note_camera(False)  # who is killed cannot say so
        processes()[name].kill()

    return inject


def freeze(name: str, seconds: float) -> Callable[[Watcher], None]:
    def inject(watcher: Watcher) -> None:
        process = processes()[name]
        process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        if process.is_running():  # else it was replaced
            process.send_signal(signal.SIGCONT)

    return inject


def overload(_: Watcher, seconds: float = 10.0) -> None:
    """Two busy processes for every processor."""
    busy = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2 * len(os.sched_getaffinity(0)))
    ]
    time.sleep(seconds)
    for process in busy:
        process.kill()
        process.wait()


def full_disk(watcher: Watcher) -> None:
    """A recorder whose files may not grow any more: it must say so, live on and leave a bag that can be read."""
    from ament_index_python.packages import get_package_prefix
    from rosbags.highlevel import AnyReader

    program = Path(get_package_prefix("face_af_recording")) / "lib/face_af_recording/recorder"
    with tempfile.TemporaryDirectory(prefix="face_af_soak_") as work:
        folder, log = Path(work) / "bag", Path(work) / "log"
        arguments = ["-r", f"__ns:={watcher.get_namespace()}", "-p", f"folder:={folder}", "-p", "min_free_mb:=0"]
        with log.open("w") as output:
            recorder = subprocess.Popen([program, "--ros-args", *arguments], stdout=output, stderr=output)
        try:
            if not wait_until(lambda: _size(folder) > 1_000_000, 15.0):
                raise Unrecovered("nothing is recorded")
            limit = _size(folder) + 2_000_000
            resource.prlimit(recorder.pid, resource.RLIMIT_FSIZE, (limit, limit))
            if not wait_until(lambda: "recording has stopped" in log.read_text(), 15.0) or recorder.poll() is not None:
                raise Unrecovered("the recorder does not say that it stopped")
        finally:
            recorder.send_signal(signal.SIGINT)
            recorder.wait(10.0)
        with AnyReader([folder]) as reader:
            if not sum(1 for _ in reader.messages()):
                raise Unrecovered("nothing is left in the bag")


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("*.mcap"))


GENTLE: dict[str, Callable[[Watcher], None]] = {
    "camera unplugged 4 s": lambda watcher: watcher.unplug("unplug"),
    "capture unplugged 4 s": lambda watcher: watcher.unplug("unplug_capture"),
    "clock jumps by an hour": Watcher.jump,
    "flood of faces 2 s": Watcher.flood,
    "full disk": full_disk,
    "freeze container 1 s": freeze("container", 1.0),
    "overload 10 s": overload,
}
"""Faults that every process should survive."""

FAULTS = {
    "kill container": kill("container"),
    "freeze driver 3 s": freeze("driver", 3.0),
    "kill driver": kill("driver"),
    "freeze container 3 s": freeze("container", 3.0),
    "kill container's supervisor": kill("container supervisor"),
    "freeze container's supervisor 3 s": freeze("container supervisor", 3.0),
    "kill driver's supervisor": kill("driver supervisor"),
    **GENTLE,
}
"""By name; each returns when it is over, kills at once. Recovery counts from there."""
