"""A stranger on the running graph: messages, services and parameters that make no sense."""

from __future__ import annotations

import random
import re
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.msg import Parameter, ParameterValue
from rcl_interfaces.srv import (
    DescribeParameters,
    GetParameters,
    GetParameterTypes,
    ListParameters,
    SetParameters,
    SetParametersAtomically,
)
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage, Image
from std_srvs.srv import SetBool, Trigger

from face_af_common import qos
from face_af_common.running import own_domain
from face_af_common.stamps import from_ns
from face_af_msgs import msg as m
from face_af_msgs import srv

from . import dds, material, other_nodes, page
from .findings import Findings, LogWatch
from .mutations import message, mutated, near
from .stranger import NODES, PATIENCE_S, Stranger

MESSAGES = (
    (m.FaceArray, "faces", qos.RESULT), (m.AfOverlay, "af_overlay", qos.RESULT),
    (m.SteeringCommand, "command", qos.RESULT), (m.SteeringState, "state", qos.RESULT),
    (m.CameraStatus, "camera_status", qos.STATUS), (m.FrameOrientation, "frame_orientation", qos.STATUS),
    (m.SpeakerArray, "speaker", qos.RESULT), (Image, "image_raw", qos.IMAGE),
    (CompressedImage, "image_raw/compressed", qos.COMPRESSED), (DiagnosticArray, "/diagnostics", qos.RESULT),
    (m.FaceArray, "/others/faces", qos.RESULT), (m.AfOverlay, "/others/af_overlay", qos.RESULT),
    (m.SteeringCommand, "/others/command", qos.RESULT), (m.SteeringState, "/others/state", qos.RESULT),
)  # fmt: skip
SERVICES = (
    (srv.SetTarget, "set_target", 4), (srv.SetRecipe, "set_recipe", 8), (srv.EnrollFace, "enroll_face", 2),
    (srv.ListPeople, "list_people", 4), (srv.GetFaceImage, "get_face_image", 4),
    (srv.AddPhotograph, "add_photograph", 2), (srv.RemoveSample, "remove_sample", 2),
    (srv.CalibrateOverlay, "calibrate_overlay", 2), (srv.Press, "press", 4), (Trigger, "pause", 8),
    (Trigger, "resume", 8), (Trigger, "reconnect", 8), (SetBool, "sim/unplug", 8), (SetBool, "sim/unplug_capture", 8),
    (GetParameters, "steering/get_parameters", 8), (ListParameters, "steering/list_parameters", 8),
    (DescribeParameters, "steering/describe_parameters", 8), (GetParameterTypes, "steering/get_parameter_types", 8),
    (SetParametersAtomically, "steering/set_parameters_atomically", 8),
)  # fmt: skip
"""With how many calls are under way at once: few where each waits for the frame that is looked at."""
_BATCH = 8
"""Messages between two looks; a reader of the graph's results keeps ten."""
_SELDOM = 10
"""Of the looks at those who are concerned, so many for one at all nodes."""
_WRONG = re.compile("no answer|a long|answered 500")
_LEFT_ALONE = {(other_nodes.PLAYER, "loop")}
"""Parameters that end a node as they should."""
_LONG = 600
"""Characters of an answer that repeats too much of what was asked."""


