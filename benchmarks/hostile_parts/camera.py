"""A camera that answers wrongly: driver, virtual Z8, and a program between them that changes what it says."""

from __future__ import annotations

import contextlib
import random
import signal
import socket
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rcl_interfaces.srv import GetParameters
from rclpy.node import Node

from face_af_common import qos
from face_af_msgs import msg as m
from face_af_msgs import srv
from face_af_sim.virtual_z8.body import DemoBody
from face_af_sim.virtual_z8.ptpip_server import PtpIpServer
from face_af_sim.virtual_z8.responder import VirtualZ8
from nikon_mcn10_driver.ptp import ip
from nikon_mcn10_driver.ptp.ip import PacketType

from .findings import Findings, LogWatch
from .mutations import mutated

NAMESPACE = "/hostile_camera"
PATIENCE_S = 2.0
_SHARE = 0.1
"""Of what the camera says, changed."""
_HELD = 0.01
"""Of connections after a change, kept open: the driver has to give up waiting by itself."""
_EVENT = ip.CodeAndParams(0x4006, 0, (1,)).encode(PacketType.EVENT)


class Between:
    """Hands on what driver and camera say to one another; ``changing``: not always as it was said."""

    def __init__(self, port: int, rng: random.Random) -> None:
        self._camera, self._rng = port, rng
        self.changing, self.flooding = False, False
        self.changed = 0
        self.newest: deque[bytes] = deque(maxlen=8)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                driver, _ = self._listener.accept()
                camera = socket.create_connection(("127.0.0.1", self._camera), timeout=5.0)
            except OSError:
                return
            camera.settimeout(None)
            ends = (driver, camera)
            threading.Thread(target=self._hand_on, args=(driver, camera, ends, False), daemon=True).start()
            threading.Thread(target=self._hand_on, args=(camera, driver, ends, True), daemon=True).start()

    def _hand_on(self, giver: socket.socket, taker: socket.socket, ends: tuple[Any, ...], from_camera: bool) -> None:
        with contextlib.suppress(OSError):
            while data := giver.recv(1 << 16):
                if from_camera and self.flooding and self._rng.random() < 0.5:
                    data += _EVENT * self._rng.randrange(1, 5000)
                if from_camera and self.changing and self._rng.random() < _SHARE:
                    data = mutated(data, self._rng)
                    self.newest.append(data[:300])
                    self.changed += 1
                    taker.sendall(data)
                    if self._rng.random() > _HELD:
                        time.sleep(0.02)
                        break
                    continue
                taker.sendall(data)
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.close()


class Presser(Node):
    """Presses buttons by hand, and looks whether the driver still answers."""

    def __init__(self) -> None:
        super().__init__("presser", namespace=NAMESPACE)
        self.status = m.CameraStatus()
        self._press = self.create_client(srv.Press, "press")
        self._pulse = self.create_client(GetParameters, "nikon_mcn10/get_parameters")
        self.create_subscription(m.CameraStatus, "camera_status", self._on_status, qos.STATUS)

    def _on_status(self, message: m.CameraStatus) -> None:
        self.status = message

    def press(self) -> None:
        self._press.call_async(srv.Press.Request(button="left"))

    def answer_s(self) -> float:
        began = time.monotonic()
        future = self._pulse.call_async(GetParameters.Request(names=["port"]))
        while not future.done() and time.monotonic() - began < 15.0:
            time.sleep(0.002)
        return time.monotonic() - began


def attack(presser: Presser, folder: Path, rounds: int, rng: random.Random) -> dict[str, Any]:
    """Figures of a driver whose camera lies, and of one whose camera sends events without end."""
    server = PtpIpServer(VirtualZ8(DemoBody(4)), "127.0.0.1", 0)
    server.start()
    between = Between(server.port, rng)
    log = folder / "driver.log"
    try:
        with _driver(between.port, log) as process:
            findings, watch = Findings(), LogWatch(log)
            _until(lambda: presser.status.connected, 60.0)
            lies = _lies(presser, between, process, findings, watch, rounds)
            between.changing = False
            if not _until(lambda: presser.status.connected, 15.0):
                findings.add(f"not connected 15 s after the camera was itself again: {presser.status.last_error}")
            flood = _flood(presser, between, watch)
    finally:
        between.close()
        server.stop()
    return {"packets from the camera": {**lies, **findings.report()}, "events without end": flood}


def _lies(
    presser: Presser, between: Between, process: Any, findings: Findings, watch: LogWatch, rounds: int
) -> dict[str, Any]:
    between.changing = True
    began, slowest, looked = time.monotonic(), 0.0, 0
    while between.changed < rounds and process.poll() is None and not findings.full:
        presser.press()
        time.sleep(0.01)
        if between.changed < looked + 10 and time.monotonic() - began < 30 * 60:
            continue
        looked = between.changed
        answer = presser.answer_s()
        slowest = max(slowest, answer)
        wrong = watch.troubles()
        if answer > PATIENCE_S:
            wrong.append(f"the driver needed more than {PATIENCE_S:g} s to answer")
        for what in wrong:
            findings.add(what, list(between.newest))
    if process.poll() is not None:
        findings.add(f"the driver ended with {process.returncode}", list(between.newest))
    return {
        "tries": between.changed,
        "connected_again": presser.status.reconnects,
        "slowest_answer_s": round(slowest, 2),
        "seconds": round(time.monotonic() - began, 1),
    }


def _flood(presser: Presser, between: Between, watch: LogWatch) -> dict[str, Any]:
    between.flooding = True
    findings, slowest, presses = Findings(), 0.0, presser.status.sent
    for _ in range(100):
        presser.press()
        slowest = max(slowest, presser.answer_s())
        time.sleep(0.05)
    between.flooding = False
    for what in watch.troubles():
        findings.add(what)
    if slowest > PATIENCE_S:
        findings.add(f"the driver needed {slowest:.1f} s to answer")
    _until(lambda: presser.status.sent > presses, 5.0)
    if presser.status.sent == presses:
        findings.add("no press went through")
    return {
        "tries": 100,
        "sent": presser.status.sent - presses,
        "slowest_answer_s": round(slowest, 2),
        **findings.report(),
    }


@contextlib.contextmanager
def _driver(port: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    given = {
        "transport": "ptpip", "port": port, "profile": "virtual_z8",
        "reconnect.min_pause": 0.01, "reconnect.max_pause": 0.02,
    }  # fmt: skip
    parameters = [part for name, value in given.items() for part in ("-p", f"{name}:={value}")]
    command = [
        "ros2",
        "run",
        "nikon_mcn10_driver",
        "nikon_mcn10",
        "--ros-args",
        "-r",
        f"__ns:={NAMESPACE}",
        *parameters,
    ]
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(15.0)
            except subprocess.TimeoutExpired:
                process.kill()


def _until(done: Any, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not done() and time.monotonic() < end:
        time.sleep(0.02)
    return bool(done())
