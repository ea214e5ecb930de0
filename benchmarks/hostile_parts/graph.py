"""A stranger on the running graph: messages, services, parameters and packets that make no sense."""

from __future__ import annotations

import random
import re
import socket
import time
from collections import Counter
from pathlib import Path
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.msg import Parameter, ParameterValue
from rcl_interfaces.srv import GetParameters, ListParameters, SetParameters
from rclpy.node import Node
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Image
from std_srvs.srv import Trigger

from face_af_common import qos
from face_af_msgs import msg as m
from face_af_msgs import srv

from .mutations import message, mutated

NODES = ("capture", "perception", "overlay", "steering", "nikon_mcn10", "stage")
MESSAGES = (
    (m.FaceArray, "faces", qos.RESULT), (m.AfOverlay, "af_overlay", qos.RESULT),
    (m.SteeringCommand, "command", qos.RESULT), (m.SteeringState, "state", qos.RESULT),
    (m.CameraStatus, "camera_status", qos.STATUS), (m.FrameOrientation, "frame_orientation", qos.STATUS),
    (Image, "image_raw", qos.IMAGE), (DiagnosticArray, "/diagnostics", qos.RESULT),
)  # fmt: skip
SERVICES = (
    (srv.SetTarget, "set_target"), (srv.SetRecipe, "set_recipe"), (srv.EnrollFace, "enroll_face"),
    (srv.Press, "press"), (Trigger, "pause"), (Trigger, "resume"),
)  # fmt: skip
PATIENCE_S = 2.0
_BURST = 50


class Stranger(Node):
    """Sends, calls, and looks whether everybody still answers."""

    def __init__(self) -> None:
        super().__init__("stranger", namespace="face_af")
        self.states = 0
        self._pulse = {
            name: self.create_client(GetParameters, f"{name}/get_parameters") for name in NODES if name != "capture"
        }
        self.create_subscription(m.SteeringState, "state", self._on_state, qos.RESULT)

    def _on_state(self, _: m.SteeringState) -> None:
        self.states += 1

    def slowest_answer(self) -> tuple[str, float]:
        """The node that takes longest to answer now, and how long, seconds."""
        began = time.monotonic()
        waiting = {
            name: client.call_async(GetParameters.Request(names=["use_sim_time"]))
            for name, client in self._pulse.items()
        }
        slowest = ("", 0.0)
        while waiting and time.monotonic() - began < 15.0:
            for name in [name for name, future in waiting.items() if future.done()]:
                del waiting[name]
                slowest = (name, time.monotonic() - began)
            time.sleep(0.005)
        return (next(iter(waiting)), 15.0) if waiting else slowest


class Attack:
    """``rounds`` tries of each kind; after every burst all nodes must answer."""

    def __init__(self, stranger: Stranger, log: Path, rounds: int, rng: random.Random) -> None:
        self._stranger, self._log, self._rounds, self._rng = stranger, log, rounds, rng
        self.report: dict[str, Any] = {}

    def messages(self) -> None:
        for kind, topic, profile in MESSAGES:
            publisher = self._stranger.create_publisher(kind, topic, profile)
            time.sleep(0.5)

            def send(publisher: Any = publisher, kind: Any = kind) -> str:
                made = message(kind, self._rng)
                if self._rng.random() < 0.3:
                    # bytes that the middleware cannot read either
                    data = serialize_message(made)
                    publisher.publish(data[:4] + mutated(data[4:], self._rng))
                    return "bytes"
                publisher.publish(made)
                return "fields"

            self._rounds_of(f"message {topic}", send)
            self._stranger.destroy_publisher(publisher)

    def services(self) -> None:
        for kind, name in SERVICES:
            client = self._stranger.create_client(kind, name)

            def call(client: Any = client, kind: Any = kind) -> str:
                answer = client.call_async(message(kind.Request, self._rng))
                if not _done(answer):
                    return "no answer within 2 s"
                text = answer.result().message
                return "a long answer" if len(text) > 600 else "answered"

            self._rounds_of(f"service {name}", call)
            self._stranger.destroy_client(client)

    def parameters(self) -> None:
        for node in NODES[1:]:
            lister = self._stranger.create_client(ListParameters, f"{node}/list_parameters")
            setter = self._stranger.create_client(SetParameters, f"{node}/set_parameters")
            listed = lister.call_async(ListParameters.Request())
            names = list(listed.result().result.names) if _done(listed, 10.0) else ["no.such.parameter"]

            def change(setter: Any = setter, names: list[str] = names) -> str:
                value = message(ParameterValue, self._rng)
                value.type = self._rng.randrange(12)
                name = self._rng.choice(names) if self._rng.random() < 0.95 else "x" * 1000
                answer = setter.call_async(SetParameters.Request(parameters=[Parameter(name=name, value=value)]))
                if not _done(answer):
                    return "no answer within 2 s"
                results = answer.result().results
                if any(len(r.reason) > 1000 for r in results):
                    return "a long answer"
                return "accepted" if all(r.successful for r in results) else "refused"

            self._rounds_of(f"parameters of {node}", change)

    def packets(self, port: int, hello: bytes) -> None:
        """Mutated PTP/IP to the virtual camera, from a stranger; the driver has its own connection."""

        def connect() -> str:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=2.0) as connection:
                    connection.sendall(mutated(hello, self._rng))
                    connection.settimeout(0.02)
                    return "answered" if connection.recv(1000) else "closed"
            except TimeoutError:
                return "no answer"
            except OSError:
                return "refused"

        self._rounds_of("packets to the camera", connect)

    def _rounds_of(self, name: str, act: Any) -> None:
        outcomes: Counter[str] = Counter()
        slowest = ("", 0.0)
        for done in range(self._rounds):
            outcomes[act()] += 1
            if (done + 1) % _BURST == 0:
                slowest = max(slowest, self._stranger.slowest_answer(), key=lambda entry: entry[1])
        before = self._stranger.states
        time.sleep(3.0)
        findings = troubles(self._log)
        if slowest[1] > PATIENCE_S:
            findings.append(f"{slowest[0]} needed {slowest[1]:.1f} s to answer")
        if self._stranger.states == before:
            findings.append("steering says nothing for 3 s afterwards")
        findings += [
            f"{outcome}: {n}" for outcome, n in outcomes.items() if outcome.startswith(("no answer w", "a long"))
        ]
        self.report[name] = {
            "tries": self._rounds,
            **outcomes,
            "slowest_answer_s": round(slowest[1], 2),
            "findings": findings,
        }
        print(
            f"{name}: {dict(outcomes)}, slowest answer {slowest[1]:.2f} s ({slowest[0]})",
            *findings,
            sep="\n    ",
            flush=True,
        )


def troubles(log: Path) -> list[str]:
    """Tracebacks and deaths in a launch's log, with what came before them."""
    lines = log.read_text(errors="replace").splitlines()
    found = [line for line in lines if re.search(r"Traceback|process has died|hangs|ended hard|started again", line)]
    return found[:5]


def _done(future: Any, seconds: float = PATIENCE_S) -> bool:
    end = time.monotonic() + seconds
    while not future.done():
        if time.monotonic() > end:
            return False
        time.sleep(0.001)
    return True