class Attack:
    """``rounds`` tries of each kind; after every few all nodes must answer, and the launch's log have no trouble."""

    def __init__(
        self,
        stranger: Stranger,
        logs: Sequence[Path],
        rounds: int,
        rng: random.Random,
        keep: Callable[[dict[str, Any]], None],
    ) -> None:
        self._stranger, self._rounds, self._rng = stranger, rounds, rng
        self._watch = LogWatch(*logs)
        self._keep = keep
        """Gets the report whenever it grows."""
        self.report: dict[str, Any] = {}

    def messages(self) -> None:
        for kind, topic, profile in MESSAGES:
            publisher = self._stranger.create_publisher(kind, topic, profile)
            time.sleep(1.0)

            def send(
                inputs: Sequence[bytes], publisher: Any = publisher, pause: float = 0.0 if profile.depth > 1 else 0.02
            ) -> list[str]:
                for data in inputs:
                    publisher.publish(data)
                    time.sleep(pause)
                return ["sent"] * len(inputs)

            stamp = material.START_NS if topic.startswith("/others") else 0
            hearers = self._stranger.hearers(topic)
            self.tries(f"message {topic}", partial(self._serialised, kind, stamp), send, concerned=hearers)
            self._stranger.destroy_publisher(publisher)

    def _serialised(self, kind: Any, stamp: int) -> bytes:
        """A message of random fields, for the frame that is waited for where ``stamp`` (ns) names one.

        Of some the bytes are such that the middleware cannot read them either.
        """
        made = message(kind, self._rng)
        if stamp and self._rng.random() < 0.7:
            made.header.stamp = from_ns(stamp)
        data: bytes = serialize_message(made)
        return data[:4] + mutated(data[4:], self._rng) if self._rng.random() < 0.3 else data

    def services(self) -> None:
        for kind, name, at_once in SERVICES:
            client = self._stranger.create_client(kind, name)
            client.wait_for_service(10.0)

            def call(inputs: Sequence[Any], client: Any = client) -> list[str]:
                return [_outcome(answer) for answer in self._stranger.answers(client, inputs)]

            self.tries(f"service {name}", partial(message, kind.Request, self._rng), call, at_once, concerned=())
            self._stranger.destroy_client(client)

    def packets(self, camera_port: int, page_port: int, hello: bytes) -> None:
        """To the virtual camera, whose connection is the driver's, and to the page."""
        send = page.over_sockets(page_port)
        kinds: tuple[tuple[str, Any, Any, str], ...] = (
            (
                "packets to the camera",
                lambda: mutated(hello, self._rng),
                lambda data: greet(camera_port, data),
                "stage",
            ),
            (
                "requests to the page",
                lambda: page.request(page_port, self._rng),
                lambda data: page.ask(page_port, data),
                "page",
            ),
        )
        for name, make, ask, node in kinds:
            self.tries(name, make, partial(_each, ask), concerned=(node,))
        self.tries(
            "messages to the page",
            lambda: page.message(self._rng),
            lambda inputs: send(inputs, self._rng),
            concerned=("page",),
        )
        dds.attack(self.tries, own_domain(), self._rng)

    def _plug_in(self) -> None:
        """Undoes what the tries before may have asked for."""
        for kind, name, request in (
            (SetBool, "sim/unplug", SetBool.Request()),
            (SetBool, "sim/unplug_capture", SetBool.Request()),
            (Trigger, "resume", Trigger.Request()),
        ):
            self._stranger.answers(self._stranger.create_client(kind, name), [request])

    def parameters(self) -> None:
        for node in NODES:
            before = self._ask(node, ListParameters, ListParameters.Request())
            if before is None:
                self.report[f"parameters of {node}"] = {"tries": 0, "findings": [f"{node} lists no parameters"]}
                continue
            names = [name for name in before.result.names if (node, name) not in _LEFT_ALONE]
            values = list(self._ask(node, GetParameters, GetParameters.Request(names=names)).values)
            setter = self._stranger.create_client(SetParameters, f"{node}/set_parameters")
            setter.wait_for_service(10.0)

            def made(names: list[str] = names, values: list[Any] = values) -> Any:
                place = self._rng.randrange(len(names))
                name = names[place] if self._rng.random() < 0.97 else "x" * 1000
                value = message(ParameterValue, self._rng)
                value.type = self._rng.randrange(12)
                if self._rng.random() < 0.6:
                    value = near(values[place], self._rng)
                return SetParameters.Request(parameters=[Parameter(name=name, value=value)])

            def change(inputs: Sequence[Any], setter: Any = setter) -> list[str]:
                return [_set(answer) for answer in self._stranger.answers(setter, inputs)]

            undo = partial(self._restore, node, names, values)
            at_once = 2 if node == "perception" else _BATCH
            self.tries(f"parameters of {node}", made, change, at_once, undo, concerned=())

    def _restore(self, node: str, names: Sequence[str], values: Sequence[Any]) -> None:
        kinds = self._ask(node, DescribeParameters, DescribeParameters.Request(names=list(names)))
        if kinds is None:
            return
        changeable = [
            Parameter(name=name, value=value)
            for name, value, kind in zip(names, values, kinds.descriptors, strict=True)
            if not kind.read_only
        ]
        self._ask(node, SetParameters, SetParameters.Request(parameters=changeable))

    def _ask(self, node: str, kind: Any, request: Any) -> Any:
        client = self._stranger.create_client(kind, f"{node}/{_SERVICE_OF[kind]}")
        client.wait_for_service(10.0)
        answer = self._stranger.answers(client, [request], 10.0)[0]
        self._stranger.destroy_client(client)
        return answer

    def tries(
        self,
        name: str,
        make: Callable[[], Any],
        send: Callable[[Sequence[Any]], Sequence[str]],
        at_once: int = _BATCH,
        after: Callable[[], None] = lambda: None,
        rounds: int = 0,
        concerned: Sequence[str] = NODES,
    ) -> None:
        """``make``: an input; ``send``: what became of some of them; ``after``: undoes what they have done.

        ``concerned``: who must answer after every few inputs; all nodes must after each tenth time.
        """
        rounds = rounds or self._rounds
        outcomes: Counter[str] = Counter()
        findings = Findings()
        began, slowest, done, looks = time.monotonic(), ("", 0.0), 0, 0
        while done < rounds and not findings.full:
            inputs = [make() for _ in range(min(at_once, rounds - done))]
            results = send(inputs)
            done += len(inputs)
            outcomes.update(results)
            looks += 1
            everybody = looks % _SELDOM == 0 or done == rounds
            answer = self._stranger.slowest_answer(NODES if everybody else concerned)
            slowest = max(slowest, answer, key=lambda entry: entry[1])
            wrong = [*filter(_WRONG.match, results), *self._watch.troubles()]
            if answer[1] > PATIENCE_S:
                wrong.append(f"{answer[0]} needed more than {PATIENCE_S:g} s to answer")
            for what in wrong:
                findings.add(what, inputs)
            if wrong:
                self._wait_for_all()
        after()
        self._plug_in()
        if not self._flows():
            findings.add("no frame is steered by 15 s afterwards")
        self.report[name] = {
            "tries": done,
            **outcomes,
            "slowest_answer_s": round(slowest[1], 2),
            "seconds": round(time.monotonic() - began, 1),
            **findings.report(),
        }
        self._keep(self.report)
        print(
            f"{name}: {dict(outcomes)}, slowest {slowest[1]:.2f} s ({slowest[0]})",
            *findings.texts,
            sep="\n    ",
            flush=True,
        )

    def _wait_for_all(self) -> None:
        """Until who ended is back."""
        end = time.monotonic() + 40.0
        while self._stranger.slowest_answer()[1] >= PATIENCE_S and time.monotonic() < end:
            pass

    def _flows(self) -> bool:
        before, end = self._stranger.states, time.monotonic() + 15.0
        while self._stranger.states <= before + 2 and time.monotonic() < end:
            time.sleep(0.02)
        return self._stranger.states > before + 2


_SERVICE_OF = {
    GetParameters: "get_parameters",
    SetParameters: "set_parameters",
    ListParameters: "list_parameters",
    DescribeParameters: "describe_parameters",
}


def _outcome(answer: Any) -> str:
    if answer is None:
        return "no answer within 2 s"
    if len(getattr(answer, "message", "")) > _LONG:
        return "a long answer"
    return "done" if getattr(answer, "success", True) else "refused"


def _set(answer: Any) -> str:
    if answer is None:
        return "no answer within 2 s"
    if any(len(result.reason) > 2 * _LONG for result in answer.results):
        return "a long answer"
    return "accepted" if all(result.successful for result in answer.results) else "refused"


def _each(ask: Callable[[Any], str], inputs: Sequence[Any]) -> list[str]:
    return [ask(data) for data in inputs]


def greet(port: int, hello: bytes) -> str:
    """What the virtual camera does with a greeting."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as connection:
            connection.sendall(hello)
            connection.settimeout(0.02)
            return "answered" if connection.recv(1000) else "closed"
    except TimeoutError:
        return "silent"
    except OSError:
        return "refused"
